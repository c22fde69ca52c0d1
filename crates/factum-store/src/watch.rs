//! Lets readers sleep until the head moves. Knows no runtime: it keeps wakers.

use crate::Head;
use factum_event::Sequence;
use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

/// The head that was last published, and who waits for the next one.
#[derive(Debug, Default)]
pub struct HeadWatch {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    head: Head,
    waiting: Vec<Waker>,
}

impl HeadWatch {
    /// Watches from `head` on.
    pub fn new(head: Head) -> Self {
        Self { state: Mutex::new(State { head, waiting: Vec::new() }) }
    }

    /// The head as last published.
    pub fn head(&self) -> Head {
        self.lock().head
    }

    /// Publishes a later head and wakes everyone. An earlier one is ignored.
    pub fn publish(&self, head: Head) {
        let waiting = {
            let mut state = self.lock();
            if head.sequence <= state.head.sequence {
                return;
            }
            state.head = head;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Ready once there is a commit after `after`.
    pub fn after(&self, after: Sequence) -> impl Future<Output = Head> + Send + '_ {
        After { watch: self, after }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct After<'a> {
    watch: &'a HeadWatch,
    after: Sequence,
}

impl Future for After<'_> {
    type Output = Head;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Head> {
        let mut state = self.watch.lock();
        if state.head.sequence > self.after {
            return Poll::Ready(state.head);
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}
