//! Runs one future on the calling thread. For tests and small programs; a service has a runtime.

use std::{
    future::IntoFuture,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake},
    thread::{self, Thread},
};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `future` to its end; the thread sleeps while it waits.
///
/// ```
/// assert_eq!(factum_store::block_on(async { 1 + 1 }), 2);
/// ```
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::poll_fn, sync::mpsc};

    #[test]
    fn a_future_that_is_woken_elsewhere_ends() {
        let (send, wakers) = mpsc::channel::<std::task::Waker>();
        let waking = thread::spawn(move || wakers.into_iter().for_each(std::task::Waker::wake));
        let mut left = 3;
        let woken = block_on(poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready("woken three times");
            }
            left -= 1;
            send.send(context.waker().clone()).unwrap();
            Poll::Pending
        }));
        assert_eq!(woken, "woken three times");
        waking.join().unwrap();
    }
}
