//! UmaDB's engine without its server: the default storage options, and the writer thread that the server runs
//! in front of it, with the server's bounds, so that appends that come together share a commit.
//!
//! It knows tags and no streams: the stream of an account is what has its tag. The stream's name is not stored.
//! A read collects its events before it hands them over, so all events are read page by page.

use super::{
    engine::{Asynchronous, Conditional, Engine},
    events::{Account, Digest, EVENT_TYPE, Event},
    work::Durability,
};
use crate::Failure;
use std::{
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};
use tokio::sync::{mpsc, oneshot, watch};
use umadb_core::{
    db::UmaDb,
    mvcc::{Mvcc, StorageOptions},
    writer_thread_blocking::writer_thread_blocking,
    writer_thread_request::WriterThreadRequest,
};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem, DcbResult};

/// Requests that may wait, as in `umadb-server`.
const REQUESTS_MAX: usize = 1024;
/// Events of requests that share a commit, as in `umadb-server`.
const BATCH_EVENTS_MAX: usize = 2000;
/// Events of a page when all are read: the most that its server gives at once.
const PAGE_EVENTS: u32 = 5000;

pub(crate) struct Umadb {
    reader: UmaDb,
    requests: mpsc::Sender<WriterThreadRequest>,
    writer: JoinHandle<()>,
    /// Without a receiver the writer would find nobody to tell of a new head.
    _head: watch::Receiver<Option<u64>>,
}

type Answer = oneshot::Receiver<DcbResult<u64>>;

fn request(events: Vec<DcbEvent>, condition: Option<DcbAppendCondition>) -> (WriterThreadRequest, Answer) {
    let (response_tx, answer) = oneshot::channel();
    let tracking_info = None;
    (WriterThreadRequest::Append { events, condition, tracking_info, response_tx, cancel: None }, answer)
}

fn encode(event: Event<'_>) -> DcbEvent {
    let tags = [&*event.account.tag];
    DcbEvent::default().event_type(EVENT_TYPE).tags(tags).data(event.payload)
}

fn of(account: &Account) -> DcbQuery {
    DcbQuery::new().item(DcbQueryItem::new().tags([&*account.tag]))
}

fn next(event: Event<'_>, after: u64) -> (WriterThreadRequest, Answer) {
    let condition = DcbAppendCondition::new(of(event.account)).after(Some(after));
    request(vec![encode(event)], Some(condition))
}

impl Umadb {
    fn ask(&self, (request, answer): (WriterThreadRequest, Answer)) -> Result<u64, Failure> {
        self.requests.blocking_send(request)?;
        Ok(answer.blocking_recv()??)
    }
}

impl Engine for Umadb {
    /// On Linux `Pager::fsync` is `File::sync_data` (`umadb-core` 0.7.8, `src/pager.rs`): once for the pages of
    /// a commit and once for its header.
    const DURABILITY: Durability = Durability::Fdatasync;

    fn open(dir: &Path) -> Result<Self, Failure> {
        let mvcc = Arc::new(Mvcc::new(false, StorageOptions::default().db_path(dir.join("uma.db")))?);
        let (requests, waiting) = mpsc::channel(REQUESTS_MAX);
        let (heads, head) = watch::channel(None);
        let writing = Arc::clone(&mvcc);
        let write = move || writer_thread_blocking(writing, waiting, heads, BATCH_EVENTS_MAX);
        let writer = thread::Builder::new().name("umadb-writer".to_owned()).spawn(write)?;
        Ok(Self { reader: UmaDb::from_arc(mvcc), requests, writer, _head: head })
    }

    fn append(&self, events: Vec<Event<'_>>) -> Result<(), Failure> {
        self.ask(request(events.into_iter().map(encode).collect(), None)).map(drop)
    }

    fn replay(&self, read: &mut Digest) -> Result<(), Failure> {
        let mut start = 1;
        loop {
            let mut last = None;
            for event in self.reader.read(None, Some(start), false, Some(PAGE_EVENTS))? {
                let event = event?;
                read.take(&event.event.data);
                last = Some(event.position);
            }
            match last {
                Some(last) => start = last + 1,
                None => return Ok(()),
            }
        }
    }

    fn close(self) -> Result<(), Failure> {
        self.requests.blocking_send(WriterThreadRequest::Shutdown)?;
        self.writer.join().map_err(|_| "the writer of UmaDB panicked".into())
    }
}

impl Conditional for Umadb {
    fn append_next(&self, event: Event<'_>, after: u64) -> Result<u64, Failure> {
        self.ask(next(event, after))
    }

    fn stream(&self, account: &Account, read: &mut Digest) -> Result<(), Failure> {
        for event in self.reader.read(Some(of(account)), None, false, None)? {
            read.take(&event?.event.data);
        }
        Ok(())
    }
}

impl Asynchronous for Umadb {
    async fn append_next_async(&self, event: Event<'_>, after: u64) -> Result<u64, Failure> {
        let (request, answer) = next(event, after);
        self.requests.send(request).await?;
        Ok(answer.await??)
    }
}
