//! How projections begin and end: what cannot be opened at once, what is stopped at once.

use super::{
    counters::{Counted::*, Keys, Sum, append},
    desk::{LONG, Sum0, at, holds, on},
};
use factum::{
    ProjectionState, Sleep as _,
    store::{MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_testkit::{Faults, FaultyReadModels, Life, Scheduler};
use std::{sync::Arc, time::Duration};

fn log() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

#[test]
fn an_application_that_is_dropped_at_once_lets_go_of_its_log() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        let app = factum::App::embedded(dir.path()).view::<Sum0>().view::<Sum<1>>().start();
        let app = match app {
            Ok(app) => app,
            // Who had it ends in a moment.
            Err(_) => {
                let mut tries = 0;
                loop {
                    std::thread::sleep(Duration::from_millis(10));
                    tries += 1;
                    assert!(tries < 1000, "somebody still holds the log");
                    if let Ok(app) = factum::App::embedded(dir.path()).view::<Sum0>().view::<Sum<1>>().start()
                    {
                        break app;
                    }
                }
            }
        };
        drop(app);
    }
}

#[test]
fn stopping_does_not_wait_for_several_that_are_made_in_one_pass() {
    let (store, keys, scheduler) = (log(), Keys::new(), Scheduler::new(3));
    let models: Arc<dyn ReadModels> = Arc::new(MemoryReadModels::new());
    scheduler.run(async {
        for n in 0..30 {
            append(&*store, &[Added { key: keys.key(n % 3), amount: 1 }]).await;
        }
        let slow: Arc<dyn ReadModels> = FaultyReadModels::new(
            "views",
            Arc::clone(&models),
            Life::new(Faults { yields_max: 3, ..Faults::default() }, 1),
        );
        let app =
            on(&store, &slow, 1).spawn(Arc::new(scheduler.process())).sleep(Arc::new(scheduler.clone()));
        let app = app.view::<Sum0>().view::<Sum<1>>().view::<Sum<2>>().start();
        for name in ["sum", "sum-1", "sum-2"] {
            assert_eq!(app.projections().caught_up(name, LONG).await, Ok(true));
        }
        app.projections().rebuild_all(&["sum", "sum-1", "sum-2"]).await.unwrap();
        app.stop().await;
        let status = app.projections().status("sum-1").await.unwrap();
        assert!(
            status.building.is_some_and(|building| building.position < at(30)),
            "it was in the middle of it"
        );
        let app = on(&store, &models, 5).spawn(Arc::new(scheduler.process()));
        let app =
            app.sleep(Arc::new(scheduler.clone())).view::<Sum0>().view::<Sum<1>>().view::<Sum<2>>().start();
        for name in ["sum", "sum-1", "sum-2"] {
            while app.projections().status(name).await.unwrap().building.is_some() {
                scheduler.sleep(Duration::from_millis(1)).await;
            }
        }
        holds::<Sum<1>>(&app).await;
        app.stop().await;
    });
}

#[test]
fn what_cannot_be_opened_at_the_start_for_a_reason_that_passes_is_opened_later() {
    for seed in 0..30 {
        let (store, keys, scheduler) = (log(), Keys::new(), Scheduler::new(seed));
        let models: Arc<dyn ReadModels> = Arc::new(MemoryReadModels::new());
        scheduler.run(async {
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            let faults = Faults { yields_max: 2, retry_one_in: 2, ..Faults::default() };
            let unlucky: Arc<dyn ReadModels> =
                FaultyReadModels::new("views", Arc::clone(&models), Life::new(faults, seed));
            let app = on(&store, &unlucky, 1).spawn(Arc::new(scheduler.process()));
            let app = app.sleep(Arc::new(scheduler.clone())).view::<Sum0>().view::<Sum<1>>().start();
            for name in ["sum", "sum-1"] {
                let status = app.projections().status(name).await.unwrap();
                assert!(!matches!(status.state, ProjectionState::Stopped(_)), "{:?}", status.state);
                let long = Duration::from_secs(600);
                let came = app.projections().reached(name, at(1), long).await;
                assert_eq!(came, Ok(true), "{:?}", app.projections().status(name).await);
            }
            app.stop().await;
            let app = on(&store, &models, 1).spawn(Arc::new(scheduler.process()));
            let app = app.sleep(Arc::new(scheduler.clone())).view::<Sum0>().view::<Sum<1>>().start();
            assert_eq!(app.projections().caught_up("sum", LONG).await, Ok(true));
            holds::<Sum0>(&app).await;
            app.stop().await;
        });
    }
}
