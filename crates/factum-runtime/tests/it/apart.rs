//! From where kinds have lanes of their own, what was parked before still holds every kind: others wait behind it.

use crate::desk::{Desk, DeskId, Mood, Sign, Write, deploy};
use factum::{
    App, CommandId, Commit, ErrorKind, LaneBounds, LaneLayout, LaneMode, Outcome, RecordedEvent, Sleep,
    StoreError,
    store::{Append, AppendError, MemoryStore, Store, Verdict},
};
use factum_testkit::{Intercepted, Process, Scheduler};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

const BY_KEY: LaneLayout = LaneLayout { mode: LaneMode::ByKey, count: 2 };
const SINGLE: LaneLayout = LaneLayout { mode: LaneMode::Single, count: 1 };
/// Both kinds have a lane of their own.
const BY_COMMAND: LaneLayout = LaneLayout { mode: LaneMode::ByCommand, count: 2 };
const DESK: u64 = 1;
/// Signatures have numbers from here on.
const SIGNED: u64 = 100;

struct Office {
    scheduler: Scheduler,
    events: Arc<MemoryStore>,
    commands: Arc<MemoryStore>,
    /// While set, nothing is written on any desk but one, so that a lane stands still there.
    elsewhere_is_shut: Arc<AtomicBool>,
    /// While set, no release goes on.
    parts_are_shut: Arc<AtomicBool>,
}

impl Office {
    fn new() -> Self {
        let log = || Arc::new(MemoryStore::new());
        Self {
            scheduler: Scheduler::new(0),
            events: log(),
            commands: log(),
            elsewhere_is_shut: Arc::default(),
            parts_are_shut: Arc::default(),
        }
    }

    /// Builds have defects until told otherwise.
    fn run(&self, play: impl AsyncFnOnce(&Self)) {
        deploy(true);
        self.scheduler.run(play(self));
    }

    /// Once the layout is written: what is sent from then on falls under it.
    async fn start(&self, layout: LaneLayout) -> (App, Process) {
        let process = self.scheduler.process();
        let is_elsewhere = |first: &Append| {
            first.commit.events.first().is_some_and(|event| event.stream.as_str() != format!("desk-{DESK}"))
        };
        let is_part = |first: &Append| first.commit.events[0].event_type.as_str() == "factum.release-resumed";
        let app = App::on(shut_to(&self.events, &self.elsewhere_is_shut, is_elsewhere))
            .command_log(shut_to(&self.commands, &self.parts_are_shut, is_part))
            .lanes(layout)
            .lane_bounds(LaneBounds { watermark_every: 1, released_max: 2, ..LaneBounds::default() })
            .clock(self.scheduler.clock().clone())
            .sleep(Arc::new(self.scheduler.clone()))
            .spawn(Arc::new(process.clone()))
            .commands::<(Write, Sign)>()
            .start();
        for _ in 0..10_000 {
            if app.lanes().unwrap().load().await.is_ok() {
                return (app, process);
            }
            self.scheduler.sleep(Duration::from_millis(20)).await;
        }
        panic!("the lanes never began");
    }

    async fn commits(&self, id: CommandId) -> Vec<Commit> {
        self.events.commits_of(id).await.unwrap()
    }

    async fn until(&self, id: CommandId, come: impl Fn(&[Commit]) -> bool) {
        for _ in 0..10_000 {
            if come(&self.commits(id).await) {
                return;
            }
            self.scheduler.sleep(Duration::from_millis(20)).await;
        }
        panic!("{id} never came to it");
    }

    async fn is_set_aside(&self, id: CommandId, behind: CommandId) {
        self.until(id, |commits| !commits.is_empty()).await;
        assert_eq!(self.commits(id).await.last().unwrap().outcome, Outcome::SetAside { behind });
    }

    /// How often a lane came to a command.
    async fn times(&self, id: CommandId) -> usize {
        self.commits(id).await.len()
    }

    /// The numbers that were written or signed on the desk, in order.
    async fn done(&self) -> Vec<u64> {
        let events = self.events.read(&factum::Query::All, Default::default()).await.unwrap().events;
        let of_desk = events.iter().filter(|event| event.stream.as_str() == format!("desk-{DESK}"));
        let number = |event: &RecordedEvent| {
            serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap()["number"].as_u64().unwrap()
        };
        of_desk.map(number).collect()
    }

    async fn signed(&self) -> Vec<u64> {
        self.done().await.into_iter().filter(|number| *number >= SIGNED).collect()
    }
}

/// A log that takes nothing in of what `concerns` tells, while it is shut.
fn shut_to(
    log: &Arc<MemoryStore>,
    is_shut: &Arc<AtomicBool>,
    concerns: impl Fn(&Append) -> bool + Send + Sync + 'static,
) -> Arc<dyn Store> {
    let is_shut = Arc::clone(is_shut);
    Arc::new(Intercepted::new(log.clone(), move |store: &dyn Store, batch| {
        if is_shut.load(SeqCst) && concerns(&batch[0]) {
            let refused: Verdict = Err(AppendError::Store(StoreError::new(ErrorKind::Retry, "it is shut")));
            return Box::pin(async move { vec![refused] });
        }
        store.append(batch)
    }))
}

async fn write(app: &App, number: u64, mood: Mood) -> CommandId {
    app.submit(Write { desk: DeskId(DESK), number, mood }).await.unwrap().command_id()
}

async fn sign(app: &App, desk: u64, number: u64) -> CommandId {
    app.submit(Sign { desk: DeskId(desk), number, mood: Mood::Once }).await.unwrap().command_id()
}

fn is_decided(commits: &[Commit]) -> bool {
    commits.iter().any(|commit| commit.outcome.is_final())
}

fn is_parked(commits: &[Commit]) -> bool {
    commits.last().is_some_and(|commit| matches!(commit.outcome, Outcome::Parked { .. }))
}

#[test]
fn what_was_set_aside_before_the_kinds_had_lanes_of_their_own_is_not_overtaken_by_its_kind_after() {
    let apart_before = LaneLayout { count: 5, ..BY_COMMAND };
    for (parked_under, held_under) in
        [(BY_KEY, BY_KEY), (SINGLE, SINGLE), (apart_before, BY_KEY), (apart_before, SINGLE)]
    {
        Office::new().run(async |office| {
            let (app, _) = office.start(parked_under).await;
            let stuck = write(&app, 0, Mood::Panics).await;
            office.until(stuck, is_parked).await;
            app.stop().await;
            let (app, _) = office.start(held_under).await;
            office.is_set_aside(sign(&app, DESK, SIGNED).await, stuck).await;
            app.stop().await;
            let (app, _) = office.start(BY_COMMAND).await;
            office.is_set_aside(sign(&app, DESK, SIGNED + 1).await, stuck).await;
            app.stop().await;
            // Nor after another change that leaves the kinds apart.
            let (app, _) = office.start(LaneLayout { count: 3, ..BY_COMMAND }).await;
            office.is_set_aside(sign(&app, DESK, SIGNED + 2).await, stuck).await;
            let behind = write(&app, 1, Mood::Once).await;
            office.is_set_aside(behind, stuck).await;

            // Parked again where kinds are apart, it holds its own.
            app.lanes().unwrap().redrive(stuck, "olga").await.unwrap();
            office.until(behind, |commits| commits.len() == 2).await;
            let last = sign(&app, DESK, SIGNED + 3).await;
            office.until(last, is_decided).await;
            assert_eq!(office.done().await, [SIGNED, SIGNED + 1, SIGNED + 2, SIGNED + 3]);
            deploy(false);
            app.lanes().unwrap().redrive(stuck, "olga").await.unwrap();
            office.until(behind, is_decided).await;
            assert_eq!(office.done().await[4..], [0, 1]);
            app.stop().await;
        });
    }
}

#[test]
fn what_was_parked_while_kinds_are_apart_holds_its_own_kind() {
    Office::new().run(async |office| {
        let (app, _) = office.start(BY_COMMAND).await;
        let stuck = write(&app, 0, Mood::Panics).await;
        office.until(stuck, is_parked).await;
        office.is_set_aside(write(&app, 1, Mood::Once).await, stuck).await;
        office.until(sign(&app, DESK, SIGNED).await, is_decided).await;
        app.stop().await;
        // Where they are not any more, it holds all that comes, as do those that are parked then.
        let (app, _) = office.start(BY_KEY).await;
        office.is_set_aside(sign(&app, DESK, SIGNED + 1).await, stuck).await;
        app.stop().await;
    });
}

/// A release is passed by the lane of the released command, and other lanes stand before it.
#[test]
fn a_lane_is_held_up_to_the_release_and_not_after_it() {
    for (dies, is_parked_again) in [(false, false), (true, false), (false, true), (true, true)] {
        Office::new().run(async |office| {
            let (app, _) = office.start(BY_KEY).await;
            let stuck = write(&app, 0, Mood::Panics).await;
            let first = sign(&app, DESK, SIGNED).await;
            office.is_set_aside(first, stuck).await;
            app.stop().await;
            let (mut app, process) = office.start(BY_COMMAND).await;
            office.elsewhere_is_shut.store(true, SeqCst);
            sign(&app, DESK + 1, SIGNED).await;
            let before = sign(&app, DESK, SIGNED + 1).await;
            deploy(is_parked_again);
            app.lanes().unwrap().redrive(stuck, "olga").await.unwrap();
            office.until(stuck, |commits| commits.len() == 2).await;
            let after = sign(&app, DESK, SIGNED + 2).await;
            assert_eq!(office.times(before).await, 0, "its lane stands still");
            if dies {
                process.kill();
                app = office.start(BY_COMMAND).await.0;
            }
            office.elsewhere_is_shut.store(false, SeqCst);
            office.until(after, is_decided).await;
            assert_eq!(office.signed().await, [SIGNED, SIGNED + 1, SIGNED + 2]);
            // Each where it stood and where it came again; the last was not held.
            assert_eq!((office.times(before).await, office.times(after).await), (2, 1));
            assert_eq!(is_parked(&office.commits(stuck).await), is_parked_again);
            app.stop().await;
        });
    }
}

#[test]
fn a_release_that_goes_on_holds_what_the_released_command_held() {
    for (parked_under, holds_every_kind) in [(BY_KEY, true), (BY_COMMAND, false)] {
        Office::new().run(async |office| {
            // Kinds were not always apart.
            office.start(BY_KEY).await.0.stop().await;
            let (app, _) = office.start(parked_under).await;
            let stuck = write(&app, 0, Mood::Panics).await;
            office.until(stuck, is_parked).await;
            let mut behind = Vec::new();
            for number in 1..=3 {
                behind.push(write(&app, number, Mood::Once).await);
            }
            office.is_set_aside(behind[2], stuck).await;
            let first = sign(&app, DESK, SIGNED).await;
            office.until(first, |commits| !commits.is_empty()).await;
            app.stop().await;
            let (app, process) = office.start(BY_COMMAND).await;
            office.parts_are_shut.store(true, SeqCst);
            deploy(false);
            assert!(app.lanes().unwrap().redrive(stuck, "olga").await.unwrap().more);
            office.until(behind[1], is_decided).await;
            let late = sign(&app, DESK, SIGNED + 1).await;
            office.until(late, |commits| !commits.is_empty()).await;
            assert_eq!(is_decided(&office.commits(late).await), !holds_every_kind);
            process.kill();
            let (app, _) = office.start(BY_COMMAND).await;
            let later = sign(&app, DESK, SIGNED + 2).await;
            office.until(later, |commits| !commits.is_empty()).await;
            assert_eq!(is_decided(&office.commits(later).await), !holds_every_kind);
            office.parts_are_shut.store(false, SeqCst);
            for id in [behind[2], first, late, later] {
                office.until(id, is_decided).await;
            }
            let last = sign(&app, DESK, SIGNED + 3).await;
            office.until(last, is_decided).await;
            assert_eq!(office.signed().await, [SIGNED, SIGNED + 1, SIGNED + 2, SIGNED + 3]);
            assert_eq!(office.times(last).await, 1, "it was not held");
            app.stop().await;
        });
    }
}

/// The released command's own lane has come to the end of it, and other lanes stand in the middle.
#[test]
fn a_lane_that_stands_in_the_middle_of_a_release_is_held_after_a_restart_too() {
    Office::new().run(async |office| {
        let (app, _) = office.start(BY_KEY).await;
        let stuck = write(&app, 0, Mood::Panics).await;
        office.until(stuck, is_parked).await;
        let mut behind = Vec::new();
        for number in 1..=3 {
            behind.push(write(&app, number, Mood::Once).await);
        }
        office.is_set_aside(sign(&app, DESK, SIGNED).await, stuck).await;
        app.stop().await;
        let (app, process) = office.start(BY_COMMAND).await;
        office.parts_are_shut.store(true, SeqCst);
        office.elsewhere_is_shut.store(true, SeqCst);
        deploy(false);
        assert!(app.lanes().unwrap().redrive(stuck, "olga").await.unwrap().more);
        office.until(behind[1], is_decided).await;
        sign(&app, DESK + 1, SIGNED).await;
        let middle = sign(&app, DESK, SIGNED + 1).await;
        office.parts_are_shut.store(false, SeqCst);
        office.until(behind[2], is_decided).await;
        assert_eq!(office.times(middle).await, 0, "its lane stands still");
        process.kill();
        let (app, _) = office.start(BY_COMMAND).await;
        office.elsewhere_is_shut.store(false, SeqCst);
        office.until(middle, is_decided).await;
        assert_eq!(office.signed().await, [SIGNED, SIGNED + 1]);
        assert_eq!(office.times(middle).await, 2, "where it stood, and where it came again");
        app.stop().await;
    });
}

#[test]
fn what_one_kind_still_has_before_it_is_waited_for_when_kinds_are_to_be_apart_no_more() {
    Office::new().run(async |office| {
        let (app, process) = office.start(BY_COMMAND).await;
        office.elsewhere_is_shut.store(true, SeqCst);
        sign(&app, DESK + 1, SIGNED).await;
        let open = sign(&app, DESK, SIGNED).await;
        office.until(write(&app, 0, Mood::Once).await, is_decided).await;
        process.kill();
        let (app, _) = office.start(BY_KEY).await;
        let key = DeskId(DESK);
        assert!(app.pending::<Desk>(&key).await.unwrap());
        assert!(!app.settled::<Desk>(&key, Duration::from_secs(9)).await.unwrap());
        office.elsewhere_is_shut.store(false, SeqCst);
        assert!(app.settled::<Desk>(&key, Duration::MAX).await.unwrap());
        assert!(is_decided(&office.commits(open).await));
        assert!(!app.pending::<Desk>(&key).await.unwrap());
        app.stop().await;
    });
}
