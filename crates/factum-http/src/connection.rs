//! One connection, from its first byte to its last, within bounds: what does not come in time, or is not
//! taken in time, ends it. Knows where in an exchange it stands; what is asked is for the routes to know.

use crate::{
    limits::{HEAD_BYTES_MAX, Patience},
    wire::{Answer, Phase, Progress, Wire, refusal},
};
use axum::{Router, body::Body, extract::Request};
use hyper::{
    Response,
    body::Incoming,
    server::conn::http1::{Builder, Connection},
    service::Service,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};
use tokio::{net::TcpStream, sync::watch, time::sleep_until};
use tower::ServiceExt;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Between the client and the protocol: done, gone or wrong.
    ByItself,
    /// A head did not come whole in time.
    HalfSent,
    /// No further request came in time.
    Idle,
    /// The client took nothing of its answer for too long.
    Unread,
    /// The server stops, and nothing was under way.
    Stopped,
}

impl Ended {
    pub(crate) const ALL: [Self; 5] =
        [Self::ByItself, Self::HalfSent, Self::Idle, Self::Unread, Self::Stopped];

    /// Those that cut a connection off, by the words for them in metrics.
    pub(crate) const fn cut(self) -> Option<&'static str> {
        match self {
            Self::ByItself | Self::Stopped => None,
            Self::HalfSent => Some("head"),
            Self::Idle => Some("idle"),
            Self::Unread => Some("unread"),
        }
    }
}

/// Serves a connection to its end. Once `stopping` says so it ends with the request that is under way, or at
/// once if there is none.
pub(crate) async fn serve(
    stream: TcpStream,
    router: Router,
    patience: Patience,
    mut stopping: watch::Receiver<bool>,
) -> Ended {
    let progress = Arc::new(Progress::new(patience));
    let answering = Answering { router, progress: Arc::clone(&progress), stopping: stopping.clone() };
    let mut connection = Builder::new()
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Wire::new(stream, Arc::clone(&progress))), answering);
    let mut stop = pin!(async move {
        // Also when nobody is left who could say so.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    });
    let mut overdue = pin!(sleep_until(progress.due().1));
    let mut stops = false;
    let ended = poll_fn(|context| {
        if !stops && stop.as_mut().poll(context).is_ready() {
            stops = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        // An error is the client's, and it has been told what can be told.
        if Pin::new(&mut connection).poll(context).is_ready() {
            return Poll::Ready(Ended::ByItself);
        }
        if stops && matches!(progress.phase(), Phase::Waiting | Phase::Head) {
            return Poll::Ready(Ended::Stopped);
        }
        // The exchange may have come further, so that something else is due now.
        let (ends, due) = progress.due();
        if overdue.deadline() != due {
            overdue.as_mut().reset(due);
        }
        overdue.as_mut().poll(context).map(|()| ends)
    })
    .await;
    if ended == Ended::HalfSent {
        tell_half_sent(connection, patience);
    }
    ended
}

/// Says what is wrong, if that is possible without waiting: nothing was written for this request before.
fn tell_half_sent(connection: Connection<TokioIo<Wire>, Answering>, patience: Patience) {
    let stream = connection.into_parts().io.into_inner().into_stream();
    // Whoever does not take it has lost nothing.
    let _ = stream.try_write(&refusal(408, patience));
}

/// Answers the requests of one connection.
struct Answering {
    router: Router,
    progress: Arc<Progress>,
    stopping: watch::Receiver<bool>,
}

impl Service<hyper::Request<Incoming>> for Answering {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: hyper::Request<Incoming>) -> Self::Future {
        self.progress.reached(Phase::Request);
        let request: Request = request.map(Body::new);
        let answer = self.router.clone().oneshot(request);
        let (progress, stopping) = (Arc::clone(&self.progress), self.stopping.clone());
        Box::pin(async move {
            let (parts, body) = answer.await?.into_parts();
            let body = Answer::new(body, &parts.headers, progress, stopping);
            Ok(Response::from_parts(parts, body))
        })
    }
}
