//! What all lives of one history share: the logs, what is to be sent, and what was answered so far.

use crate::desk::{DeskId, MOODS, Mood, Sign, Write};
use factum::{
    App, CommandId, LaneBounds, LaneLayout, LaneMode, Retry, Sleep,
    store::{MemoryStore, Store},
};
use factum_testkit::{Faults, FaultyStore, Life, Process, Scheduler, SeededEntropy};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// No commit of a release lets more commands come again.
pub(super) const RELEASED_MAX: u64 = 4;

/// A command of the script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) number: u64,
    pub(super) desk: u64,
    /// Of the kind that some builds do not know.
    pub(super) sign: bool,
    pub(super) mood: Mood,
    pub(super) way: Way,
}

/// How a command is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Later,
    Now,
    /// Under one id both ways.
    Both,
}

impl Item {
    pub(super) fn write(&self) -> Write {
        Write { desk: DeskId(self.desk), number: self.number, mood: self.mood }
    }

    pub(super) fn sign(&self) -> Sign {
        Sign { desk: DeskId(self.desk), number: self.number, mood: self.mood }
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) scheduler: Scheduler,
    pub(super) events: Arc<MemoryStore>,
    pub(super) commands: Arc<MemoryStore>,
    pub(super) script: Vec<Item>,
    random: SeededEntropy,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// What is still to be sent, in this life.
    queue: VecDeque<usize>,
    /// Items that need not be sent again.
    done: BTreeSet<usize>,
    /// Those that were accepted, and those that were decided at once.
    accepted: BTreeMap<CommandId, usize>,
    executed: BTreeMap<CommandId, usize>,
    senders: usize,
    watchers: usize,
    faults: Faults,
}

impl World {
    pub(super) fn new(scheduler: &Scheduler, seed: u64) -> Self {
        let random = SeededEntropy::new(seed ^ 0x5eed);
        let store = || Arc::new(MemoryStore::with_ports(scheduler.clock().clone(), &random));
        let (events, commands) = (store(), store());
        let below = |bound: u64| random.next_u64() % bound;
        let desks = 1 + below(4);
        let script = (0..5 + below(40)).map(|number| {
            let mut mood = MOODS[usize::try_from(below(MOODS.len() as u64)).unwrap()];
            let way = match below(8) {
                0 => Way::Now,
                1 => Way::Both,
                _ => Way::Later,
            };
            // Decided at once, a defect would be the caller's own.
            if way != Way::Later && mood.may_be_parked() || below(3) > 0 {
                mood = Mood::Once;
            }
            Item { number, desk: below(desks), sign: below(3) == 0, mood, way }
        });
        let (script, scheduler) = (script.collect(), scheduler.clone());
        Self { scheduler, events, commands, script, random, known: Mutex::default() }
    }

    pub(super) fn draw(&self) -> u64 {
        self.random.next_u64()
    }

    pub(super) fn below(&self, bound: u64) -> u64 {
        self.draw() % bound
    }

    pub(super) fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Up to so many milliseconds.
    pub(super) async fn pause(&self, millis: u64) {
        self.scheduler.sleep(Duration::from_millis(self.below(millis + 1))).await;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Of a life: what was not done is to be sent, in order.
    pub(super) fn begin(&self) {
        let mut known = self.known();
        known.queue = (0..self.script.len()).filter(|item| !known.done.contains(item)).collect();
        (known.senders, known.watchers) = (0, 0);
    }

    pub(super) fn next(&self) -> Option<usize> {
        self.known().queue.pop_front()
    }

    pub(super) fn done(&self, item: usize) {
        self.known().done.insert(item);
    }

    /// A command that was sent before, at random.
    pub(super) fn some_done(&self) -> Option<usize> {
        let known = self.known();
        let count = known.done.len() as u64;
        let drawn = (count > 0).then(|| self.below(count))?;
        known.done.iter().nth(usize::try_from(drawn).unwrap()).copied()
    }

    /// Whether it is the first time.
    pub(super) fn accept(&self, id: CommandId, item: usize) -> bool {
        self.known().accepted.insert(id, item).is_none()
    }

    pub(super) fn execute(&self, id: CommandId, item: usize) {
        self.known().executed.insert(id, item);
    }

    pub(super) fn accepted(&self) -> Vec<CommandId> {
        self.known().accepted.keys().copied().collect()
    }

    pub(super) fn executed(&self) -> Vec<CommandId> {
        self.known().executed.keys().copied().collect()
    }

    /// Every command that was answered, with its item.
    pub(super) fn sent(&self) -> BTreeMap<CommandId, usize> {
        let known = self.known();
        known.accepted.iter().chain(&known.executed).map(|(id, item)| (*id, *item)).collect()
    }

    pub(super) fn senders(&self) -> usize {
        self.known().senders
    }

    pub(super) fn add_senders(&self, by: isize) {
        let mut known = self.known();
        known.senders = known.senders.checked_add_signed(by).unwrap();
    }

    pub(super) fn watchers(&self) -> usize {
        self.known().watchers
    }

    pub(super) fn add_watchers(&self, by: isize) {
        let mut known = self.known();
        known.watchers = known.watchers.checked_add_signed(by).unwrap();
    }

    /// What goes wrong in this life.
    pub(super) fn faults(&self) -> Faults {
        self.known().faults
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.known().faults = faults;
    }
}

/// The application as a process starts it, with some layout; `signs`: its build knows both kinds of command.
pub(super) fn app(world: &Arc<World>, life: &Arc<Life>, process: &Process, signs: bool) -> App {
    let faulty = |name, store: &Arc<MemoryStore>| {
        let store: Arc<dyn Store> = store.clone();
        FaultyStore::new(name, store, Arc::clone(life))
    };
    let mode = [LaneMode::ByKey, LaneMode::ByKey, LaneMode::ByCommand, LaneMode::Single];
    let mode = mode[usize::try_from(world.below(4)).unwrap()];
    let count = u16::try_from(1 + world.below(5)).unwrap();
    let attempts_max = if world.one_in(2) { 2 } else { 100 };
    let (queued_max, watermark_every) = (usize::try_from(1 + world.below(20)).unwrap(), 1 + world.below(12));
    let released_max = usize::try_from(1 + world.below(RELEASED_MAX)).unwrap();
    let released_bytes_max = if world.one_in(4) { 200 } else { usize::MAX };
    let app = App::on(faulty("events", &world.events))
        .command_log(faulty("commands", &world.commands))
        .lanes(LaneLayout { mode, count })
        .lane_bounds(LaneBounds { queued_max, watermark_every, released_max, released_bytes_max })
        .retry(Retry { attempts_max, ..Retry::default() })
        .clock(world.scheduler.clock().clone())
        .entropy(Arc::new(SeededEntropy::new(world.draw())))
        .sleep(Arc::new(world.scheduler.clone()))
        .spawn(Arc::new(process.clone()));
    if signs { app.commands::<(Write, Sign)>().start() } else { app.commands::<Write>().start() }
}
