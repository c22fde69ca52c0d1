//! The hand-over of the lead, played through: the engine's own `queue.rs` on locks and threads that go through
//! every interleaving of a few callers. A wake-up that is lost leaves nobody to go on, which ends the play.
//!
//! `LOOM_MAX_PREEMPTIONS=3 cargo test --release -p factum-log --test handover` plays more of them.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, unreachable_pub, reason = "the queue is used as a part of the engine does it")]

mod encode;
#[path = "../../src/queue.rs"]
mod queue;
mod sync;

use factum_store::{AppendError, Verdict};
use loom::{
    model::Builder,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use queue::{Done, Queue, Request, Told, Wait, Waiter};
use std::sync::Arc;
use sync::thread;

/// The part of the engine that is played: a queue, and whether somebody leads.
struct Engine {
    queue: Queue,
    is_led: AtomicBool,
    answered: AtomicUsize,
    /// Most commits of a group: of one, so that the lead is handed on; of more, so that several wait for one leader.
    group_commits: usize,
    /// A leader drops what it took, as one that panics does.
    drops: bool,
    /// Requests count for many, after which the log's own thread keeps the lead.
    many: bool,
}

impl Engine {
    fn new(group_commits: usize, drops: bool, many: bool) -> Arc<Self> {
        let (is_led, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
        Arc::new(Self { queue: Queue::new(1000), is_led, answered, group_commits, drops, many })
    }

    /// As `Engine::append_blocking`.
    fn append_blocking(&self) {
        let waiter = Arc::new(Waiter::default());
        if self.queue.push_blocking(request(Done::Caller(Arc::clone(&waiter)))) {
            self.lead();
        }
        loop {
            match waiter.wait() {
                Wait::Done(answer) => return self.is_answered(&answer.verdicts),
                Wait::Lead => self.lead(),
                Wait::Sleep => {}
            }
        }
    }

    /// As an append of a future or with a callback.
    fn submit(self: &Arc<Self>) {
        let this = Arc::clone(self);
        self.queue.push(request(Done::Callback(Box::new(move |verdicts| this.is_answered(&verdicts)))));
    }

    fn is_answered(&self, verdicts: &[Verdict]) {
        assert_eq!(verdicts.len(), 1, "each request is answered in full");
        self.answered.fetch_add(1, Ordering::SeqCst);
    }

    /// As `Engine::lead`.
    fn lead(&self) {
        assert!(!self.is_led.swap(true, Ordering::SeqCst), "two lead at once");
        let requests = self.queue.take(self.group_commits, 1000);
        self.is_led.store(false, Ordering::SeqCst);
        if self.drops {
            drop(requests);
        } else {
            let mut told = Told::default();
            for mut request in requests {
                request.verdicts = vec![Err(verdict())];
                request.complete(&mut told);
            }
            told.wake(None);
        }
        self.queue.hand_over(if self.many { 99 } else { 1 });
    }

    /// As the log's own thread.
    fn run(&self) {
        while self.queue.until_leading() {
            self.lead();
        }
    }

    /// All were answered, nobody leads, and nothing is left.
    fn is_at_rest(&self, answered: usize) {
        assert_eq!(self.answered.load(Ordering::SeqCst), answered);
        assert!(self.queue.take(99, 9999).is_empty());
        let waiter = Arc::new(Waiter::default());
        assert!(self.queue.push_blocking(request(Done::Caller(waiter))), "the lead was handed back");
    }
}

fn verdict() -> AppendError {
    AppendError::Unknown { cause: String::new() }
}

/// One commit that needs no encoding.
fn request(done: Done) -> Request {
    Request::new(vec![Err(verdict())], None, done)
}

/// Plays every interleaving with at most so many switches that nothing asked for, with small groups and larger.
/// Where the log's own thread is played, `many` may be so.
fn play(play: impl Fn(usize, bool) + Send + Sync + Copy + 'static, many: &[bool]) {
    for many in many.iter().copied() {
        for group_commits in [1, 3] {
            let mut builder = Builder::new();
            builder.preemption_bound.get_or_insert(2);
            builder.check(move || play(group_commits, many));
        }
    }
}

fn blocking(engine: &Arc<Engine>) -> thread::JoinHandle<()> {
    let engine = Arc::clone(engine);
    thread::spawn(move || engine.append_blocking())
}

#[test]
fn callers_who_block_are_all_answered_and_one_leads_at_a_time() {
    play(
        |group_commits, many| {
            let engine = Engine::new(group_commits, false, many);
            let others = [blocking(&engine), blocking(&engine)];
            engine.append_blocking();
            others.into_iter().for_each(|other| other.join().unwrap());
            engine.is_at_rest(3);
        },
        &[false],
    );
}

#[test]
fn callers_who_block_and_the_logs_own_thread_hand_the_lead_to_each_other() {
    play(
        |group_commits, many| {
            let engine = Engine::new(group_commits, false, many);
            let writer = {
                let engine = Arc::clone(&engine);
                thread::spawn(move || engine.run())
            };
            let other = blocking(&engine);
            engine.submit();
            engine.append_blocking();
            other.join().unwrap();
            engine.queue.close();
            writer.join().unwrap();
            engine.is_at_rest(3);
        },
        &[false, true],
    );
}

#[test]
fn callers_who_block_are_answered_by_the_logs_own_thread() {
    play(
        |group_commits, many| {
            let engine = Engine::new(group_commits, false, many);
            engine.submit();
            let others = [blocking(&engine), blocking(&engine)];
            let writer = {
                let engine = Arc::clone(&engine);
                thread::spawn(move || engine.run())
            };
            others.into_iter().for_each(|other| other.join().unwrap());
            engine.queue.close();
            writer.join().unwrap();
            engine.is_at_rest(3);
        },
        &[false, true],
    );
}

#[test]
fn what_waits_when_the_log_closes_is_answered_before_its_thread_ends() {
    play(
        |group_commits, many| {
            let engine = Engine::new(group_commits, false, many);
            let writer = {
                let engine = Arc::clone(&engine);
                thread::spawn(move || engine.run())
            };
            engine.submit();
            engine.submit();
            engine.queue.close();
            writer.join().unwrap();
            engine.is_at_rest(2);
        },
        &[false, true],
    );
}

#[test]
fn what_waits_behind_a_caller_who_leads_is_answered_when_the_log_closes() {
    play(
        |group_commits, many| {
            let engine = Engine::new(group_commits, false, many);
            let writer = {
                let engine = Arc::clone(&engine);
                thread::spawn(move || engine.run())
            };
            let leads = blocking(&engine);
            engine.submit();
            engine.queue.close();
            leads.join().unwrap();
            writer.join().unwrap();
            engine.is_at_rest(2);
        },
        &[false, true],
    );
}

#[test]
fn a_leader_that_fails_leaves_nobody_waiting() {
    play(
        |group_commits, many| {
            let engine = Engine::new(group_commits, true, many);
            let others = [blocking(&engine), blocking(&engine)];
            others.into_iter().for_each(|other| other.join().unwrap());
            engine.is_at_rest(2);
        },
        &[false],
    );
}
