//! What the hand-over of the lead stands on. `tests/handover` compiles `queue` with other ones, which play every
//! interleaving; so it takes these from here and not from `std`.

pub(crate) use signal::Signal;
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[cfg(target_os = "linux")]
mod signal {
    use rustix::thread::futex::{Flags, wait, wake};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Wakes all who wait for it, with one system call.
    #[derive(Debug, Default)]
    pub(crate) struct Signal(AtomicU32);

    impl Signal {
        /// Wakes whoever waits, and whoever comes to wait with a count from before.
        pub(crate) fn raise(&self) {
            self.0.fetch_add(1, Ordering::Release);
            // An error would say that this is no address of ours.
            let _ = wake(&self.0, Flags::PRIVATE, i32::MAX.cast_unsigned());
        }

        /// How often it was raised. Look at this, then at what it may have been raised for, then wait.
        pub(crate) fn count(&self) -> u32 {
            self.0.load(Ordering::Acquire)
        }

        /// Sleeps until it has been raised since `count`; also without a reason, now and then.
        pub(crate) fn wait(&self, count: u32) {
            // Whatever ends the sleep, the caller looks again.
            let _ = wait(&self.0, Flags::PRIVATE, count, None);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod signal {
    use super::{Condvar, Mutex, PoisonError};

    /// Wakes all who wait for it.
    #[derive(Debug, Default)]
    pub(crate) struct Signal {
        count: Mutex<u32>,
        raised: Condvar,
    }

    impl Signal {
        /// Wakes whoever waits, and whoever comes to wait with a count from before.
        pub(crate) fn raise(&self) {
            let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
            *count = count.wrapping_add(1);
            self.raised.notify_all();
        }

        /// How often it was raised. Look at this, then at what it may have been raised for, then wait.
        pub(crate) fn count(&self) -> u32 {
            *self.count.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Sleeps until it has been raised since `count`.
        pub(crate) fn wait(&self, count: u32) {
            let mut now = self.count.lock().unwrap_or_else(PoisonError::into_inner);
            while *now == count {
                now = self.raised.wait(now).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}
