//! What passes over a connection, watched: where the exchange stands, and what is due when. Also turns the
//! bare refusals of the protocol, to which no handler is asked, into problem+json.

use crate::{Problem, ProblemType, connection::Ended, limits::Patience};
use axum::{
    body::{Body as Raw, Bytes},
    http::{HeaderMap, header::CONTENT_TYPE},
};
use hyper::body::{Body, Frame, SizeHint};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::Instant,
};

/// While nothing is due. There is no hurry to find that out.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing of the next request has come.
    Waiting,
    /// A part of a head has come.
    Head,
    /// A request is being carried out, or its answer made.
    Request,
    /// All of the answer is made; not all of it may have been sent.
    Sending,
}

/// How far the exchange has come on one connection.
#[derive(Debug)]
pub(crate) struct Progress {
    patience: Patience,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// When the phase must be over.
    until: Option<Instant>,
    /// When the client must have taken something, since nothing more fits on the way to it.
    unread: Option<Instant>,
}

impl Progress {
    /// Of a new connection: the first byte may take as long as a whole head.
    pub(crate) fn new(patience: Patience) -> Self {
        let until = Some(after(patience.head));
        Self { patience, state: Mutex::new(State { phase: Phase::Waiting, until, unread: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    pub(crate) fn reached(&self, phase: Phase) {
        let until = match phase {
            Phase::Waiting => Some(after(self.patience.idle)),
            Phase::Head => Some(after(self.patience.head)),
            Phase::Request | Phase::Sending => None,
        };
        let mut state = self.lock();
        (state.phase, state.until) = (phase, until);
    }

    /// What ends the connection next if nothing changes, and when.
    pub(crate) fn due(&self) -> (Ended, Instant) {
        let State { phase, until, unread } = *self.lock();
        let ended = if phase == Phase::Head { Ended::HalfSent } else { Ended::Idle };
        match (until, unread) {
            (_, Some(unread)) => (Ended::Unread, unread),
            (Some(until), None) => (ended, until),
            (None, None) => (ended, after(FAR)),
        }
    }

    fn came(&self) {
        if self.phase() == Phase::Waiting {
            self.reached(Phase::Head);
        }
    }

    fn flushed(&self) {
        if self.phase() == Phase::Sending {
            self.reached(Phase::Waiting);
        }
    }

    /// Something was sent, or could not be.
    fn sent<T>(&self, written: &Poll<T>) {
        let mut state = self.lock();
        match written {
            Poll::Ready(_) => state.unread = None,
            Poll::Pending => drop(state.unread.get_or_insert_with(|| after(self.patience.unread))),
        }
    }
}

fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + FAR)
}

/// The bytes of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    progress: Arc<Progress>,
    /// What is sent in place of a bare refusal, and how much of it has been.
    refusal: Option<(Vec<u8>, usize)>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, progress: Arc<Progress>) -> Self {
        Self { stream, progress, refusal: None }
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Whether what is to be written is no handler's: no request has come since the last answer was sent.
    fn is_refused(&self) -> bool {
        matches!(self.progress.phase(), Phase::Waiting | Phase::Head)
    }

    /// Sends a refusal of our own in place of `bare`.
    fn poll_refuse(&mut self, context: &mut Context<'_>, bare: &[u8]) -> Poll<io::Result<usize>> {
        let patience = self.progress.patience;
        let (bytes, sent) = self.refusal.get_or_insert_with(|| (refusal(status_of(bare), patience), 0));
        while *sent < bytes.len() {
            let written = Pin::new(&mut self.stream).poll_write(context, &bytes[*sent..]);
            self.progress.sent(&written);
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => *sent += more,
            }
        }
        Poll::Ready(Ok(bare.len()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.remaining();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.remaining() < room {
            self.progress.came();
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_refused() {
            return self.poll_refuse(context, bytes);
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.progress.sent(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.progress.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_refused() {
            return self.poll_refuse(
                context,
                &slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<_>>(),
            );
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.progress.sent(&written);
        written
    }
}

/// The status of an answer, by its first line.
fn status_of(answer: &[u8]) -> u16 {
    let digits = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(400)
}

/// The last answer on a connection whose request did not come as far as a handler.
pub(crate) fn refusal(status: u16, patience: Patience) -> Vec<u8> {
    let problem = match status {
        408 => {
            let detail = format!("the head did not arrive within {:?}: send it again", patience.head);
            Problem::new(ProblemType::Timeout, detail)
        }
        414 | 431 => {
            let detail =
                "the head of the request is too large: send a shorter path, fewer or shorter headers";
            Problem::new(ProblemType::TooLarge, detail).with_status(status)
        }
        status => {
            let detail = "the head of the request is not HTTP/1.1: look at its first line, the names of its \
                          headers, and its Content-Length";
            Problem::new(ProblemType::Shape, detail).with_status(status)
        }
    };
    problem.to_last_answer()
}

/// An answer's body. When it is done with, the answer is made. A stream of events ends when the server stops:
/// it would never end by itself, and its reader goes on where it was.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Raw,
    progress: Arc<Progress>,
    ends: Option<watch::Receiver<bool>>,
}

impl Answer {
    pub(crate) fn new(
        body: Raw,
        headers: &HeaderMap,
        progress: Arc<Progress>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let is_events = headers
            .get(CONTENT_TYPE)
            .is_some_and(|content_type| content_type.as_bytes().starts_with(b"text/event-stream"));
        Self { body, progress, ends: is_events.then_some(stopping) }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // The connection is woken by the stop, and asks here again.
        if self.ends.as_ref().is_some_and(|stopping| *stopping.borrow()) {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.progress.reached(Phase::Sending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_something_has_all_its_time_again() {
        let progress = Progress::new(Patience::default());
        progress.reached(Phase::Request);
        let first = Instant::now() + Patience::default().unread;
        progress.sent(&Poll::<()>::Pending);
        tokio::time::advance(Duration::from_secs(1)).await;
        progress.sent(&Poll::<()>::Pending);
        assert_eq!(progress.due(), (Ended::Unread, first), "counted from when it took nothing any more");
        progress.sent(&Poll::Ready(()));
        assert_ne!(progress.due().0, Ended::Unread);
        tokio::time::advance(Duration::from_secs(1)).await;
        progress.sent(&Poll::<()>::Pending);
        assert_eq!(progress.due().1, Instant::now() + Patience::default().unread);
    }

    #[test]
    fn a_status_is_read_from_the_first_line() {
        assert_eq!(status_of(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"), 431);
        assert_eq!(status_of(b"nonsense"), 400);
    }
}
