//! The process dies at every operation of a command's life, on either side of it: after a restart each
//! accepted command comes to the outcome that it would have had, once.
//!
//! The steps of that life have names here, and a step that no death met fails the test.

use crate::desk::{DeskId, Mood, Write, deploy};
use factum::{
    Clock, CommandId, CommandPayload, Commit, LaneBounds, LaneLayout, LaneMode, NewCommit, Outcome,
    QueryItem, Sleep, StreamName,
    log::{Log, Options},
    prelude::*,
    store::{MemoryStore, Store},
};
use factum_testkit::{
    Death, Faults, FaultyStore, Intercepted, Life, Point, Process, Scheduler, SeededEntropy,
};
use std::{collections::BTreeMap, future::ready, path::Path, pin::pin, sync::Arc, time::Duration};

/// A step of a command's life at which a process can die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A command is written to the command log.
    Intake,
    /// A layout of the lanes is written.
    Layout,
    /// A lane takes up a command: what it reads before it decides.
    Load,
    /// What was decided is written: events, nothing to do, a rejection.
    Decision,
    Rejection,
    /// A command is about to be parked, and is.
    ParkingMark,
    ParkingCommit,
    /// A command is set aside behind a parked one.
    SetAside,
    /// An operator has a command driven again, or gives it up.
    RedriveMark,
    DiscardMark,
    /// More of what waited comes again, and there is still more; the last of it comes again.
    NextPart,
    LastPart,
    /// A command is given up.
    Failed,
    /// What is done is written down.
    Watermark,
}

use Step::*;
const STEPS: [Step; 14] = [
    Intake,
    Layout,
    Load,
    Decision,
    Rejection,
    ParkingMark,
    ParkingCommit,
    SetAside,
    RedriveMark,
    DiscardMark,
    NextPart,
    LastPart,
    Failed,
    Watermark,
];

impl Step {
    fn of(point: &Point) -> Option<Self> {
        match (point.store, point.operation, &point.commit) {
            ("commands", "append", Some(commit)) => match commit.events[0].event_type.as_str() {
                "factum.lanes-laid-out" => Some(Layout),
                "factum.command-parking" => Some(ParkingMark),
                "factum.command-redriven" => Some(RedriveMark),
                "factum.command-discarded" => Some(DiscardMark),
                "factum.release-resumed" => match commit.events.last()?.event_type.as_str() {
                    "factum.release-held" => Some(NextPart),
                    _ => Some(LastPart),
                },
                _ => Some(Intake),
            },
            ("events", "append", Some(NewCommit { command, outcome, .. })) => match outcome {
                _ if command.name.as_str() == "factum.lanes" => Some(Watermark),
                Outcome::Rejected(_) => Some(Rejection),
                Outcome::Parked { .. } => Some(ParkingCommit),
                Outcome::SetAside { .. } => Some(SetAside),
                Outcome::Failed { .. } => Some(Failed),
                _ => Some(Decision),
            },
            ("events", "read", _) => Some(Load),
            _ => None,
        }
    }
}

const BY_KEY: LaneLayout = LaneLayout { mode: LaneMode::ByKey, count: 3 };
const SINGLE: LaneLayout = LaneLayout { mode: LaneMode::Single, count: 1 };

/// Both logs as the file system, or the memory, keeps them while processes come and go.
enum Logs<'a> {
    Memory(Arc<MemoryStore>, Arc<MemoryStore>),
    Embedded(&'a Path),
}

impl Logs<'_> {
    fn in_memory() -> Self {
        Self::Memory(Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()))
    }

    /// As a process opens them.
    fn open(&self) -> (Arc<dyn Store>, Arc<dyn Store>) {
        match self {
            Self::Memory(events, commands) => (events.clone(), commands.clone()),
            Self::Embedded(dir) => (opened(&dir.join("events")), opened(&dir.join("commands"))),
        }
    }
}

/// A log whose appends end before they are waited for, so that no thread of its own has a say in the order.
fn opened(dir: &Path) -> Arc<dyn Store> {
    let (log, report) = Log::open(dir, Options::default()).unwrap();
    assert_eq!(report.torn, None, "no append was cut short");
    let log = Arc::new(log);
    let at_once = Arc::clone(&log);
    Arc::new(Intercepted::new(log, move |_: &dyn Store, batch| Box::pin(ready(at_once.append(batch)))))
}

/// One process, with the operator before it.
struct Running<'a> {
    scheduler: &'a Scheduler,
    app: App,
    events: Arc<dyn Store>,
    commands: Arc<dyn Store>,
}

impl Running<'_> {
    async fn submit(&self, desk: u64, number: u64, mood: Mood) -> CommandId {
        let command = Write { desk: DeskId(desk), number, mood };
        self.app.submit(command).idempotency_key(format!("k{number}")).await.unwrap().command_id()
    }

    /// Until its commits tell that a command has come so far. The logs are looked at beside the process.
    async fn until(&self, id: CommandId, come: impl Fn(&[Commit]) -> bool) {
        for _ in 0..10_000 {
            if come(&self.events.commits_of(id).await.unwrap()) {
                return;
            }
            self.scheduler.sleep(Duration::from_millis(20)).await;
        }
        panic!("{id} never came to it");
    }

    async fn is_final(&self, id: CommandId) -> bool {
        is_decided(&self.events.commits_of(id).await.unwrap())
    }

    /// How often the command was driven again.
    async fn redriven(&self, desk: u64) -> usize {
        let item = QueryItem::default().stream(StreamName::unchecked(format!("desk-{desk}")));
        let events = self.commands.read(&item.into(), Default::default()).await.unwrap().events;
        events.iter().filter(|event| event.event_type.as_str() == "factum.command-redriven").count()
    }

    /// What is done while the build has defects; again from the start after a death.
    async fn with_defects(&self) {
        let lanes = self.app.lanes().unwrap();
        self.submit(1, 1, Mood::Once).await;
        let stuck = self.submit(1, 2, Mood::Panics).await;
        let behind = self.submit(1, 3, Mood::Once).await;
        let furthest = self.submit(1, 9, Mood::Once).await;
        let refused = self.submit(2, 4, Mood::Refused).await;
        self.submit(2, 5, Mood::Idle).await;
        self.until(furthest, is_set_aside).await;
        self.until(refused, is_decided).await;
        if self.redriven(1).await == 0 {
            lanes.redrive(stuck, "olga").await.unwrap();
        }
        // It is parked again, where it came again; those behind it come again one commit after another.
        for id in [stuck, behind, furthest] {
            self.until(id, |commits| commits.len() >= 2).await;
        }
        let useless = self.submit(3, 6, Mood::Unreadable).await;
        let after = self.submit(3, 7, Mood::Twice).await;
        if !self.is_final(useless).await {
            self.until(useless, is_parked).await;
            if lanes.parked().await.unwrap().iter().any(|parking| parking.command == useless) {
                lanes.discard(useless, "olga", "it is of no use").await.unwrap();
            }
        }
        self.until(after, is_decided).await;
        self.until(useless, is_decided).await;
        self.app.stop().await;
    }

    /// What is done by a build without defects, with another layout.
    async fn without_defects(&self) {
        let stuck = self.submit(1, 2, Mood::Panics).await;
        let last = self.submit(1, 8, Mood::Once).await;
        if self.redriven(1).await == 1 {
            self.until(last, is_set_aside).await;
            self.app.lanes().unwrap().redrive(stuck, "olga").await.unwrap();
        }
        self.until(last, is_decided).await;
        self.app.stop().await;
    }
}

fn is_decided(commits: &[Commit]) -> bool {
    commits.iter().any(|commit| commit.outcome.is_final())
}

fn is_parked(commits: &[Commit]) -> bool {
    commits.last().is_some_and(|commit| matches!(commit.outcome, Outcome::Parked { .. }))
}

fn is_set_aside(commits: &[Commit]) -> bool {
    commits.last().is_some_and(|commit| matches!(commit.outcome, Outcome::SetAside { .. }))
}

/// Both parts, in one process after another; the first one dies at `dies_at`, counted over its operations,
/// or the second one does if the first came to its end. Where it was that one died.
fn play(logs: &Logs<'_>, mut dies_at: Option<u64>) -> Option<Point> {
    let (scheduler, mut died_at) = (Scheduler::new(0), None);
    for with_defects in [true, false] {
        deploy(with_defects);
        loop {
            let life = Life::new(Faults { dies_at, death: Death::Silent, ..Faults::default() }, 0);
            let process = scheduler.process();
            let running = start(logs, &scheduler, &process, &life, with_defects);
            let come = scheduler.run(async {
                let part = pin!(async {
                    if with_defects { running.with_defects().await } else { running.without_defects().await }
                });
                let over = pin!(life.over());
                futures_util::future::select(part, over).await;
                !life.is_over()
            });
            process.kill();
            drop(running);
            if come {
                dies_at = dies_at.map(|at| at.saturating_sub(life.points()));
                break;
            }
            (died_at, dies_at) = (life.died_at(), None);
        }
    }
    died_at
}

fn start<'a>(
    logs: &Logs<'_>,
    scheduler: &'a Scheduler,
    process: &Process,
    life: &Arc<Life>,
    with_defects: bool,
) -> Running<'a> {
    let (events, commands) = logs.open();
    let now = u64::try_from(scheduler.clock().now().as_micros()).unwrap();
    let entropy = SeededEntropy::new(block_on(commands.head()).unwrap().sequence.get() ^ now << 16);
    let app = App::on(FaultyStore::new("events", Arc::clone(&events), Arc::clone(life)))
        .command_log(FaultyStore::new("commands", Arc::clone(&commands), Arc::clone(life)))
        .lanes(if with_defects { BY_KEY } else { SINGLE })
        .lane_bounds(LaneBounds {
            queued_max: 8,
            watermark_every: 2,
            released_max: 1,
            ..LaneBounds::default()
        })
        .clock(scheduler.clock().clone())
        .entropy(Arc::new(entropy))
        .sleep(Arc::new(scheduler.clone()))
        .spawn(Arc::new(process.clone()))
        .commands::<Write>()
        .start();
    Running { scheduler, app, events, commands }
}

/// What both logs hold at the end, in which the deaths must not show: each command with its outcome, and what
/// was written on each desk in order.
fn told(logs: &Logs<'_>) -> String {
    let (events, _) = logs.open();
    block_on(async {
        let mut outcomes = BTreeMap::new();
        for commit in events.commits(Default::default(), usize::MAX).await.unwrap().commits {
            if commit.outcome.is_final() && matches!(commit.payload, CommandPayload::Logged(_)) {
                let told = (commit.outcome.clone(), commit.events.len());
                let before = outcomes.insert(commit.header.command_id, told);
                assert_eq!(before, None, "{commit:?} is a second outcome");
            }
        }
        let written = events.read(&factum::Query::All, Default::default()).await.unwrap().events;
        let mut desks: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in written {
            let text = String::from_utf8(event.payload.to_vec()).unwrap();
            desks.entry(event.stream.to_string()).or_default().push(text);
        }
        format!("{outcomes:#?}\n{desks:#?}")
    })
}

/// Every point of a life, by the number of operations before it; what was told at the end is `expected`.
fn every_death(expected: &str) -> BTreeMap<(Step, bool), u64> {
    let mut met = BTreeMap::new();
    for dies_at in 0.. {
        let logs = Logs::in_memory();
        let Some(point) = play(&logs, Some(dies_at)) else {
            assert!(dies_at > 300, "a life has more operations than {dies_at}");
            return met;
        };
        assert_eq!(told(&logs), expected, "after a death at point {dies_at}, {point:?}");
        if let Some(step) = Step::of(&point) {
            met.entry((step, point.after)).or_insert(dies_at);
        }
    }
    unreachable!("a life comes to its end")
}

#[test]
fn a_death_at_any_operation_loses_nothing_and_repeats_nothing() {
    let logs = Logs::in_memory();
    assert!(play(&logs, None).is_none());
    let expected = told(&logs);
    let met = every_death(&expected);
    for step in STEPS {
        for after in [false, true] {
            assert!(met.contains_key(&(step, after)), "no death {step:?}, after it: {after}");
        }
    }
    // On files each named step once on either side: the logs are opened again as a process finds them.
    for ((step, after), dies_at) in met {
        let dir = tempfile::tempdir().unwrap();
        let logs = Logs::Embedded(dir.path());
        let died_at = play(&logs, Some(dies_at)).expect("it dies there on files as well");
        assert_eq!((Step::of(&died_at), died_at.after), (Some(step), after));
        assert_eq!(told(&logs), expected, "after a death at {step:?}, after it: {after}");
    }
}
