//! Several at once. Checks that race run many rounds, each of which begins together: who was woken last
//! from the barrier waits for none, and who was first does not run ahead.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ScopedJoinHandle},
};

/// How many race, which is more than the machine has cores.
pub(crate) const CONTENDERS: usize = 6;
/// How often.
pub(crate) const ROUNDS: usize = 12;

/// What each of `contenders` got, in their order; they begin together.
pub(crate) fn race<T: Send>(contenders: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (start, awake) = (Barrier::new(contenders), AtomicUsize::new(0));
    let contend = |contender| {
        start.wait();
        awake.fetch_add(1, Ordering::SeqCst);
        while awake.load(Ordering::SeqCst) < contenders {
            thread::yield_now();
        }
        run(contender)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..contenders).map(|nth| scope.spawn(move || contend(nth))).collect();
        threads.into_iter().map(joined).collect()
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
