//! Lets readers sleep until the head moves. Knows no runtime: it keeps one waker per wait that is under
//! way, and none for a wait that was given up.

use crate::Head;
use factum_event::Sequence;
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
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
    waiting: BTreeMap<u64, Waker>,
    next_wait: u64,
}

impl HeadWatch {
    /// Watches from `head` on.
    pub fn new(head: Head) -> Self {
        Self { state: Mutex::new(State { head, ..State::default() }) }
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
        waiting.into_values().for_each(Waker::wake);
    }

    /// Ready once there is a commit after `after`.
    pub fn after(&self, after: Sequence) -> impl Future<Output = Head> + Send + '_ {
        After { watch: self, after, wait: None }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct After<'a> {
    watch: &'a HeadWatch,
    after: Sequence,
    /// Its number among the waits, once it sleeps.
    wait: Option<u64>,
}

impl Future for After<'_> {
    type Output = Head;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Head> {
        let mut state = self.watch.lock();
        if state.head.sequence > self.after {
            return Poll::Ready(state.head);
        }
        let wait = self.wait.unwrap_or(state.next_wait);
        state.next_wait = state.next_wait.max(wait + 1);
        state.waiting.insert(wait, context.waker().clone());
        drop(state);
        self.wait = Some(wait);
        Poll::Pending
    }
}

impl Drop for After<'_> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            self.watch.lock().waiting.remove(&wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::pin,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn head(number: u64) -> Head {
        Head { position: number.into(), sequence: number.into() }
    }

    fn poll<F: Future>(future: Pin<&mut F>, count: &Arc<Count>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Arc::clone(count).into()))
    }

    #[test]
    fn every_wait_is_woken_once_by_a_later_head() {
        let (watch, count) = (HeadWatch::new(head(1)), Arc::new(Count::default()));
        let (mut first, mut second) =
            (pin!(watch.after(Sequence::new(1))), pin!(watch.after(Sequence::new(2))));
        assert_eq!(poll(first.as_mut(), &count), Poll::Pending);
        assert_eq!(poll(first.as_mut(), &count), Poll::Pending);
        assert_eq!(poll(second.as_mut(), &count), Poll::Pending);
        watch.publish(head(1));
        assert_eq!(count.0.load(Ordering::SeqCst), 0, "the head did not move");
        watch.publish(head(2));
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        assert_eq!(poll(first, &count), Poll::Ready(head(2)));
        assert_eq!(poll(second.as_mut(), &count), Poll::Pending);
        watch.publish(head(3));
        assert_eq!(count.0.load(Ordering::SeqCst), 3);
        assert_eq!(poll(second, &count), Poll::Ready(head(3)));
    }

    #[test]
    fn a_wait_that_moves_to_another_task_wakes_that_one() {
        let (watch, before, after) = (HeadWatch::default(), Arc::new(Count::default()), Arc::default());
        let mut wait = pin!(watch.after(Sequence::START));
        assert_eq!(poll(wait.as_mut(), &before), Poll::Pending);
        assert_eq!(poll(wait.as_mut(), &after), Poll::Pending);
        watch.publish(head(1));
        assert_eq!((before.0.load(Ordering::SeqCst), after.0.load(Ordering::SeqCst)), (0, 1));
    }

    #[test]
    fn a_wait_that_is_given_up_leaves_no_waker() {
        let watch = HeadWatch::default();
        for _ in 0..100 {
            let mut wait = Box::pin(watch.after(Sequence::START));
            assert_eq!(poll(wait.as_mut(), &Arc::default()), Poll::Pending);
        }
        assert_eq!(watch.lock().waiting.len(), 0);
    }

    #[test]
    fn an_earlier_head_is_ignored() {
        let watch = HeadWatch::new(head(5));
        watch.publish(head(4));
        assert_eq!(watch.head(), head(5));
    }
}
