//! The threads on which what may take long is done, so that none of an async runtime's waits for a disk.

use super::lock;
use factum_store::{ErrorKind, StoreError};
use futures_channel::oneshot;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

/// So many things are done at once.
const THREADS: usize = 4;
/// So many more wait at the most; a further one is refused.
const WAITING_MAX: usize = 1024;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. Started by the first job; they end when this is dropped and all jobs are done.
#[derive(Default)]
pub(super) struct Threads(Mutex<Option<SyncSender<Job>>>);

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Threads")
    }
}

impl Threads {
    /// Does `work` on one of the threads. Not begun any more once nobody waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.hand(Box::new(move || {
            if !answer.is_canceled() {
                // Who no longer waits for it gets nothing.
                let _ = answer.send(work());
            }
        }))?;
        answered.await.unwrap_or_else(|_| {
            let what = "work on read models panicked: see the panic above";
            Err(StoreError::new(ErrorKind::ReportBug, what))
        })
    }

    fn hand(&self, job: Job) -> Result<(), StoreError> {
        let mut jobs = lock(&self.0);
        let jobs = match &*jobs {
            Some(jobs) => jobs,
            None => jobs.insert(start()?),
        };
        jobs.try_send(job).map_err(|refused| {
            let (kind, what) = match refused {
                TrySendError::Full(_) => {
                    (ErrorKind::Retry, format!("read a model: {WAITING_MAX} reads wait already"))
                }
                TrySendError::Disconnected(_) => {
                    (ErrorKind::ReportBug, "read a model: its threads have ended".to_owned())
                }
            };
            StoreError::new(kind, what)
        })
    }
}

fn start() -> Result<SyncSender<Job>, StoreError> {
    let (jobs, waiting) = sync_channel(WAITING_MAX);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..THREADS {
        let waiting = Arc::clone(&waiting);
        thread::Builder::new().name("factum-read-models".to_owned()).spawn(move || work(&waiting)).map_err(
            |cause| {
                let what = format!("read a model: a thread for it cannot be started: {cause}");
                StoreError::new(ErrorKind::Retry, what)
            },
        )?;
    }
    Ok(jobs)
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        // The others wait for the lock in the meantime, which is as good as waiting for a job.
        let job = lock(waiting).recv();
        let Ok(job) = job else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("work on read models panicked");
        }
    }
}
