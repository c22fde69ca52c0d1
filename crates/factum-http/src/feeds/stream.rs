//! A stream of updates as Server-Sent Events. The next update is read when the client has room for it, so
//! that a slow one costs no memory and misses nothing. A stream ends with the server, and then its client
//! goes on with the last id it saw.

use super::{Merged, Slot, asked::describe, sources::Source};
use crate::{
    Description, Problem, ProblemType,
    cursor::{Cursor, Kind},
    limits::{KEEP_ALIVE, PASSED_OVER_MAX, RETRY_AFTER as WAIT, STREAMS_MAX},
    openapi::Place,
};
use axum::{
    http::{
        HeaderMap, HeaderValue,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use factum::StoreError;
use futures_util::stream::unfold;
use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::json;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

const LAST_EVENT_ID: &str = "Last-Event-ID";

/// Where the client was told to, if it says so.
///
/// # Errors
/// 400 when it is no id of such a stream.
pub(crate) fn last_event_id(headers: &HeaderMap, kind: Kind) -> Result<Option<Cursor>, Problem> {
    let mut values = headers.get_all(LAST_EVENT_ID).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let cursor = value.to_str().ok().and_then(|text| Cursor::parse(kind, text));
    match cursor.filter(|_| values.next().is_none()) {
        Some(cursor) => Ok(Some(cursor)),
        None => {
            let message = "is none of this stream: send back an `id` as it was received, or none";
            let detail = format!("the header `{LAST_EVENT_ID}` {message}");
            Err(Problem::new(ProblemType::Shape, detail).field(LAST_EVENT_ID, message))
        }
    }
}

/// Says of a route that it answers with a stream, of events as `told`, and what it may be asked for.
pub(crate) fn streams(route: &mut Description, known: &[&'static str], told: &'static str) {
    describe(route, known);
    let about = "Goes on after the event with this `id`: nothing that came since is missed.";
    route.parameter(Place::Header, LAST_EVENT_ID, about, json!({"type": "string"}));
    route.answer(200, told, Some(("text/event-stream", SchemaGenerator::subschema_for::<String>)));
}

/// The room for streams, and the word to end them.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    room: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

/// What an update is told as; none if its reader may not see it.
pub(crate) struct Told<T> {
    pub(crate) event: String,
    pub(crate) data: T,
}

struct Open<S: Source, F> {
    merged: Merged<S>,
    tell: F,
    /// Whether the place it begins at is still to be told.
    begins: bool,
    stopped: watch::Receiver<bool>,
    _room: OwnedSemaphorePermit,
}

impl Streams {
    /// At most [`STREAMS_MAX`], until `stopped` says so or nobody is left to say it.
    pub(crate) fn new(stopped: watch::Receiver<bool>) -> Self {
        Self { room: Arc::new(Semaphore::new(STREAMS_MAX)), stopped }
    }

    /// The word to end them.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopped.clone()
    }

    /// Answers with a stream. `begins`: first of all tells the place it begins at, so that a client that saw
    /// no update yet misses none when it comes back.
    ///
    /// # Errors
    /// 503 when too many are open.
    pub(crate) fn open<S, F, T>(&self, merged: Merged<S>, begins: bool, tell: F) -> Result<Response, Problem>
    where
        S: Source + 'static,
        F: Fn(&Slot<S>, S::Item) -> Option<Told<T>> + Send + Sync + 'static,
        T: Serialize,
    {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            let detail = "as many streams of updates are open as may be at once: come back later";
            let wait = WAIT.as_secs().to_string();
            return Err(Problem::new(ProblemType::Unavailable, detail).header(RETRY_AFTER, &wait));
        };
        let open = Open { merged, tell, begins, stopped: self.stopped.clone(), _room: room };
        let events = unfold(open, async |mut open| {
            let event = open.next().await?;
            Some((Ok::<_, Infallible>(event), open))
        });
        let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
        let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

impl<S, F, T> Open<S, F>
where
    S: Source,
    F: Fn(&Slot<S>, S::Item) -> Option<Told<T>>,
    T: Serialize,
{
    /// What is sent next; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        let mut stopped = self.stopped.clone();
        let event = tokio::select! {
            biased;
            // An error means that the server is gone.
            _ = stopped.wait_for(|stopped| *stopped) => return None,
            event = self.update() => event,
        };
        event.unwrap_or_else(|cause| {
            tracing::warn!(%cause, "a stream of updates ends: its log cannot be read");
            None
        })
    }

    async fn update(&mut self) -> Result<Option<Event>, StoreError> {
        if std::mem::take(&mut self.begins) {
            return Ok(Some(self.place()));
        }
        let mut passed_over = 0;
        loop {
            if let Some((slot, item)) = self.merged.next_now().await? {
                let told = (self.tell)(slot, item);
                if let Some(Told { event, data }) = told {
                    let event = self.place().event(event);
                    return Ok(Some(event.json_data(data).expect("what is told is plain data")));
                }
                passed_over += 1;
                if passed_over == PASSED_OVER_MAX {
                    return Ok(Some(self.place()));
                }
            } else if self.merged.ended() {
                return Ok(None);
            } else {
                self.merged.changed().await?;
            }
        }
    }

    /// An id and nothing else, which a client keeps and tells nobody of.
    fn place(&self) -> Event {
        Event::default().id(self.merged.cursor().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use factum::CommandUpdates;
    use http_body_util::BodyExt;

    fn opened(streams: &Streams) -> Body {
        let merged =
            Merged::<CommandUpdates>::new(Vec::new(), Cursor::new(Kind::Commands), &Vec::new().into());
        let told = |_: &Slot<_>, _| None::<Told<()>>;
        streams.open(merged, true, told).unwrap().into_body()
    }

    async fn frame(body: &mut Body) -> Option<String> {
        let frame = body.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_news_says_that_it_is_alive() {
        let (stop, stopped) = watch::channel(false);
        let mut body = opened(&Streams::new(stopped));
        assert_eq!(frame(&mut body).await.unwrap(), "id: c\n\n");
        assert_eq!(frame(&mut body).await.unwrap(), ":\n\n");
        stop.send_replace(true);
        assert_eq!(frame(&mut body).await, None);
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_server() {
        let (stop, stopped) = watch::channel(false);
        let streams = Streams::new(stopped);
        let mut told = opened(&streams);
        assert!(frame(&mut told).await.is_some());
        drop(stop);
        assert_eq!(frame(&mut told).await, None);
        assert_eq!(frame(&mut opened(&streams)).await, None, "nor does another begin");
    }
}
