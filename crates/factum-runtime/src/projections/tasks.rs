//! The tasks of an application's projections: begun here, so that who stops them can wait until the last one has
//! let go of the log.

use crate::Spawn;
use factum_store::BoxFuture;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::mpsc;

#[derive(Debug)]
pub(super) struct Tasks {
    spawn: Arc<dyn Spawn>,
    /// Held by each task as long as it runs.
    running: Mutex<Option<mpsc::Sender<Infallible>>>,
    ended: tokio::sync::Mutex<mpsc::Receiver<Infallible>>,
}

impl Tasks {
    pub(super) fn new(spawn: Arc<dyn Spawn>) -> Self {
        let (running, ended) = mpsc::channel(1);
        Self { spawn, running: Mutex::new(Some(running)), ended: tokio::sync::Mutex::new(ended) }
    }

    /// Runs something that may hold up who runs it.
    pub(super) fn begin(&self, name: &str, task: BoxFuture<'static, ()>) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let task = async move {
            task.await;
            // After all that the task held.
            drop(running);
        };
        self.spawn.spawn_beside(name, Box::pin(task));
    }

    /// Ready once every task has ended that was begun before.
    pub(super) async fn ended(&self) {
        drop(self.running.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Nothing is ever sent: it is told that nobody could any more.
        let _ = self.ended.lock().await.recv().await;
    }
}
