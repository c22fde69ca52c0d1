//! Who waits for a projection gets what was waited for, or is told that it did not come, in time.

use super::{
    counters::{Add, Counted, Counted::*, KeyId, Keys, Ledger, Sum, append},
    desk::{LONG, Sum0, at, bounds, caught_up, holds, on},
};
use factum::{
    App, Clock, Mode, ProjectionBounds, ProjectionError, ProjectionState, Recorded, STALLED_AFTER,
    Sleep as _, View, block_on,
    store::{MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_testkit::{Faults, FaultyReadModels, Life, Scheduler};
use std::{sync::Arc, time::Duration};

/// As [`Sum`], but waited for.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Prompt(Sum);

impl View for Prompt {
    const NAME: &'static str = "prompt";
    const VERSION: u32 = 1;
    const MODE: Mode = Mode::Wait;
    type Event = Recorded<Counted>;
    type Key = KeyId;
    fn keys(event: &Self::Event) -> Vec<KeyId> {
        Sum0::keys(event)
    }
    fn apply(&mut self, key: &KeyId, event: &Self::Event) {
        self.0.apply(key, event);
    }
    fn is_gone(&self) -> bool {
        self.0.is_gone()
    }
}

#[test]
fn a_command_is_answered_when_what_is_waited_for_has_seen_it_or_says_that_it_has_not() {
    for embedded in [false, true] {
        block_on(async {
            let (dir, keys) = (tempfile::tempdir().unwrap(), Keys::new());
            let app = if embedded {
                App::embedded(dir.path()).commands::<Add>().view::<Prompt>().view::<Sum0>().start().unwrap()
            } else {
                App::in_memory().commands::<Add>().view::<Prompt>().view::<Sum0>().start()
            };
            for n in 1..=100 {
                let done = if n % 2 == 0 {
                    app.execute(Add(keys.key(1), 1)).await.unwrap()
                } else {
                    app.submit(Add(keys.key(1), 1)).await.unwrap().outcome().await.unwrap();
                    app.execute(Add(keys.key(2), 1)).await.unwrap()
                };
                assert!(done.seen(), "{:?}", app.projections().status("prompt").await);
                let found = app.documents::<Prompt>().get(&keys.key(1)).await.unwrap();
                assert_eq!(found.document.unwrap().0.events, n, "its own write is read");
                assert!(found.position >= done.position());
                // What decided nothing has nothing to wait for.
                let nothing = app.execute(Add(keys.key(1), 0)).await.unwrap();
                assert!(nothing.seen());
            }
            // One that does not go on by itself is not waited for.
            for stop in [true, false] {
                match stop {
                    true => app.projections().pause("prompt").await.unwrap(),
                    false => app.projections().disable("prompt").await.unwrap(),
                }
                assert!(!app.execute(Add(keys.key(1), 1)).await.unwrap().seen());
                match stop {
                    true => app.projections().resume("prompt").await.unwrap(),
                    false => app.projections().enable("prompt").await.unwrap(),
                }
                assert!(app.execute(Add(keys.key(1), 1)).await.unwrap().seen());
            }
            app.projections().pause("sum").await.unwrap();
            assert!(app.execute(Add(keys.key(1), 1)).await.unwrap().seen(), "this one is not waited for");
            app.stop().await;
        });
    }
}

/// An application in a scheduler, whose read models fail from now on when `fail` says so.
fn scheduled(scheduler: &Scheduler, store: &Arc<dyn Store>, faults: Faults) -> App {
    let models: Arc<dyn ReadModels> = Arc::new(MemoryReadModels::new());
    let faulty: Arc<dyn ReadModels> = FaultyReadModels::new("views", models, Life::new(faults, 1));
    let wait = ProjectionBounds { wait: Duration::from_secs(5), ..bounds(2) };
    on(store, &faulty, 2)
        .projection_bounds(wait)
        .spawn(Arc::new(scheduler.process()))
        .sleep(Arc::new(scheduler.clone()))
        .clock(Arc::clone(scheduler.clock()) as Arc<dyn Clock>)
        .view::<Prompt>()
        .start()
}

#[test]
fn a_command_waits_no_longer_than_it_was_told_to() {
    let scheduler = Scheduler::new(1);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_ports(
        Arc::clone(scheduler.clock()) as _,
        &factum_testkit::SeededEntropy::new(1),
    ));
    scheduler.run(async {
        let keys = Keys::new();
        // Everything fails from the start.
        let app = scheduled(&scheduler, &store, Faults { retry_one_in: 1, ..Faults::default() });
        let before = scheduler.clock().now();
        let done = app.execute(Add(keys.key(1), 1)).await.unwrap();
        assert!(!done.seen());
        let waited = scheduler.clock().now().since(before);
        assert!(waited <= Duration::from_secs(6), "{waited:?}");
        let status = app.projections().status("prompt").await.unwrap();
        assert!(matches!(status.state, ProjectionState::Retrying(_)), "{status:?}");
        app.stop().await;
    });
}

#[test]
fn one_that_is_stalled_is_told_from_one_that_is_idle_and_how_far_behind_it_is() {
    let scheduler = Scheduler::new(1);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_ports(
        Arc::clone(scheduler.clock()) as _,
        &factum_testkit::SeededEntropy::new(1),
    ));
    scheduler.run(async {
        let keys = Keys::new();
        let models = Arc::new(MemoryReadModels::new());
        let start = |dies_at| {
            let life = Life::new(Faults { dies_at, ..Faults::default() }, 1);
            let models: Arc<dyn ReadModels> = FaultyReadModels::new("views", Arc::clone(&models) as _, life);
            on(&store, &models, 2)
                .spawn(Arc::new(scheduler.process()))
                .sleep(Arc::new(scheduler.clone()))
                .clock(Arc::clone(scheduler.clock()) as Arc<dyn Clock>)
                .view::<Sum0>()
                .start()
        };
        let app = start(None);
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        assert_eq!(app.projections().caught_up("sum", LONG).await, Ok(true));
        scheduler.sleep(Duration::from_secs(3600)).await;
        let idle = app.projections().status("sum").await.unwrap();
        assert!(
            idle.caught_up() && !idle.stalled && idle.lag_events == 0 && idle.lag == Duration::ZERO,
            "{idle:?}"
        );
        // What is paused is behind, and not stalled.
        app.projections().pause("sum").await.unwrap();
        append(&*store, &[Added { key: keys.key(1), amount: 1 }, Added { key: keys.key(1), amount: 1 }])
            .await;
        scheduler.sleep(Duration::from_secs(60)).await;
        let paused = app.projections().status("sum").await.unwrap();
        assert_eq!((paused.lag_events, paused.stalled, paused.state), (2, false, ProjectionState::Paused));
        assert!(
            paused.lag >= Duration::from_secs(60) && paused.lag < Duration::from_secs(61),
            "{:?}",
            paused.lag
        );
        assert_eq!(app.projections().reached("sum", at(3), LONG).await, Ok(false), "nobody feeds it");
        app.stop().await;
        drop(app);
        // One that hangs in the middle: nothing is told of it but that it does not move.
        let app = start(Some(24));
        app.projections().resume("sum").await.unwrap();
        scheduler.sleep(Duration::from_secs(1)).await;
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        let mut hangs = app.projections().status("sum").await;
        for _ in 0..100 {
            scheduler.sleep(STALLED_AFTER).await;
            hangs = app.projections().status("sum").await;
            if hangs.as_ref().is_ok_and(|status| status.stalled) {
                break;
            }
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        }
        let hangs = hangs.unwrap();
        assert!(hangs.stalled && hangs.lag_events > 0 && hangs.lag >= STALLED_AFTER, "{hangs:?}");
        let before = scheduler.clock().now();
        assert_eq!(app.projections().reached("sum", hangs.head, Duration::from_secs(2)).await, Ok(false));
        assert!(scheduler.clock().now().since(before) >= Duration::from_secs(1));
    });
}

#[test]
fn tables_are_told_with_the_tail_applied_and_nothing_of_it_is_kept() {
    block_on(async {
        let keys = Keys::new();
        let ledger = Ledger::<0, 1>::default();
        let app = App::in_memory().projection_bounds(bounds(2)).project(ledger.clone()).start();
        append(&**app.store(), &[Added { key: keys.key(1), amount: 1 }]).await;
        caught_up(app.projections(), "ledger").await;
        let count = "select count(*) as n from entries";
        for paused in [true, false] {
            if paused {
                app.projections().pause("ledger").await.unwrap();
            } else {
                app.projections().resume("ledger").await.unwrap();
            }
            for _ in 0..5 {
                append(&**app.store(), &[Added { key: keys.key(2), amount: 1 }]).await;
                let latest = app.tables::<Ledger<0, 1>>().latest(count, vec![]).await.unwrap();
                let events = i64::try_from(latest.position.get()).unwrap();
                assert_eq!(latest.position, app.store().head().await.unwrap().position);
                assert_eq!(latest.rows[0].integer("n"), Ok(events));
            }
            if paused {
                let kept = app.tables::<Ledger<0, 1>>().query(count, vec![]).await.unwrap();
                assert_eq!((kept.rows[0].integer("n"), kept.position), (Ok(1), at(1)));
                assert_eq!(ledger.told(), [1]);
            }
        }
        caught_up(app.projections(), "ledger").await;
        super::desk::holds_entries::<Ledger<0, 1>>(&app).await;
        assert_eq!(ledger.told(), (1..=11).collect::<Vec<_>>());
        assert!(matches!(
            app.projections().reached("none", at(1), LONG).await,
            Err(ProjectionError::Unknown { .. })
        ));
        app.stop().await;
    });
}

#[test]
fn the_latest_is_what_a_fold_of_the_log_gives_at_any_moment() {
    block_on(async {
        let keys = Keys::new();
        let app = App::in_memory().projection_bounds(bounds(2)).view::<Sum0>().start();
        for n in 0..60_u32 {
            let (key, to) = (keys.key(n % 4), keys.key((n * 7) % 4));
            let event = match n % 5 {
                0 => Ended { key },
                1 => Moved { key, to, amount: n.into() },
                _ => Added { key, amount: n.into() },
            };
            append(&**app.store(), &[event]).await;
            match n {
                20 => app.projections().pause("sum").await.unwrap(),
                40 => app.projections().resume("sum").await.unwrap(),
                _ => {}
            }
            let documents = || app.documents::<Sum0>();
            let (latest, live) =
                (documents().latest(&key).await.unwrap(), documents().live(&key).await.unwrap());
            assert_eq!(latest, live);
        }
        caught_up(app.projections(), "sum").await;
        holds::<Sum0>(&app).await;
        // One that is not the application's can be folded as well.
        assert_eq!(app.documents::<Sum<5>>().live(&keys.key(2)).await.unwrap().position, at(60));
        let unregistered = app.documents::<Sum<5>>().get(&keys.key(2)).await;
        assert!(matches!(unregistered, Err(factum::QueryError::Unregistered { .. })));
        app.stop().await;
    });
}
