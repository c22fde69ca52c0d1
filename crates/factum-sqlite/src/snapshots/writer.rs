//! The thread that writes snapshots, one task after another. What it cannot write is logged and given up; after
//! the file itself failed it opens it again for the next task.

use super::table;
use crate::database;
use factum_store::{SnapshotKey, StoredSnapshot};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    task::{Poll, Waker},
    thread::{self, JoinHandle},
};

/// So many tasks wait at the most; a further one is given up.
const TASKS_MAX: usize = 256;

/// What is to be written.
pub(super) enum Task {
    Put { key: SnapshotKey, snapshot: StoredSnapshot, every: u64 },
    Forget(SnapshotKey),
    Settle(Arc<Settled>),
}

/// The writing thread. Ends, with all tasks done, when this is dropped.
pub(super) struct Writer {
    tasks: Option<SyncSender<Task>>,
    thread: Option<JoinHandle<()>>,
}

/// Whether what was handed over before is done, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Settled(Mutex<(bool, Option<Waker>)>);

impl Settled {
    fn tell(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.0 = true;
            state.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(waker.clone());
        Poll::Pending
    }
}

impl Writer {
    /// None, with a warning, if there can be no thread.
    pub(super) fn start(path: PathBuf) -> Option<Self> {
        let (tasks, waiting) = sync_channel(TASKS_MAX);
        let run = move || write(&path, &waiting);
        match thread::Builder::new().name("factum-snapshots".to_owned()).spawn(run) {
            Ok(thread) => Some(Self { tasks: Some(tasks), thread: Some(thread) }),
            Err(error) => {
                tracing::warn!(%error, "no thread to write snapshots: none is kept");
                None
            }
        }
    }

    pub(super) fn hand(&self, task: Task) {
        let tasks = self.tasks.as_ref().expect("the channel lasts as long as the writer");
        match tasks.try_send(task) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => tracing::debug!("too many snapshots wait: one is given up"),
            Err(TrySendError::Disconnected(_)) => tracing::debug!("the writer of snapshots has ended"),
        }
    }

    /// Ready once all that was handed over before is done.
    pub(super) fn settled(&self) -> impl Future<Output = ()> + Send + use<> {
        let settled = Arc::new(Settled::default());
        let tasks = self.tasks.clone();
        // Waits for room in the queue, but never for long: the writer is at work.
        let handed = tasks.is_some_and(|tasks| tasks.send(Task::Settle(Arc::clone(&settled))).is_ok());
        std::future::poll_fn(
            move |context| if handed { settled.poll(context.waker()) } else { Poll::Ready(()) },
        )
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was printed by it; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

fn write(path: &Path, waiting: &Receiver<Task>) {
    let mut connection = None;
    let mut failing = false;
    for task in waiting {
        if let Task::Settle(settled) = &task {
            settled.tell();
            continue;
        }
        let done = match connection.take() {
            Some(open) => Ok(open),
            None => database::open(path, table::LAYOUT),
        }
        .and_then(|open| carry_out(&open, &task).map(|()| open).map_err(Into::into));
        match done {
            Ok(open) => (connection, failing) = (Some(open), false),
            // Said aloud once, until something was written again.
            Err(error) if failing => tracing::debug!(%error, "a snapshot could not be written"),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a snapshot could not be written");
                failing = true;
            }
        }
    }
}

fn carry_out(connection: &Connection, task: &Task) -> Result<(), rusqlite::Error> {
    match task {
        Task::Put { key, snapshot, every } => table::put(connection, key, snapshot, *every),
        Task::Forget(key) => table::forget(connection, key),
        Task::Settle(_) => Ok(()),
    }
}
