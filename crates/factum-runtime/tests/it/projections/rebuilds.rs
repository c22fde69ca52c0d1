//! A rebuild is made beside what is read: readers never notice, and nobody else is touched.

use super::{
    counters::{Counted::*, Keys, Ledger, Sum, append, log},
    desk::{LONG, Sum0, at, bounds, built, caught_up, holds, holds_entries, kept, on, told_once, until},
};
use factum::{
    App, ProjectionError, ProjectionState, Projections, Sleep as _, block_on,
    store::{BoxFuture, MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_testkit::{Faults, FaultyReadModels, Life, Scheduler};
use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

type Ledger0 = Ledger<0, 1>;

#[test]
fn readers_notice_nothing_of_rebuilds_under_load() {
    for embedded in [false, true] {
        let (dir, keys, ledger) = (tempfile::tempdir().unwrap(), Keys::new(), Ledger0::default());
        let app = if embedded {
            let app = App::embedded(dir.path()).projection_bounds(bounds(5));
            app.view::<Sum0>().view::<Sum<1>>().project(ledger.clone()).start().unwrap()
        } else {
            let app = App::in_memory().projection_bounds(bounds(5));
            app.view::<Sum0>().view::<Sum<1>>().project(ledger.clone()).start()
        };
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (app, keys, over) = (&app, &keys, &over);
            let writer = scope.spawn(move || {
                let mut written = 0_u32;
                while !over.load(Ordering::SeqCst) && written < 3000 {
                    let events: Vec<_> = (0..3)
                        .map(|n| Added { key: keys.key((written + n) % 7), amount: n.into() })
                        .collect();
                    block_on(append(&**app.store(), &events));
                    written += 3;
                    std::thread::yield_now();
                }
            });
            for reader in 0..2 {
                scope.spawn(move || {
                    let mut last = [at(0); 4];
                    while !over.load(Ordering::SeqCst) {
                        let now = block_on(async {
                            let documents = || app.documents::<Sum0>();
                            [
                                documents().get(&keys.key(reader)).await.unwrap().position,
                                documents().latest(&keys.key(reader)).await.unwrap().position,
                                documents().list().limit(3).await.unwrap().position,
                                app.tables::<Ledger0>()
                                    .query("select count(*) from entries", vec![])
                                    .await
                                    .unwrap()
                                    .position,
                            ]
                        });
                        for (now, last) in now.iter().zip(&mut last) {
                            assert!(now >= last, "it went back from {last} to {now}");
                            *last = *now;
                        }
                    }
                });
            }
            block_on(async {
                let projections = app.projections();
                for round in 0..4 {
                    if round % 2 == 0 {
                        projections.rebuild_all(&["sum", "sum-1", "ledger"]).await.unwrap();
                    } else {
                        projections.rebuild("sum").await.unwrap();
                        projections.rebuild("ledger").await.unwrap();
                    }
                    for name in ["sum", "sum-1", "ledger"] {
                        built(projections, name).await;
                    }
                    if round == 2 {
                        projections.rollback("sum").await.unwrap();
                        projections.rollback("ledger").await.unwrap();
                        for name in ["sum", "ledger"] {
                            built(projections, name).await;
                        }
                    }
                }
                over.store(true, Ordering::SeqCst);
            });
            writer.join().unwrap();
        });
        block_on(async {
            for name in ["sum", "sum-1", "ledger"] {
                caught_up(app.projections(), name).await;
            }
            holds::<Sum0>(&app).await;
            holds::<Sum<1>>(&app).await;
            holds_entries::<Ledger0>(&app).await;
            let told = told_once(&ledger);
            assert_eq!(
                told.len(),
                log(&**app.store()).await.len(),
                "each once, whichever build it was applied by"
            );
            assert_eq!(ledger.told(), told, "and in order");
            app.stop().await;
        });
    }
}

#[test]
fn one_is_cancelled_gone_back_from_and_begun_again_and_the_other_goes_on() {
    block_on(async {
        let keys = Keys::new();
        let app = App::in_memory().projection_bounds(bounds(3)).view::<Sum0>().view::<Sum<1>>().start();
        let projections = app.projections();
        for n in 0..20 {
            append(&**app.store(), &[Added { key: keys.key(n % 3), amount: 1 }]).await;
        }
        caught_up(projections, "sum").await;
        caught_up(projections, "sum-1").await;
        let conflict = |done: Result<(), ProjectionError>| {
            assert!(matches!(done, Err(ProjectionError::Conflict { .. })), "{done:?}");
        };
        conflict(projections.cancel("sum").await);
        conflict(projections.rollback("sum").await);
        assert!(matches!(projections.rebuild("none").await, Err(ProjectionError::Unknown { .. })));
        // Paused it stays where it is, and so does what is made beside it.
        projections.pause("sum").await.unwrap();
        append(&**app.store(), &[Added { key: keys.key(1), amount: 1 }]).await;
        projections.rebuild("sum").await.unwrap();
        built(projections, "sum").await;
        let status = projections.status("sum").await.unwrap();
        assert_eq!((&status.state, status.position), (&ProjectionState::Paused, at(20)));
        assert_eq!((status.build.unwrap().number, status.previous.unwrap().number), (2, 1));
        caught_up(projections, "sum-1").await;
        projections.resume("sum").await.unwrap();
        caught_up(projections, "sum").await;
        holds::<Sum0>(&app).await;
        projections.rollback("sum").await.unwrap();
        built(projections, "sum").await;
        caught_up(projections, "sum").await;
        let status = projections.status("sum").await.unwrap();
        assert_eq!((status.build.unwrap().number, status.previous.unwrap().number), (1, 2));
        holds::<Sum0>(&app).await;
        projections.reset("sum").await.unwrap();
        caught_up(projections, "sum").await;
        let status = projections.status("sum").await.unwrap();
        assert_eq!((status.build.unwrap().number, status.previous), (3, None));
        holds::<Sum0>(&app).await;
        projections.disable("sum").await.unwrap();
        conflict(projections.rebuild("sum").await);
        conflict(projections.resume("sum").await);
        append(&**app.store(), &[Added { key: keys.key(1), amount: 1 }]).await;
        caught_up(projections, "sum-1").await;
        projections.enable("sum").await.unwrap();
        caught_up(projections, "sum").await;
        holds::<Sum0>(&app).await;
        holds::<Sum<1>>(&app).await;
        assert_eq!(projections.status("sum-1").await.unwrap().build.unwrap().number, 1);
        app.stop().await;
    });
}

#[test]
fn one_key_is_made_anew_by_itself() {
    block_on(async {
        let keys = Keys::new();
        let app =
            App::in_memory().projection_bounds(bounds(3)).view::<Sum0>().project(Ledger0::default()).start();
        let projections = app.projections();
        for n in 0..30 {
            append(&**app.store(), &[Moved { key: keys.key(n % 3), to: keys.key(3), amount: 1 }]).await;
        }
        caught_up(projections, "sum").await;
        caught_up(projections, "ledger").await;
        assert_eq!(projections.rebuild_key("sum", &keys.text(3)).await, Ok(30));
        assert_eq!(projections.rebuild_key("sum", &keys.text(1)).await, Ok(10));
        assert_eq!(projections.rebuild_key("sum", &keys.text(9)).await, Ok(0));
        assert_eq!(projections.rebuild_key("ledger", &keys.text(1)).await, Ok(10));
        holds::<Sum0>(&app).await;
        let mut by_key = super::desk::entries::<Ledger0>(&app).await;
        by_key.values_mut().for_each(|of| of.sort_unstable());
        assert_eq!(by_key, super::counters::entered(&log(&**app.store()).await));
        append(&**app.store(), &[Added { key: keys.key(3), amount: 1 }]).await;
        caught_up(projections, "sum").await;
        holds::<Sum0>(&app).await;
        assert_eq!(kept::<Sum0>(&app).await.len(), 4);
        // While something of it is parked it is refused.
        keys.ill(true);
        append(&**app.store(), &[Poisoned { key: keys.key(1) }]).await;
        caught_up(projections, "sum").await;
        let refused = projections.rebuild_key("sum", &keys.text(1)).await;
        assert!(matches!(refused, Err(ProjectionError::Conflict { .. })), "{refused:?}");
        assert_eq!(projections.rebuild_key("sum", &keys.text(2)).await, Ok(10));
        app.stop().await;
    });
}

type Verb = for<'a> fn(&'a Projections) -> BoxFuture<'a, Result<(), ProjectionError>>;
const VERBS: [Verb; 7] = [
    |projections| Box::pin(projections.reset("sum")),
    |projections| Box::pin(projections.pause("sum")),
    |projections| Box::pin(projections.disable("sum")),
    |projections| Box::pin(projections.rebuild("sum")),
    |projections| Box::pin(projections.rollback("sum")),
    |projections| {
        Box::pin(async {
            projections.rebuild("sum").await?;
            projections.cancel("sum").await
        })
    },
    |projections| {
        Box::pin(async {
            projections.pause("sum").await?;
            projections.resume("sum").await
        })
    },
];

#[test]
fn who_asks_and_goes_away_leaves_nothing_half_done() {
    for verb in VERBS {
        let mut goes_on = true;
        for polls in 0.. {
            if !goes_on {
                break;
            }
            let (keys, scheduler) = (Keys::new(), Scheduler::new(polls));
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let faults = Faults { yields_max: 1, ..Faults::default() };
            let models: Arc<dyn ReadModels> =
                FaultyReadModels::new("views", Arc::new(MemoryReadModels::new()), Life::new(faults, polls));
            scheduler.run(async {
                for n in 0..6 {
                    append(&*store, &[Added { key: keys.key(n % 3), amount: 1 }]).await;
                }
                let app = on(&store, &models, 2).spawn(Arc::new(scheduler.process()));
                let app = app.sleep(Arc::new(scheduler.clone())).view::<Sum0>().start();
                assert_eq!(app.projections().caught_up("sum", LONG).await, Ok(true));
                app.projections().rebuild("sum").await.unwrap();
                while app.projections().status("sum").await.unwrap().building.is_some() {
                    scheduler.sleep(Duration::from_millis(1)).await;
                }
                {
                    let mut asked = pin!(verb(app.projections()));
                    let mut left = polls;
                    poll_fn(|context| {
                        if left == 0 {
                            return Poll::Ready(());
                        }
                        left -= 1;
                        if asked.as_mut().poll(context).is_ready() {
                            goes_on = false;
                            return Poll::Ready(());
                        }
                        context.waker().wake_by_ref();
                        Poll::Pending
                    })
                    .await;
                }
                append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
                scheduler.sleep(Duration::from_secs(60)).await;
                let status = app.projections().status("sum").await.unwrap();
                let stands = matches!(status.state, ProjectionState::Paused | ProjectionState::Disabled)
                    || status.caught_up() && status.position == status.head;
                assert!(stands, "after {polls} polls: {status:#?}");
                app.projections().enable("sum").await.unwrap();
                app.projections().resume("sum").await.unwrap();
                assert_eq!(app.projections().caught_up("sum", LONG).await, Ok(true));
                holds::<Sum0>(&app).await;
                app.stop().await;
            });
            assert!(polls < 3000);
        }
    }
}

#[test]
fn what_fails_while_it_is_begun_again_leaves_the_one_there_running() {
    for verb in [0, 4] {
        let mut failed = 0;
        for seed in 0..60 {
            let (keys, scheduler) = (Keys::new(), Scheduler::new(seed));
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let models: Arc<dyn ReadModels> = Arc::new(MemoryReadModels::new());
            let faults = Faults { retry_one_in: 8, ..Faults::default() };
            let unlucky: Arc<dyn ReadModels> =
                FaultyReadModels::new("views", Arc::clone(&models), Life::new(faults, seed));
            scheduler.run(async {
                append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
                let app = on(&store, &unlucky, 2).spawn(Arc::new(scheduler.process()));
                let app = app.sleep(Arc::new(scheduler.clone())).view::<Sum0>().start();
                while !app.projections().caught_up("sum", LONG).await.unwrap() {
                    scheduler.sleep(Duration::from_millis(5)).await;
                }
                failed += u32::from(matches!(
                    VERBS[verb](app.projections()).await,
                    Err(ProjectionError::Unavailable(_))
                ));
                append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
                scheduler.sleep(Duration::from_secs(60)).await;
                let status = app.projections().status("sum").await.unwrap();
                let told = matches!(status.state, ProjectionState::Stopped(_));
                assert!(told || status.position == at(2), "it says that it runs: {status:?}");
                app.stop().await;
            });
        }
        assert!(verb != 0 || failed > 0, "nothing ever failed");
    }
}

#[test]
fn a_build_waits_for_nobody_elses() {
    block_on(async {
        let keys = Keys::new();
        keys.ill(true);
        let app = App::in_memory().projection_bounds(bounds(3)).view::<Sum0>().view::<Sum<1>>().start();
        for n in 0..9 {
            append(
                &**app.store(),
                &[Poisoned { key: keys.key(n % 3) }, Added { key: keys.key(n), amount: 1 }],
            )
            .await;
        }
        for name in ["sum", "sum-1"] {
            caught_up(app.projections(), name).await;
        }
        app.projections().rebuild_all(&["sum", "sum-1"]).await.unwrap();
        app.projections().cancel("sum").await.unwrap_or_default();
        built(app.projections(), "sum-1").await;
        let status = until(app.projections(), "sum-1", |status| status.caught_up()).await;
        assert_eq!(status.build.unwrap().number, 2);
        app.stop().await;
    });
}
