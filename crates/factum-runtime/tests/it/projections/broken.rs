//! A database that is locked, damaged or taken away: told as what it is, and mended by a rebuild or a reset.

use super::{
    counters::{Counted::*, Keys, Ledger, append},
    desk::{Sum0, built, caught_up, holds, holds_entries, on, told_once, until},
};
use factum::{
    ErrorKind, ProjectionError, ProjectionState, QueryError, Sleep, StopReason, block_on,
    store::{BoxFuture, MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_sqlite::SqliteReadModels;
use factum_testkit::{Faults, FaultyReadModels, Life, Scheduler};
use std::{path::Path, sync::Arc, time::Duration};

type Ledger0 = Ledger<0, 1>;

fn log() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn at(dir: &Path) -> Arc<dyn ReadModels> {
    Arc::new(SqliteReadModels::at(dir))
}

#[test]
fn what_fails_and_passes_is_tried_again_until_it_is_done_and_done_once() {
    for seed in 0..4 {
        block_on(async {
            let (dir, store, keys, ledger) =
                (tempfile::tempdir().unwrap(), log(), Keys::new(), Ledger0::default());
            let faults = Faults { retry_one_in: 6, unknown_one_in: 4, ..Faults::default() };
            let life = Life::new(faults, seed);
            let models: Arc<dyn ReadModels> = FaultyReadModels::new("tables", at(dir.path()), life);
            let app = on(&store, &models, 3).view::<Sum0>().project(ledger.clone()).start();
            for n in 0..60 {
                append(&*store, &[Added { key: keys.key(n % 5), amount: 1 }]).await;
            }
            for name in ["sum", "ledger"] {
                caught_up(app.projections(), name).await;
            }
            app.stop().await;
            drop(app);
            let app = on(&store, &at(dir.path()), 3).view::<Sum0>().project(ledger.clone()).start();
            holds::<Sum0>(&app).await;
            holds_entries::<Ledger0>(&app).await;
            told_once(&ledger);
            app.stop().await;
        });
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_noticed_without_a_further_event() {
    for seed in 0..10 {
        let (store, keys, scheduler) = (log(), Keys::new(), Scheduler::new(seed));
        // Every answer is lost, and every other commit is kept.
        let life = Life::new(Faults { unknown_one_in: 1, ..Faults::default() }, seed);
        let models: Arc<dyn ReadModels> =
            FaultyReadModels::new("views", Arc::new(MemoryReadModels::new()), life);
        scheduler.run(async {
            let app = on(&store, &models, 3).spawn(Arc::new(scheduler.process()));
            let app = app.sleep(Arc::new(scheduler.clone())).view::<Sum0>().start();
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            caught_up(app.projections(), "sum").await;
            holds::<Sum0>(&app).await;
            app.stop().await;
        });
    }
}

#[test]
fn while_another_process_writes_it_waits_and_then_goes_on() {
    block_on(async {
        let (dir, store, keys) = (tempfile::tempdir().unwrap(), log(), Keys::new());
        let app = on(&store, &at(dir.path()), 3).view::<Sum0>().project(Ledger0::default()).start();
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        let mut held = Vec::new();
        let other = at(dir.path());
        for name in ["sum", "ledger"] {
            caught_up(app.projections(), name).await;
            let build = app.projections().status(name).await.unwrap().build.unwrap();
            let model = other.find(&build).await.unwrap().unwrap();
            held.push(model.scratch().await.unwrap());
        }
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        for name in ["sum", "ledger"] {
            let status = app.projections().status(name).await.unwrap();
            assert_eq!((status.position.get(), status.lag_events), (1, 1));
        }
        // Who reads does not wait.
        assert_eq!(app.documents::<Sum0>().get(&keys.key(1)).await.unwrap().document.unwrap().sum, 1);
        assert_eq!(app.documents::<Sum0>().latest(&keys.key(1)).await.unwrap().document.unwrap().sum, 2);
        drop(held);
        for name in ["sum", "ledger"] {
            caught_up(app.projections(), name).await;
        }
        holds::<Sum0>(&app).await;
        holds_entries::<Ledger0>(&app).await;
        app.stop().await;
    });
}

#[test]
fn what_could_not_be_enabled_at_the_moment_is_by_the_next_call() {
    block_on(async {
        let (dir, store, keys) = (tempfile::tempdir().unwrap(), log(), Keys::new());
        let app = on(&store, &at(dir.path()), 3).view::<Sum0>().start();
        caught_up(app.projections(), "sum").await;
        app.projections().disable("sum").await.unwrap();
        let key = app.projections().rebuild_key("sum", "key-1").await.unwrap_err();
        assert!(key.to_string().contains("is disabled: enable it"), "{key}");
        let build = app.projections().status("sum").await.unwrap().build.unwrap();
        let other = at(dir.path()).find(&build).await.unwrap().unwrap();
        let held = other.scratch().await.unwrap();
        let refused = app.projections().enable("sum").await;
        assert!(matches!(refused, Err(ProjectionError::Unavailable(_))), "{refused:?}");
        drop(held);
        app.projections().enable("sum").await.unwrap();
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        caught_up(app.projections(), "sum").await;
        app.stop().await;
    });
}

/// Nothing is tried again by itself.
#[derive(Debug)]
struct Asleep;

impl Sleep for Asleep {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn what_could_not_be_read_of_the_notes_at_the_start_is_not_written_over_by_a_verb() {
    block_on(async {
        let (dir, store, keys, ledger) =
            (tempfile::tempdir().unwrap(), log(), Keys::new(), Ledger0::default());
        let app = on(&store, &at(dir.path()), 3).view::<Sum0>().project(ledger.clone()).start();
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        caught_up(app.projections(), "ledger").await;
        app.projections().rebuild("ledger").await.unwrap();
        built(app.projections(), "ledger").await;
        let before = app.projections().status("ledger").await.unwrap();
        app.projections().disable("sum").await.unwrap();
        app.stop().await;
        drop(app);
        let (file, aside) = (dir.path().join("projections.sqlite"), dir.path().join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        // What cannot be opened may be so a moment later.
        std::fs::create_dir(&file).unwrap();
        let models = at(dir.path());
        let app = on(&store, &models, 3).sleep(Arc::new(Asleep)).view::<Sum0>().project(ledger.clone());
        let app = app.start();
        for name in ["sum", "ledger"] {
            until(app.projections(), name, |status| matches!(status.state, ProjectionState::Retrying(_)))
                .await;
            assert!(app.projections().resume(name).await.is_err(), "it cannot be written down either");
        }
        std::fs::remove_dir(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        assert!(matches!(app.projections().resume("sum").await, Err(ProjectionError::Conflict { .. })));
        app.projections().resume("ledger").await.unwrap();
        let after = until(app.projections(), "ledger", |status| status.caught_up()).await;
        assert_eq!(
            (&after.build, &after.previous),
            (&before.build, &before.previous),
            "what was there is gone on with"
        );
        told_once(&ledger);
        app.stop().await;
    });
}

#[test]
fn what_is_damaged_is_told_of_and_made_anew_when_asked_and_the_other_goes_on() {
    for reset in [false, true] {
        for whole in [false, true] {
            block_on(async {
                let (dir, store, keys, ledger) =
                    (tempfile::tempdir().unwrap(), log(), Keys::new(), Ledger0::default());
                let app = on(&store, &at(dir.path()), 3).view::<Sum0>().project(ledger.clone()).start();
                for n in 0..30 {
                    append(&*store, &[Added { key: keys.key(n % 3), amount: 1 }]).await;
                }
                for name in ["sum", "ledger"] {
                    caught_up(app.projections(), name).await;
                }
                app.stop().await;
                drop(app);
                let file = dir.path().join("sum.1.1.sqlite");
                let bytes = std::fs::read(&file).unwrap();
                let damaged = match whole {
                    true => b"this is no database at all".repeat(400),
                    // The first page is fine, and nothing else.
                    false => bytes
                        .iter()
                        .enumerate()
                        .map(|(at, byte)| if at < 4096 { *byte } else { 0x5a })
                        .collect(),
                };
                std::fs::write(&file, damaged).unwrap();
                let app = on(&store, &at(dir.path()), 3).view::<Sum0>().project(ledger.clone()).start();
                append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
                caught_up(app.projections(), "ledger").await;
                let status = until(app.projections(), "sum", |status| {
                    matches!(status.state, ProjectionState::Stopped(_))
                })
                .await;
                let ProjectionState::Stopped(StopReason::Refused(cause)) = &status.state else {
                    panic!("{status:?}")
                };
                assert_eq!(cause.kind(), ErrorKind::RepairData, "{cause}");
                match app.documents::<Sum0>().get(&keys.key(1)).await {
                    Err(QueryError::Unavailable(cause)) => assert_eq!(cause.kind(), ErrorKind::RepairData),
                    other => panic!("{other:?}"),
                }
                match reset {
                    true => app.projections().reset("sum").await.unwrap(),
                    false => app.projections().rebuild("sum").await.unwrap(),
                }
                built(app.projections(), "sum").await;
                caught_up(app.projections(), "sum").await;
                holds::<Sum0>(&app).await;
                holds_entries::<Ledger0>(&app).await;
                assert_eq!(told_once(&ledger).len(), 31);
                app.stop().await;
            });
        }
    }
}

#[test]
fn what_is_taken_away_while_it_runs_is_told_of_and_made_anew_when_asked() {
    for reset in [false, true] {
        block_on(async {
            let (dir, store, keys, ledger) =
                (tempfile::tempdir().unwrap(), log(), Keys::new(), Ledger0::default());
            let app = on(&store, &at(dir.path()), 3).view::<Sum0>().project(ledger.clone()).start();
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            caught_up(app.projections(), "ledger").await;
            std::fs::remove_file(dir.path().join("ledger.1.1.sqlite")).unwrap();
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            let status = until(app.projections(), "ledger", |status| {
                matches!(status.state, ProjectionState::Stopped(_))
            })
            .await;
            let ProjectionState::Stopped(StopReason::Refused(cause)) = &status.state else {
                panic!("{status:?}")
            };
            assert_eq!(cause.kind(), ErrorKind::Reopen, "{cause}");
            match reset {
                true => app.projections().reset("ledger").await.unwrap(),
                false => app.projections().rebuild("ledger").await.unwrap(),
            }
            built(app.projections(), "ledger").await;
            caught_up(app.projections(), "ledger").await;
            caught_up(app.projections(), "sum").await;
            holds_entries::<Ledger0>(&app).await;
            holds::<Sum0>(&app).await;
            assert_eq!(told_once(&ledger), [1, 2]);
            app.stop().await;
        });
    }
}
