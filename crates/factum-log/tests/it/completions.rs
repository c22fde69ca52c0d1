//! The futures of a group, handed over as one message.

use crate::{
    sim::Sim,
    support::{numbers, options, simple},
};
use factum_log::{Completing, Completions, Log, Options};
use factum_store::Store;
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

const LONG: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn with(deliver: impl Fn(Completions) + Send + Sync + 'static) -> Log {
    let completions = Some(Completing::new(deliver));
    Log::open_on(Sim::default().storage(), Options { completions, ..options(1) }).unwrap().0
}

#[test]
fn a_future_is_woken_where_its_completion_is_delivered_and_not_before() {
    let (send, receive) = mpsc::channel();
    let send = Mutex::new(send);
    let log = with(move |completions| send.lock().unwrap().send(completions).unwrap());
    let (count, mut append) = (Arc::new(Count::default()), pin!(Store::append(&log, vec![simple(1)])));
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    assert!(append.as_mut().poll(&mut context).is_pending());
    let completions = receive.recv_timeout(LONG).unwrap();
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
    completions.deliver();
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    let Poll::Ready(verdicts) = append.as_mut().poll(&mut context) else { panic!("it is delivered") };
    assert!(verdicts[0].is_ok());
}

#[test]
fn completions_that_are_dropped_are_delivered_too() {
    let log = with(drop);
    let verdicts = factum_store::block_on(Store::append(&log, vec![simple(1)]));
    assert!(verdicts[0].is_ok());
}

#[test]
fn callers_who_block_are_no_part_of_what_is_delivered() {
    let log = with(|_| panic!("nobody waits as a future"));
    assert!(log.append(vec![simple(1)])[0].is_ok());
    assert_eq!(numbers(&log), [1]);
}

/// A task that cannot be woken.
struct Broken;

impl Wake for Broken {
    fn wake(self: Arc<Self>) {
        panic!("a waker's own");
    }
}

#[test]
fn a_waker_that_panics_leaves_nobody_else_of_the_group_asleep() {
    let ((send, receive), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel());
    let (send, goes_on) = (Mutex::new(send), Mutex::new(goes_on));
    let log = with(move |completions| {
        send.lock().unwrap().send(completions).unwrap();
        // Whoever asks meanwhile comes into one group.
        let _ = goes_on.lock().unwrap().recv();
    });
    let mut first = pin!(Store::append(&log, vec![simple(1)]));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(receive.recv_timeout(LONG).unwrap());
    let (broken, count) = (Waker::from(Arc::new(Broken)), Arc::new(Count::default()));
    let counting = Waker::from(Arc::clone(&count));
    let mut second = pin!(Store::append(&log, vec![simple(2)]));
    assert!(second.as_mut().poll(&mut Context::from_waker(&broken)).is_pending());
    let mut third = pin!(Store::append(&log, vec![simple(3)]));
    assert!(third.as_mut().poll(&mut Context::from_waker(&counting)).is_pending());
    go_on.send(()).unwrap();
    let both = receive.recv_timeout(LONG).unwrap();
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
    both.deliver();
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    drop(go_on);
}
