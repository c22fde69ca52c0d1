//! Two who feed one projection: who claimed it last writes, the other stops, and nothing is written twice.

use super::{
    counters::{Counted::*, Keys, Ledger, Sum, append},
    desk::{Sum0, at, built, caught_up, holds, holds_entries, on, told_once, until},
};
use factum::{
    App, ProjectionError, ProjectionState, Sleep as _, StopReason, block_on,
    store::{MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_sqlite::SqliteReadModels;
use factum_testkit::{Faults, FaultyReadModels, Life, Scheduler, soak};
use std::{sync::Arc, time::Duration};

type Ledger0 = Ledger<0, 1>;

/// One log, and read models as two processes have them.
struct Shared {
    store: Arc<dyn Store>,
    models: [Arc<dyn ReadModels>; 2],
    _dir: tempfile::TempDir,
}

fn shared() -> [Shared; 3] {
    let log = || -> Arc<dyn Store> { Arc::new(MemoryStore::new()) };
    let dir = || tempfile::tempdir().unwrap();
    let (one, two) = (dir(), dir());
    let sqlite =
        |dir: &tempfile::TempDir| -> Arc<dyn ReadModels> { Arc::new(SqliteReadModels::at(dir.path())) };
    let memory: Arc<dyn ReadModels> =
        Arc::new(MemoryReadModels::with_sql(Arc::new(SqliteReadModels::in_memory())));
    let same = sqlite(&one);
    [
        Shared { store: log(), models: [Arc::clone(&memory), memory], _dir: dir() },
        Shared { store: log(), models: [Arc::clone(&same), same], _dir: one },
        // Two of them on one directory, as in two processes.
        Shared { store: log(), models: [sqlite(&two), sqlite(&two)], _dir: two },
    ]
}

async fn fenced(app: &App, name: &str) {
    let status =
        until(app.projections(), name, |status| matches!(status.state, ProjectionState::Stopped(_))).await;
    assert_eq!(status.state, ProjectionState::Stopped(StopReason::Fenced), "`{name}`");
}

#[test]
fn the_older_runner_stops_and_writes_nothing_more() {
    for Shared { store, models, _dir } in shared() {
        block_on(async {
            let keys = Keys::new();
            keys.ill(true);
            let ledgers = [Ledger0::default(), Ledger0::default()];
            let app = |who: usize| on(&store, &models[who], 3).view::<Sum0>().project(ledgers[who].clone());
            let older = app(0).start();
            let all = [
                Added { key: keys.key(1), amount: 1 },
                Poisoned { key: keys.key(2) },
                Added { key: keys.key(2), amount: 1 },
            ];
            append(&*store, &all).await;
            for name in ["sum", "ledger"] {
                caught_up(older.projections(), name).await;
            }
            let newer = app(1).start();
            for name in ["sum", "ledger"] {
                caught_up(newer.projections(), name).await;
            }
            keys.ill(false);
            // What the older one is asked to write is refused, and what the newer one is asked is done.
            let refused = older.projections().redrive("ledger", at(2), &keys.lane(2)).await;
            assert!(
                matches!(&refused, Err(ProjectionError::Stopped { reason: StopReason::Fenced, .. })),
                "{refused:?}"
            );
            for name in ["sum", "ledger"] {
                assert_eq!(newer.projections().redrive(name, at(2), &keys.lane(2)).await, Ok(2));
            }
            for n in 0..20 {
                append(&*store, &[Added { key: keys.key(n % 3), amount: 1 }]).await;
            }
            for name in ["sum", "ledger"] {
                caught_up(newer.projections(), name).await;
                fenced(&older, name).await;
            }
            holds::<Sum0>(&newer).await;
            holds_entries::<Ledger0>(&newer).await;
            let (before, after) = (told_once(&ledgers[0]), told_once(&ledgers[1]));
            assert!(before.iter().all(|position| !after.contains(position)), "{before:?} {after:?}");
            assert_eq!((before.len(), after.len()), (1, 22));
            // Told to go on, it is the one again.
            older.projections().resume("sum").await.unwrap();
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            caught_up(older.projections(), "sum").await;
            fenced(&newer, "sum").await;
            holds::<Sum0>(&older).await;
            older.stop().await;
            newer.stop().await;
        });
    }
}

#[test]
fn whoever_takes_over_in_the_middle_of_anything_goes_on_where_the_other_was() {
    for Shared { store, models, _dir } in shared() {
        let keys = Keys::new();
        std::thread::scope(|scope| {
            let (writing, keys) = (Arc::clone(&store), &keys);
            let writer = scope.spawn(move || {
                for n in 0..300 {
                    block_on(append(&*writing, &[Added { key: keys.key(n % 5), amount: n.into() }]));
                }
            });
            let (mut apps, mut ledgers) = (Vec::new(), Vec::new());
            for round in 0..6 {
                let ledger = Ledger0::default();
                let app = on(&store, &models[round % 2], 4).view::<Sum0>().project(ledger.clone()).start();
                ledgers.push(ledger);
                block_on(app.projections().reached("sum", at(40 * round as u64), Duration::from_secs(60)))
                    .unwrap();
                apps.push(app);
            }
            writer.join().unwrap();
            block_on(async {
                let last = apps.last().unwrap();
                for name in ["sum", "ledger"] {
                    caught_up(last.projections(), name).await;
                }
                holds::<Sum0>(last).await;
                holds_entries::<Ledger0>(last).await;
                let mut told: Vec<u64> = ledgers.iter().flat_map(told_once).collect();
                let all = told.len();
                told.sort_unstable();
                told.dedup();
                assert_eq!(told.len(), all, "two told of one event");
                for app in &apps {
                    app.stop().await;
                }
            });
        });
    }
}

/// Two that rebuild, and take over from each other, in any order: what is noted to be read is what the last one
/// reads, and it is right.
fn play(seed: u64) {
    let (keys, scheduler) = (Keys::new(), Scheduler::new(seed));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let models: Arc<dyn ReadModels> = Arc::new(MemoryReadModels::new());
    let processes = [scheduler.process(), scheduler.process()];
    let started = |who: usize| {
        let faults = Faults { yields_max: 4, ..Faults::default() };
        let slow = FaultyReadModels::new("views", Arc::clone(&models), Life::new(faults, seed + who as u64));
        let slow: Arc<dyn ReadModels> = slow;
        on(&store, &slow, 2)
            .spawn(Arc::new(processes[who].clone()))
            .sleep(Arc::new(scheduler.clone()))
            .view::<Sum0>()
            .start()
    };
    scheduler.run(async {
        for n in 0..20 {
            append(&*store, &[Added { key: keys.key(n % 3), amount: 1 }]).await;
        }
        let older = started(0);
        older.projections().reached("sum", at(20), Duration::from_secs(60)).await.unwrap();
        older.projections().rebuild("sum").await.unwrap();
        scheduler.sleep(Duration::from_micros(seed % 7)).await;
        for _ in 0..seed % 60 {
            // Others go first.
            let mut stepped = false;
            std::future::poll_fn(|context| {
                if std::mem::replace(&mut stepped, true) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
        }
        let newer = started(1);
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        newer.projections().caught_up("sum", Duration::from_secs(600)).await.unwrap();
        scheduler.sleep(Duration::from_secs(60)).await;
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        assert_eq!(newer.projections().caught_up("sum", Duration::from_secs(600)).await, Ok(true));
        scheduler.sleep(Duration::from_secs(60)).await;
        let status = newer.projections().status("sum").await.unwrap();
        assert_eq!(status.building, None);
        processes.iter().for_each(|process| process.kill());
        let after = on(&store, &models, 2).view::<Sum0>().spawn(Arc::new(scheduler.process()));
        let after = after.sleep(Arc::new(scheduler.clone())).start();
        assert_eq!(after.projections().caught_up("sum", Duration::from_secs(600)).await, Ok(true));
        assert_eq!(after.projections().status("sum").await.unwrap().build, status.build);
        holds::<Sum<0, 1>>(&after).await;
        after.stop().await;
    });
}

#[test]
fn soak_two_that_rebuild_agree_on_what_is_read() {
    soak(0, 120, play);
}

#[test]
fn what_is_read_by_the_older_one_is_what_the_newer_one_writes() {
    for Shared { store, models, _dir } in shared() {
        block_on(async {
            let keys = Keys::new();
            let older = on(&store, &models[0], 3).view::<Sum0>().start();
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            caught_up(older.projections(), "sum").await;
            let newer = on(&store, &models[1], 3).view::<Sum0>().start();
            caught_up(newer.projections(), "sum").await;
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            caught_up(newer.projections(), "sum").await;
            fenced(&older, "sum").await;
            for app in [&older, &newer] {
                let documents = app.documents::<Sum0>();
                let (kept, live) =
                    (documents.get(&keys.key(1)).await.unwrap(), documents.live(&keys.key(1)).await.unwrap());
                assert_eq!(kept, live);
            }
            newer.projections().rebuild("sum").await.unwrap();
            built(newer.projections(), "sum").await;
            holds::<Sum0>(&older).await;
            older.stop().await;
            newer.stop().await;
        });
    }
}
