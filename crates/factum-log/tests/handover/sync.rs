//! What `crate::sync` is to the engine, played through.

pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use std::sync::PoisonError;
pub(crate) use thread::Thread;

/// Parking by a token, as `std` has it. That of loom wakes a thread out of whatever else it waits for.
pub(crate) mod thread {
    pub(crate) use loom::thread::{JoinHandle, spawn};

    use loom::sync::{Condvar, Mutex};
    use std::sync::Arc;

    #[derive(Clone, Debug, Default)]
    pub(crate) struct Thread(Arc<(Mutex<bool>, Condvar)>);

    loom::thread_local! {
        static HERE: Thread = Thread::default();
    }

    impl Thread {
        pub(crate) fn unpark(&self) {
            *self.0.0.lock().unwrap() = true;
            self.0.1.notify_one();
        }

        /// Which one it is.
        pub(crate) fn id(&self) -> usize {
            Arc::as_ptr(&self.0).addr()
        }
    }

    pub(crate) fn current() -> Thread {
        HERE.with(Clone::clone)
    }

    pub(crate) fn park() {
        let here = current();
        let mut token = here.0.0.lock().unwrap();
        while !std::mem::take(&mut *token) {
            token = here.0.1.wait(token).unwrap();
        }
    }
}
