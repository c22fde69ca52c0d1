//! What the handle, the leaders and the readers of one open log share. Lock order: writer, then index.

use crate::{
    ahead::Ahead,
    index::Index,
    maintenance::Care,
    options::Options,
    queue::{Done, Request},
    queue::{Queue, Told, Wait, Waiter},
    storage::Storage,
    window::Residence,
    writer::Writer,
};
use factum_event::LogIdentity;
use factum_store::{HeadWatch, Verdict};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// One open log.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) options: Options,
    pub(crate) identity: LogIdentity,
    pub(crate) index: RwLock<Index>,
    pub(crate) watch: HeadWatch,
    pub(crate) residence: Residence,
    pub(crate) queue: Queue,
    /// None when no segment is filled ahead.
    pub(crate) ahead: Option<Arc<Ahead>>,
    pub(crate) care: Care,
    /// None when the log is open for reading only.
    pub(crate) writer: Option<Mutex<Writer>>,
}

impl Engine {
    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a request of the calling thread and sleeps, or leads, until it is answered.
    pub(crate) fn append_blocking(&self, request: impl FnOnce(Done) -> Request) -> Vec<Verdict> {
        let waiter = Arc::new(Waiter::default());
        if self.queue.push_blocking(request(Done::Caller(Arc::clone(&waiter)))) {
            self.lead();
        }
        loop {
            match waiter.wait() {
                Wait::Done(answer) => return answer.verdicts,
                Wait::Lead => self.lead(),
                Wait::Sleep => {}
            }
        }
    }

    /// Writes one group and hands the lead on.
    pub(crate) fn lead(&self) {
        struct HandOver<'a> {
            queue: &'a Queue,
            requests: usize,
        }
        impl Drop for HandOver<'_> {
            fn drop(&mut self) {
                self.queue.hand_over(self.requests);
            }
        }
        let mut lead = HandOver { queue: &self.queue, requests: 0 };
        let mut requests = self.queue.take(self.options.group_commits, self.options.group_bytes);
        lead.requests = requests.len();
        self.write_locked(&mut requests);
        self.measure(&requests);
        let mut told = Told::default();
        requests.into_iter().for_each(|request| request.complete(&mut told));
        told.wake(self.options.completions.as_deref());
    }

    /// Tells the observer of every request that stored something.
    fn measure(&self, requests: &[Request]) {
        let Some(observer) = &self.options.observer else { return };
        let now = observer.elapsed();
        for request in requests {
            if let Some(since) = request.since
                && request.verdicts.iter().any(Result::is_ok)
            {
                observer.appended(now.saturating_sub(since));
            }
        }
    }

    fn write_locked(&self, requests: &mut [Request]) {
        let writer = self.writer.as_ref().expect("only a log open for writing queues requests");
        let mut writer = match writer.lock() {
            Ok(writer) => writer,
            Err(poisoned) => {
                // A panic left the group half-staged: what is published is right, what follows is not.
                let mut writer = poisoned.into_inner();
                writer.failed.get_or_insert_with(|| "the writer panicked".to_owned());
                writer
            }
        };
        self.write(&mut writer, requests);
    }
}
