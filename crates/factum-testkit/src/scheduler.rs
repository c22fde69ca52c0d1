//! Runs tasks one poll at a time, in an order that follows from a seed, on a clock of its own. No threads.
//!
//! When nothing is ready the time moves to the next timer; when there is no timer either, somebody waits for a
//! wake that never comes, which is a defect and ends the run.

use crate::{SeededEntropy, VirtualClock};
use factum::{Clock, Sleep, Spawn, Timestamp, store::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

/// A run that takes more polls goes round in circles.
const POLLS_MAX: u64 = 20_000_000;
/// Once in so many polls a timer ends although something is ready: a pause is never a promise about others.
const TIMER_FIRST_ONE_IN: u64 = 32;
/// Only one that ends this soon: who waits an hour sees what others do in an hour.
const TIMER_FIRST_WITHIN: Duration = Duration::from_secs(1);
/// The number of the future that [`Scheduler::run`] was given.
const MAIN: u64 = 0;

/// A seeded scheduler. Clones are the same one.
///
/// ```
/// use factum::{Clock, Sleep, Spawn};
/// use factum_testkit::Scheduler;
/// use std::time::Duration;
/// let scheduler = Scheduler::new(7);
/// let (process, beside) = (scheduler.process(), scheduler.clone());
/// process.spawn(Box::pin(async move { beside.sleep(Duration::from_secs(3600)).await }));
/// scheduler.run(scheduler.sleep(Duration::from_secs(7200)));
/// assert_eq!(scheduler.clock().now().as_micros(), 7_200_000_000);
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Arc<VirtualClock>,
    random: SeededEntropy,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// A task that is being polled is not in its place.
    tasks: BTreeMap<u64, (u64, Option<BoxFuture<'static, ()>>)>,
    ready: BTreeSet<u64>,
    timers: BTreeMap<(Timestamp, u64), Waker>,
    /// Tasks, processes and timers are numbered in one sequence.
    numbers: u64,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("tasks", &self.tasks.len()).field("ready", &self.ready).finish()
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

/// Tasks that die together, as those of a process do.
#[derive(Clone, Debug)]
pub struct Process {
    scheduler: Scheduler,
    number: u64,
}

struct Ready {
    shared: Arc<Shared>,
    task: u64,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.shared.lock().ready.insert(self.task);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheduler {
    /// Its order follows from `seed`; its clock stands at the epoch.
    pub fn new(seed: u64) -> Self {
        let (clock, random) = (Arc::new(VirtualClock::default()), SeededEntropy::new(seed));
        Self(Arc::new(Shared { clock, random, state: Mutex::default() }))
    }

    /// Its clock, which stands still while anything is ready.
    pub fn clock(&self) -> &Arc<VirtualClock> {
        &self.0.clock
    }

    /// A process without tasks.
    pub fn process(&self) -> Process {
        Process { scheduler: self.clone(), number: self.0.lock().number() }
    }

    /// Runs `main` to its end, and all tasks beside it as far as they come.
    ///
    /// # Panics
    /// When nothing can go on, or nothing ends.
    pub fn run<F: Future>(&self, main: F) -> F::Output {
        let mut main = pin!(main);
        self.0.lock().ready.insert(MAIN);
        for _ in 0..POLLS_MAX {
            let task = self.next();
            let waker = Waker::from(Arc::new(Ready { shared: Arc::clone(&self.0), task }));
            let mut context = Context::from_waker(&waker);
            if task == MAIN {
                if let Poll::Ready(output) = main.as_mut().poll(&mut context) {
                    return output;
                }
            } else {
                self.poll(task, &mut context);
            }
        }
        panic!("after {POLLS_MAX} polls it still goes on: something goes round in circles");
    }

    /// The task to poll next.
    fn next(&self) -> u64 {
        loop {
            let mut state = self.0.lock();
            let idle = state.ready.is_empty();
            let first = state.timers.first_key_value().map(|(key, _)| *key);
            let soon = self.0.clock.now().plus(TIMER_FIRST_WITHIN);
            if let Some((at, _)) = first
                && (idle || at <= soon && self.0.random.next_u64().is_multiple_of(TIMER_FIRST_ONE_IN))
                && let Some((_, waker)) = state.timers.pop_first()
            {
                drop(state);
                self.0.clock.set(at.max(self.0.clock.now()));
                waker.wake();
                continue;
            }
            assert!(
                !idle,
                "nothing can go on: {} tasks wait for a wake that never comes",
                state.tasks.len() + 1
            );
            let drawn = self.0.random.next_u64() % state.ready.len() as u64;
            let drawn = usize::try_from(drawn).expect("it is below a usize");
            let task = *state.ready.iter().nth(drawn).expect("it is below the length");
            state.ready.remove(&task);
            return task;
        }
    }

    fn poll(&self, task: u64, context: &mut Context<'_>) {
        // One that has ended, or was killed, may still be woken.
        let Some(mut future) = self.0.lock().tasks.get_mut(&task).and_then(|(_, future)| future.take())
        else {
            return;
        };
        let ended = future.as_mut().poll(context).is_ready();
        let mut state = self.0.lock();
        if ended {
            state.tasks.remove(&task);
        } else if let Some((_, place)) = state.tasks.get_mut(&task) {
            *place = Some(future);
            return;
        }
        // What it drops may wake others.
        drop(state);
        drop(future);
    }
}

impl Process {
    /// Ends all its tasks where they are, as SIGKILL does.
    pub fn kill(&self) {
        let killed: Vec<_> = {
            let mut state = self.scheduler.0.lock();
            let own: Vec<_> = state.tasks.iter().filter(|(_, task)| task.0 == self.number).collect();
            let own: Vec<u64> = own.into_iter().map(|(task, _)| *task).collect();
            own.into_iter().filter_map(|task| state.tasks.remove(&task)).collect()
        };
        // What they drop may wake others.
        drop(killed);
    }

    /// How many of its tasks have not ended.
    pub fn tasks(&self) -> usize {
        self.scheduler.0.lock().tasks.values().filter(|task| task.0 == self.number).count()
    }
}

impl Spawn for Process {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        let mut state = self.scheduler.0.lock();
        let number = state.number();
        state.tasks.insert(number, (self.number, Some(task)));
        state.ready.insert(number);
    }
}

impl Sleep for Scheduler {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let timer = Timer { shared: Arc::clone(&self.0), key: None };
        let at = self.0.clock.now().plus(duration);
        Box::pin(async move {
            let mut timer = timer;
            poll_fn(|context| timer.poll(at, context.waker())).await;
        })
    }
}

/// A timer that is forgotten when it is dropped.
struct Timer {
    shared: Arc<Shared>,
    key: Option<(Timestamp, u64)>,
}

impl Timer {
    fn poll(&mut self, at: Timestamp, waker: &Waker) -> Poll<()> {
        let mut state = self.shared.lock();
        match self.key {
            Some(key) => match state.timers.get_mut(&key) {
                Some(known) => known.clone_from(waker),
                None => return Poll::Ready(()),
            },
            None => {
                let key = (at, state.number());
                state.timers.insert(key, waker.clone());
                self.key = Some(key);
            }
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared.lock().timers.remove(&key);
        }
    }
}

/// Lets others go first, once.
pub(crate) async fn step_aside() {
    let mut stepped = false;
    poll_fn(|context| {
        if std::mem::replace(&mut stepped, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order in which some tasks come by, each several times.
    fn order(seed: u64) -> Vec<u64> {
        let (scheduler, came) = (Scheduler::new(seed), Arc::new(Mutex::new(Vec::new())));
        let process = scheduler.process();
        for task in 0..5 {
            let came = Arc::clone(&came);
            process.spawn(Box::pin(async move {
                for _ in 0..4 {
                    came.lock().unwrap().push(task);
                    step_aside().await;
                }
            }));
        }
        scheduler.run(scheduler.sleep(Duration::from_secs(60)));
        assert_eq!(process.tasks(), 0);
        came.lock().unwrap().clone()
    }

    #[test]
    fn the_order_follows_from_the_seed() {
        assert_eq!(order(1), order(1));
        assert!((2..6).any(|seed| order(seed) != order(1)));
    }

    #[test]
    #[should_panic(expected = "nothing can go on: 2 tasks wait")]
    fn a_wake_that_never_comes_ends_the_run() {
        let scheduler = Scheduler::new(0);
        scheduler.process().spawn(Box::pin(std::future::pending()));
        scheduler.run(std::future::pending::<()>());
    }

    #[test]
    fn who_is_killed_is_dropped_where_it_is_and_others_go_on() {
        let (scheduler, alive) = (Scheduler::new(0), Arc::new(()));
        let (killed, other) = (scheduler.process(), scheduler.process());
        for process in [&killed, &other] {
            let (clock, alive) = (scheduler.clone(), Arc::clone(&alive));
            process.spawn(Box::pin(async move {
                clock.sleep(Duration::from_secs(60)).await;
                drop(alive);
            }));
        }
        scheduler.run(async {
            scheduler.sleep(Duration::from_secs(1)).await;
            killed.kill();
            assert_eq!((killed.tasks(), other.tasks(), Arc::strong_count(&alive)), (0, 1, 2));
            scheduler.sleep(Duration::from_secs(60)).await;
            assert_eq!((other.tasks(), Arc::strong_count(&alive)), (0, 1));
        });
    }
}
