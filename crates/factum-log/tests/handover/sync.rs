//! What `crate::sync` is to the engine, played through.

pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use loom::thread;
pub(crate) use std::sync::PoisonError;
/// A counter under a lock.
#[derive(Debug)]
pub(crate) struct Signal {
    count: Mutex<u32>,
    raised: Condvar,
}

impl Default for Signal {
    fn default() -> Self {
        Self { count: Mutex::new(0), raised: Condvar::new() }
    }
}

impl Signal {
    pub(crate) fn raise(&self) {
        *self.count.lock().unwrap() += 1;
        self.raised.notify_all();
    }

    pub(crate) fn count(&self) -> u32 {
        *self.count.lock().unwrap()
    }

    pub(crate) fn wait(&self, count: u32) {
        let mut now = self.count.lock().unwrap();
        while *now == count {
            now = self.raised.wait(now).unwrap();
        }
    }
}
