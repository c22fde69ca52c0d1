//! Serves services on one port until told to stop, then lets what is under way end.

use crate::{
    Gate, Metrics, Problem, ProblemType, Service, connection,
    feeds::Streams,
    limits::ACCEPT_PAUSE,
    observed::{Observed, observe},
    platform::{self, Shown},
    send::Stopping,
    start_text,
};
use axum::{
    Extension, Router,
    http::{Method, Uri},
    middleware,
};
use factum::{Entropy, Timestamp, store::SystemEntropy};
use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

/// After the signal to stop, requests under way have this long to end.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Others could reach the port, and nothing tells callers apart.
    #[error(
        "refused to listen on {address}: it can be reached from other machines, and without authentication every caller would be an administrator; listen on a loopback address such as 127.0.0.1:3030, or switch authentication on with --tokens FILE"
    )]
    OpenToOthers {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be bound.
    #[error("could not listen on {address}: {cause}; stop what uses it, or choose another with --listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// The clock stands where no answer could be dated.
    #[error("refused to listen: the clock says {now}, before 1970: set it, then start again")]
    Clock {
        /// What it says.
        now: Timestamp,
    },
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    services: Vec<Service>,
    gate: Gate,
    observed: Observed,
}

impl Server {
    /// Listens on `address` for these services.
    ///
    /// # Errors
    /// When the address is open to others, or cannot be bound, or the clock stands before 1970.
    pub async fn bind(address: SocketAddr, gate: Gate, services: Vec<Service>) -> Result<Self, ListenError> {
        gate.access.check(address)?;
        // The protocol's own code would panic over each connection.
        let now = gate.clock.now();
        if now < Timestamp::EPOCH {
            return Err(ListenError::Clock { now });
        }
        let bind = |cause| ListenError::Bind { address, cause };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let observed = Observed { metrics: Metrics::default(), entropy: Arc::new(SystemEntropy) };
        Ok(Self { listener, address, services, gate, observed })
    }

    /// Shows `metrics` at `/metrics`; services that were given theirs count there.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.observed.metrics = metrics;
        self
    }

    /// Takes the ids of spans, and of traces that begin here, from `entropy`.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.observed.entropy = entropy;
        self
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready, then ends what is under way, for [`DRAIN_TIME_MAX`] at most. Connections
    /// on which nothing is under way end at once, and so do streams of events.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) {
        let Self { listener, address, services, gate, observed } = self;
        let (limits, metrics) = (gate.limits, observed.metrics.clone());
        let room = Arc::new(Semaphore::new(limits.connections_max.get().min(Semaphore::MAX_PERMITS)));
        let (stopping, seen) = watch::channel(false);
        let router = router(&services, address, gate, observed, Streams::new(seen.clone()));
        let (mut connections, mut stop) = (JoinSet::new(), pin!(stop));
        loop {
            let (stream, place) = tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept(&listener, &room) => accepted,
            };
            let serving = connection::serve(stream, router.clone(), limits.patience, seen.clone());
            let open = metrics.connection();
            connections.spawn(async move {
                open.ended(serving.await);
                drop(place);
            });
        }
        drop(listener);
        stopping.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_TIME_MAX, drained).await.is_err() {
            tracing::warn!("requests were still under way after {DRAIN_TIME_MAX:?}: ending without them");
        }
    }
}

/// The next connection, and its place. While there is none, those who would connect wait with the system. So
/// they do while the system has nothing left for them: that passes.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(room).acquire_owned().await.expect("it is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // An answer is written at once and whole: it must not wait for the client to say it has the last.
                let _ = stream.set_nodelay(true);
                return (stream, place);
            }
            Err(gone) if is_the_clients(gone.kind()) => {}
            Err(cause) => {
                tracing::warn!(%cause, "could not take in a connection: trying again in {ACCEPT_PAUSE:?}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether a client went away before it was taken in.
fn is_the_clients(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(kind, ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The routes of all services, and those that span them, behind the gate and observed.
fn router(
    services: &[Service],
    address: SocketAddr,
    gate: Gate,
    observed: Observed,
    streams: Streams,
) -> Router {
    let start = start_text(services, &format!("http://{address}"), &gate.access);
    let documents = services.iter().map(|service| (service.name, service.openapi())).collect();
    let stopping = Stopping(streams.stopping());
    let shown = Shown { metrics: observed.metrics.clone(), start, documents, streams };
    let routes = services.iter().fold(platform::routes(services, shown), |routes, service| {
        let permissions = Arc::new(service.permissions.clone());
        routes.merge(service.routes.clone().under(service.name, permissions))
    });
    let router = routes
        .into_router()
        .fallback(async |uri: Uri| {
            Problem::new(ProblemType::NotFound, format!("there is nothing at {}", uri.path()))
        })
        .method_not_allowed_fallback(wrong_method);
    gate.before(router).layer(Extension(stopping)).layer(middleware::from_fn_with_state(observed, observe))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(ProblemType::Method, format!("{} does not take {method}", uri.path()))
}
