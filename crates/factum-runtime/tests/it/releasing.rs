//! A release of more than one commit holds: it comes in parts, and nobody can tell but by looking at them.

use crate::desk::{Desk, DeskId, Mood, Write, deploy};
use factum::{
    App, CommandId, CommandName, CommandPayload, CommandRecord, Commit, Condition, ErrorKind, EventType,
    LaneBounds, LaneLayout, NewCommit, NewEvent, OperateError, Outcome, RecordedEvent, Sleep, Status,
    StoreError, StreamName, Timestamp, WAITING_MAX,
    limits::EVENTS_PER_COMMIT_MAX,
    log::{Log, Options},
    store::{Append, AppendError, MemoryStore, Store},
};
use factum_testkit::{Intercepted, Process, Scheduler};
use std::{
    future::{pending, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

const DESK: DeskId = DeskId(1);

struct Office {
    scheduler: Scheduler,
    process: Process,
    events: Arc<dyn Store>,
    commands: Arc<dyn Store>,
}

impl Office {
    fn new() -> Self {
        Self::with(Arc::new(MemoryStore::new()))
    }

    fn with(commands: Arc<dyn Store>) -> Self {
        let scheduler = Scheduler::new(0);
        let process = scheduler.process();
        Self { scheduler, process, events: Arc::new(MemoryStore::new()), commands }
    }

    fn start(&self, commands: &Arc<dyn Store>, bounds: LaneBounds) -> App {
        App::on(self.events.clone())
            .command_log(commands.clone())
            .lanes(LaneLayout { count: 1, ..LaneLayout::default() })
            .lane_bounds(bounds)
            .clock(self.scheduler.clock().clone())
            .sleep(Arc::new(self.scheduler.clone()))
            .spawn(Arc::new(self.process.clone()))
            .commands::<Write>()
            .start()
    }

    async fn until(&self, id: CommandId, come: impl Fn(&[Commit]) -> bool) {
        for _ in 0..10_000 {
            if come(&self.events.commits_of(id).await.unwrap()) {
                return;
            }
            self.scheduler.sleep(Duration::from_millis(20)).await;
        }
        panic!("{id} never came to it");
    }

    /// A parked command, and so many behind it, all set aside.
    async fn parked(&self, app: &App, behind: u64) -> Vec<CommandId> {
        deploy(true);
        let mut ids = vec![submit(app, 0, Mood::Panics).await];
        for number in 1..=behind {
            ids.push(submit(app, number, Mood::Once).await);
        }
        self.until(*ids.last().unwrap(), |commits| !commits.is_empty()).await;
        ids
    }

    /// The numbers that were written, in order.
    async fn written(&self) -> Vec<u64> {
        let events = self.events.read(&factum::Query::All, Default::default()).await.unwrap().events;
        let number = |event: &RecordedEvent| {
            serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap()["number"].as_u64().unwrap()
        };
        events.iter().map(number).collect()
    }

    /// How many commands came again, commit by commit.
    async fn parts(&self) -> Vec<usize> {
        let commits = self.commands.commits(Default::default(), usize::MAX).await.unwrap().commits;
        let again = |commit: &Commit| commit.events.iter().filter(|event| event.corrects.is_some()).count();
        commits.iter().map(again).filter(|again| *again > 0).collect()
    }
}

async fn submit(app: &App, number: u64, mood: Mood) -> CommandId {
    app.submit(Write { desk: DESK, number, mood }).await.unwrap().command_id()
}

fn bounds(released_max: usize) -> LaneBounds {
    LaneBounds { released_max, ..LaneBounds::default() }
}

fn is_decided(commits: &[Commit]) -> bool {
    commits.iter().any(|commit| commit.outcome.is_final())
}

/// Whether it is the part after another one, and whether more is to come after it.
fn part(batch: &[Append]) -> Option<bool> {
    let events = &batch[0].commit.events;
    let goes_on = events.last()?.event_type.as_str() == "factum.release-held";
    (events[0].event_type.as_str() == "factum.release-resumed").then_some(goes_on)
}

/// A log that takes in no part of a release after the first, while it is shut.
fn shut(inner: &Arc<dyn Store>) -> (Arc<AtomicBool>, Arc<dyn Store>) {
    let is_shut = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&is_shut);
    let store = Intercepted::new(inner.clone(), move |store: &dyn Store, batch| {
        if told.load(SeqCst) && part(&batch).is_some() {
            let cause = StoreError::new(ErrorKind::Retry, "there is no room");
            return Box::pin(async move { vec![Err(AppendError::Store(cause))] });
        }
        store.append(batch)
    });
    (is_shut, Arc::new(store))
}

#[test]
fn more_than_one_commit_holds_comes_again_in_parts_and_in_order() {
    for (wanted, expected) in [
        (bounds(3), [4, 3, 3, 1]),
        (bounds(0), [2, 1, 1, 1]),
        (LaneBounds { released_bytes_max: 0, ..LaneBounds::default() }, [2, 1, 1, 1]),
    ] {
        let office = Office::new();
        office.scheduler.run(async {
            let app = office.start(&office.commands, wanted);
            let mut ids = office.parked(&app, 10).await;
            let lanes = app.lanes().unwrap();
            let listed = lanes.parked().await.unwrap();
            assert_eq!((listed[0].command, &*listed[0].waiting), (ids[0], &ids[1..]), "{wanted:?}");
            deploy(false);
            let released = lanes.redrive(ids[0], "olga").await.unwrap();
            assert_eq!((&*released.waiting, released.more), (&ids[1..expected[0]], true));
            for number in 11..15 {
                ids.push(submit(&app, number, Mood::Once).await);
            }
            for id in ids {
                assert_eq!(lanes.outcome(id).await.unwrap().status, Status::Succeeded);
            }
            assert_eq!(office.written().await, (0..15).collect::<Vec<_>>());
            let parts = office.parts().await;
            assert!(parts.len() > 3 && parts.iter().skip(1).all(|part| *part <= expected[1]), "{parts:?}");
            assert_eq!(parts[0], expected[0]);
            assert_eq!(lanes.parked().await.unwrap(), []);
            app.stop().await;
        });
    }
}

#[test]
fn of_many_that_wait_the_first_are_listed() {
    let office = Office::new();
    office.scheduler.run(async {
        let app = office.start(&office.commands, LaneBounds::default());
        let many = u64::try_from(WAITING_MAX).unwrap();
        let mut ids = office.parked(&app, many).await;
        let listed = app.lanes().unwrap().parked().await.unwrap();
        assert_eq!((&*listed[0].waiting, listed[0].more), (&ids[1..], false));
        ids.push(submit(&app, many + 1, Mood::Once).await);
        let listed = app.lanes().unwrap().parked().await.unwrap();
        assert_eq!((&*listed[0].waiting, listed[0].more), (&ids[1..=WAITING_MAX], true));
        app.stop().await;
    });
}

#[test]
fn what_comes_in_while_a_release_goes_on_waits_and_so_does_a_reader() {
    let office = Office::new();
    let (is_shut, commands) = shut(&office.commands);
    office.scheduler.run(async {
        let app = office.start(&commands, bounds(2));
        let ids = office.parked(&app, 5).await;
        deploy(false);
        app.lanes().unwrap().redrive(ids[0], "olga").await.unwrap();
        office.until(ids[2], is_decided).await;
        assert!(app.pending::<Desk>(&DESK).await.unwrap(), "some are still to come again");
        assert!(!app.settled::<Desk>(&DESK, Duration::from_secs(9)).await.unwrap());
        let late = submit(&app, 6, Mood::Once).await;
        office.scheduler.sleep(Duration::from_secs(9)).await;
        assert!(!is_decided(&office.events.commits_of(late).await.unwrap()), "it would overtake");
        is_shut.store(false, SeqCst);
        assert!(app.settled::<Desk>(&DESK, Duration::MAX).await.unwrap());
        assert_eq!(office.written().await, (0..=6).collect::<Vec<_>>());
        assert!(!app.pending::<Desk>(&DESK).await.unwrap());
        app.stop().await;
    });
}

#[test]
fn a_key_is_not_released_again_while_a_release_of_it_goes_on() {
    let office = Office::new();
    let (is_shut, commands) = shut(&office.commands);
    office.scheduler.run(async {
        let app = office.start(&commands, bounds(2));
        let ids = office.parked(&app, 5).await;
        let lanes = app.lanes().unwrap();
        // It is parked again.
        lanes.redrive(ids[0], "olga").await.unwrap();
        office.until(ids[2], |commits| commits.len() == 2).await;
        let listed = lanes.parked().await.unwrap();
        assert_eq!((&*listed[0].waiting, listed[0].more), (&ids[1..3], true), "more is to come");
        let refused = lanes.discard(ids[0], "olga", "it is of no use").await.unwrap_err();
        assert_eq!(refused, OperateError::Conflict { command: ids[0] });
        is_shut.store(false, SeqCst);
        office.until(ids[5], |commits| commits.len() == 2).await;
        deploy(false);
        lanes.discard(ids[0], "olga", "it is of no use").await.unwrap();
        office.until(ids[5], is_decided).await;
        assert_eq!(office.written().await, [1, 2, 3, 4, 5]);
        app.stop().await;
    });
}

#[test]
fn a_restart_between_two_parts_holds_the_key() {
    let office = Office::new();
    let (is_shut, commands) = shut(&office.commands);
    let last = Arc::new(Mutex::new(None));
    let told = Arc::clone(&last);
    // The process comes as far as this command, and no further.
    let events = Intercepted::new(office.events.clone(), move |store: &dyn Store, batch| {
        if *told.lock().unwrap() == Some(batch[0].commit.command.id) {
            return Box::pin(pending());
        }
        store.append(batch)
    });
    let scheduler = office.scheduler.clone();
    let process = scheduler.process();
    let dying =
        Office { scheduler, process, events: Arc::new(events), commands: Arc::clone(&office.commands) };
    office.scheduler.run(async {
        let app = dying.start(&commands, bounds(2));
        let ids = dying.parked(&app, 5).await;
        deploy(false);
        app.lanes().unwrap().redrive(ids[0], "olga").await.unwrap();
        dying.until(ids[2], is_decided).await;
        let other = Write { desk: DeskId(2), number: 100, mood: Mood::Once };
        let other = app.submit(other).await.unwrap().command_id();
        *last.lock().unwrap() = Some(submit(&app, 6, Mood::Once).await);
        is_shut.store(false, SeqCst);
        dying.until(other, is_decided).await;
        dying.process.kill();
        let app = office.start(&office.commands, bounds(2));
        assert!(app.settled::<Desk>(&DESK, Duration::MAX).await.unwrap());
        assert_eq!(office.written().await, [0, 1, 2, 100, 3, 4, 5, 6]);
        app.stop().await;
    });
}

#[test]
fn a_release_that_is_read_before_its_lane_knows_what_it_parked_counts() {
    let office = Office::new();
    office.scheduler.run(async {
        let beside = office.start(&office.commands, LaneBounds::default());
        beside.stop().await;
        let (operator, scheduler) = (beside, office.scheduler.clone());
        let events = Intercepted::new(office.events.clone(), move |store: &dyn Store, batch| {
            let commit = &batch[0].commit;
            let parks = matches!(commit.outcome, Outcome::Parked { .. }).then_some(commit.command.id);
            let (operator, scheduler) = (operator.clone(), scheduler.clone());
            Box::pin(async move {
                let verdicts = store.append(batch).await;
                if let Some(command) = parks {
                    deploy(false);
                    operator.lanes().unwrap().redrive(command, "olga").await.unwrap();
                    // The driver reads on meanwhile.
                    scheduler.sleep(Duration::from_secs(9)).await;
                }
                verdicts
            })
        });
        let (scheduler, process) = (office.scheduler.clone(), office.scheduler.process());
        let office =
            Office { scheduler, process, events: Arc::new(events), commands: office.commands.clone() };
        let app = office.start(&office.commands, LaneBounds::default());
        deploy(true);
        let stuck = submit(&app, 0, Mood::Panics).await;
        office.until(stuck, is_decided).await;
        assert!(app.settled::<Desk>(&DESK, Duration::MAX).await.unwrap());
        assert_eq!(app.lanes().unwrap().load().await.unwrap().parked, 0);
        app.stop().await;
    });
}

#[test]
fn a_key_that_is_sent_to_without_a_pause_goes_on_all_the_same() {
    let office = Office::new();
    office.scheduler.run(async {
        let beside = office.start(&office.commands, LaneBounds::default());
        beside.stop().await;
        let number = AtomicU64::new(42);
        // Whenever what waits would come again at last, another command has just come in.
        let commands = Intercepted::new(office.commands.clone(), move |store: &dyn Store, batch| {
            let late = number.load(SeqCst) < 70 && part(&batch) == Some(false);
            let (beside, number) = (beside.clone(), if late { number.fetch_add(1, SeqCst) } else { 0 });
            Box::pin(async move {
                if late {
                    submit(&beside, number, Mood::Once).await;
                }
                store.append(batch).await
            })
        });
        let app = office.start(&(Arc::new(commands) as Arc<dyn Store>), bounds(40));
        let ids = office.parked(&app, 41).await;
        deploy(false);
        app.lanes().unwrap().redrive(ids[0], "olga").await.unwrap();
        office.until(ids[41], is_decided).await;
        assert!(app.settled::<Desk>(&DESK, Duration::MAX).await.unwrap());
        assert_eq!(office.written().await, (0..70).collect::<Vec<_>>());
        // What had come in meanwhile did not wait for the last of it.
        let parts = office.parts().await;
        assert!(parts.len() > 3, "{parts:?}");
        app.stop().await;
    });
}

#[test]
fn as_much_as_a_commit_can_hold_at_most_comes_again_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), Options::default()).unwrap();
    let log = Arc::new(log);
    let at_once = Arc::clone(&log);
    let log = Intercepted::new(log, move |_: &dyn Store, batch| Box::pin(ready(at_once.append(batch))));
    let office = Office::with(Arc::new(log));
    office.scheduler.run(async {
        let wide = LaneBounds { released_max: usize::MAX, released_bytes_max: usize::MAX, ..bounds(0) };
        let app = office.start(&office.commands, wide);
        let ids = office.parked(&app, 1).await;
        app.stop().await;
        let many = EVENTS_PER_COMMIT_MAX + 100;
        let accepted = (2..=many).map(|number| accepted(&app, number));
        for batch in accepted.collect::<Vec<_>>().chunks(4096) {
            let verdicts = office.commands.append(batch.to_vec()).await;
            assert!(verdicts.iter().all(Result::is_ok));
        }
        let released = app.lanes().unwrap().redrive(ids[0], "olga").await.unwrap();
        assert!(released.more);
        assert_eq!(released.waiting.len(), EVENTS_PER_COMMIT_MAX - 3, "beside it, and both marks");
    });
}

/// A command as it is taken in.
fn accepted(app: &App, number: usize) -> Append {
    let payload = format!(r#"{{"desk": 1, "number": {number}, "mood": 2}}"#);
    let command = CommandRecord {
        id: app.fresh_command_id(),
        name: CommandName::unchecked("desk.write"),
        payload: CommandPayload::None,
        issued_at: Timestamp::EPOCH,
        metadata: Default::default(),
    };
    let event = NewEvent::json(
        StreamName::unchecked("desk-1"),
        EventType::unchecked("desk.write"),
        payload.into_bytes(),
    );
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: vec![event] };
    Append { commit, condition: Condition::none() }
}
