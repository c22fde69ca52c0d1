//! The process dies at every operation on what it keeps, on either side of it. Whatever was under way, the next
//! one comes to what follows from the log.

use super::{
    counters::{Counted, Counted::*, Keys, Ledger, append},
    desk::{Sum0, caught_up, doomed, holds, holds_entries, on, release_all, told_once},
};
use factum::{
    App, Position, ProjectionError, ProjectionState, Projections, Sleep, SystemSpawn, block_on,
    store::{BoxFuture, MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_sqlite::SqliteReadModels;
use factum_testkit::{Death, Faults, FaultyReadModels, Life, Scheduler};
use futures_util::future::{Either, select};
use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};

type Ledger0 = Ledger<0, 1>;

fn events(keys: &Keys) -> Vec<Counted> {
    let [a, b, c, d] = [1, 2, 3, 4].map(|number| keys.key(number));
    vec![
        Added { key: a, amount: 1 },
        Moved { key: a, to: b, amount: 2 },
        Poisoned { key: a },
        Added { key: b, amount: 4 },
        Added { key: a, amount: 8 },
        Poisoned { key: a },
        Moved { key: b, to: a, amount: 16 },
        Doomed { key: c },
        Added { key: c, amount: 32 },
        Ended { key: d },
        Added { key: d, amount: 64 },
        Ended { key: b },
        PoisonedBoth { key: c, to: d },
        Added { key: d, amount: 128 },
    ]
}

/// What an operator has done in a life, as far as it lasts; done again, it does no more. An error is what they are
/// told by one that is ending.
async fn act(projections: &Projections, keys: &Keys, name: &str, sleep: &dyn Sleep) -> Result<(), String> {
    let told = |error: ProjectionError| error.to_string();
    let far = |result: Result<bool, ProjectionError>| {
        result.map_err(told).and_then(|came| if came { Ok(()) } else { Err("it stopped".to_owned()) })
    };
    let long = Duration::from_secs(600);
    far(projections.caught_up(name, long).await)?;
    keys.ill(false);
    let tolerated = |result: Result<u64, ProjectionError>| match result {
        Err(ProjectionError::NotParked { .. } | ProjectionError::Conflict { .. }) => Ok(()),
        other => other.map(drop).map_err(told),
    };
    tolerated(projections.redrive(name, Position::new(3), &keys.lane(1)).await)?;
    tolerated(projections.discard(name, Position::new(8), &keys.lane(3), "olga", "no").await)?;
    tolerated(projections.redrive(name, Position::new(13), &keys.lane(4)).await)?;
    tolerated(projections.rebuild_key(name, &keys.text(2)).await)?;
    projections.pause(name).await.map_err(told)?;
    projections.resume(name).await.map_err(told)?;
    for _ in 0..2 {
        projections.rebuild(name).await.map_err(told)?;
        // One that has stopped does not come to it.
        for _ in 0..5000 {
            match projections.status(name).await.map_err(told)?.building {
                Some(building) if !matches!(building.state, ProjectionState::Stopped(_)) => {
                    sleep.sleep(Duration::from_millis(1)).await;
                }
                _ => break,
            }
        }
    }
    far(projections.caught_up(name, long).await)
}

/// A life that ends at a point, if it comes so far.
struct Over {
    died_at: Option<&'static str>,
    points: u64,
}

#[test]
fn a_view_comes_through_every_death() {
    let mut met = BTreeSet::new();
    for dies_at in 0.. {
        let (keys, store, models) = (Keys::new(), memory_log(), memory());
        keys.ill(true);
        block_on(append(&*store, &events(&keys)));
        let scheduler = Scheduler::new(dies_at);
        let process = scheduler.process();
        let life = Life::new(Faults { dies_at: Some(dies_at), ..Faults::default() }, dies_at);
        scheduler.run(async {
            let app = on(
                &store,
                &FaultyReadModels::new("views", Arc::clone(&models), Arc::clone(&life)).into_dyn(),
                3,
            )
            .spawn(Arc::new(process.clone()))
            .sleep(Arc::new(scheduler.clone()))
            .view::<Sum0>()
            .start();
            let acting = pin!(async {
                act(app.projections(), &keys, "sum", &scheduler).await.unwrap();
                app.stop().await;
            });
            if let Either::Right(_) = select(acting, pin!(life.over())).await {
                process.kill();
            }
        });
        let over = life.died_at().map(|point| point.operation);
        keys.ill(false);
        block_on(recovered(&store, &models, "sum"));
        match over {
            Some(operation) => drop(met.insert(operation)),
            None => break,
        }
        assert!(dies_at < 2000, "it never comes to the end");
    }
    let named = [
        "begin",
        "builds",
        "checkpoint",
        "claim",
        "commit",
        "note",
        "notes",
        "open",
        "park",
        "parked",
        "parked-keys",
        "put",
        "remove",
        "remove-build",
        "tx-document",
        "unpark",
    ];
    assert!(named.iter().all(|operation| met.contains(operation)), "no death met some of {named:?}: {met:?}");
}

async fn recovered(store: &Arc<dyn Store>, models: &Arc<dyn ReadModels>, name: &str) {
    let app = on(store, models, 3).view::<Sum0>().project(Ledger0::default()).start();
    all_well(&app, name).await;
    // And so it is without anything that is held in mind.
    app.stop().await;
    let app = on(store, models, 3).view::<Sum0>().project(Ledger0::default()).start();
    all_well(&app, name).await;
    app.stop().await;
}

async fn all_well(app: &App, name: &str) {
    super::desk::built(app.projections(), name).await;
    if app.projections().status(name).await.unwrap().state == ProjectionState::Paused {
        app.projections().resume(name).await.unwrap();
    }
    caught_up(app.projections(), name).await;
    let doomed = doomed(&**app.store()).await;
    release_all(app.projections(), name, &doomed).await;
    match name {
        "sum" => holds::<Sum0>(app).await,
        _ => holds_entries::<Ledger0>(app).await,
    }
}

/// Sleeps on the thread, for tests that have one.
#[derive(Debug)]
struct ThreadSleep;

impl Sleep for ThreadSleep {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { std::thread::sleep(duration) })
    }
}

fn memory_log() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn memory() -> Arc<dyn ReadModels> {
    Arc::new(MemoryReadModels::new())
}

trait IntoDyn {
    fn into_dyn(self) -> Arc<dyn ReadModels>;
}

impl IntoDyn for Arc<FaultyReadModels> {
    fn into_dyn(self) -> Arc<dyn ReadModels> {
        self
    }
}

/// On SQLite, with tables: every operation fails from there on, so that the process sees its end.
fn tables_die(dies_at: u64) -> Over {
    let (dir, keys, store, ledger) =
        (tempfile::tempdir().unwrap(), Keys::new(), memory_log(), Ledger0::default());
    let models: Arc<dyn ReadModels> = Arc::new(SqliteReadModels::at(dir.path()));
    keys.ill(true);
    block_on(append(&*store, &events(&keys)));
    let life = Life::new(Faults { dies_at: Some(dies_at), death: Death::Told, ..Faults::default() }, dies_at);
    let faulty = FaultyReadModels::new("tables", Arc::clone(&models), Arc::clone(&life)).into_dyn();
    let app = on(&store, &faulty, 3).spawn(Arc::new(SystemSpawn)).project(ledger.clone()).start();
    block_on(async {
        let acted = act(app.projections(), &keys, "ledger", &ThreadSleep).await;
        assert!(life.is_over() || acted.is_ok(), "{acted:?}");
        app.stop().await;
    });
    drop(app);
    keys.ill(false);
    let models: Arc<dyn ReadModels> = Arc::new(SqliteReadModels::at(dir.path()));
    block_on(async {
        let app = on(&store, &models, 3).view::<Sum0>().project(ledger.clone()).start();
        all_well(&app, "ledger").await;
        app.stop().await;
    });
    let told = told_once(&ledger);
    assert!(told.iter().all(|position| *position != 8), "the doomed one was never applied: {told:?}");
    if life.died_at().is_none() {
        assert_eq!(told.len(), 13, "nobody died, and all are told of: {told:?}");
    }
    Over { died_at: life.died_at().map(|point| point.operation), points: life.points() }
}

#[test]
fn tables_come_through_deaths_everywhere() {
    let whole = tables_die(u64::MAX);
    assert_eq!(whole.died_at, None);
    let mut met = BTreeSet::new();
    // A part of them, as threads are timed anew in every life; `soak_` plays them all.
    for dies_at in (0..whole.points).step_by(11) {
        met.extend(tables_die(dies_at).died_at);
    }
    let named = ["begin", "commit", "execute"];
    assert!(named.iter().all(|operation| met.contains(operation)), "no death met some of {named:?}: {met:?}");
}

#[test]
fn soak_tables_come_through_deaths_at_any_point() {
    factum_testkit::soak(0, 20, |seed| drop(tables_die(seed * 37 % 400)));
}
