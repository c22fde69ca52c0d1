//! What stands after a restart: what operators asked for, what was under way, and whose log it follows from.

use super::{
    counters::{Counted::*, Keys, Ledger, Sum, append},
    desk::{
        LONG, Sum0, at, built, caught_up, doomed, entries, holds, holds_entries, kept, on, release_all,
        told_once,
    },
};
use factum::{
    CommandId, Commit, CorrelationId, EventId, LogIdentity, Position, ProjectionError, ProjectionState,
    Query, RecordedEvent, Revision, Sequence, Sleep as _, Source, StoreError, StreamName, block_on,
    store::{
        Append, BoxFuture, CommitPage, Families, Head, MemoryReadModels, MemoryStore, Page, ReadModels,
        ReadOptions, Store, Verdict,
    },
};
use factum_sqlite::SqliteReadModels;
use factum_testkit::{Faults, FaultyReadModels, Life, Scheduler};
use std::{sync::Arc, time::Duration};

type Ledger0 = Ledger<0, 1>;

fn log() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// In memory and in files, with what has to last as long.
fn models() -> [(Arc<dyn ReadModels>, tempfile::TempDir); 2] {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sql = || Arc::new(SqliteReadModels::at(one.path().join("sql")));
    [(Arc::new(MemoryReadModels::with_sql(sql())), one), (Arc::new(SqliteReadModels::at(two.path())), two)]
}

#[test]
fn what_operators_asked_for_stands_after_a_restart() {
    for (models, _dir) in models() {
        block_on(async {
            let (store, keys) = (log(), Keys::new());
            let ledger = Ledger0::default();
            let app =
                || on(&store, &models, 3).view::<Sum0>().view::<Sum<1>>().project(ledger.clone()).start();
            let first = app();
            append(&*store, &[Doomed { key: keys.key(1) }, Added { key: keys.key(1), amount: 1 }]).await;
            for name in ["sum", "sum-1", "ledger"] {
                caught_up(first.projections(), name).await;
            }
            release_all(first.projections(), "sum", &[1]).await;
            first.projections().rebuild("sum").await.unwrap();
            built(first.projections(), "sum").await;
            first.projections().pause("sum").await.unwrap();
            first.projections().disable("sum-1").await.unwrap();
            let before = first.projections().status("sum").await.unwrap();
            first.stop().await;
            drop(first);

            let second = app();
            append(&*store, &[Added { key: keys.key(2), amount: 1 }]).await;
            caught_up(second.projections(), "ledger").await;
            let sum = second.projections().status("sum").await.unwrap();
            assert_eq!((&sum.state, &sum.build), (&ProjectionState::Paused, &before.build));
            assert_eq!((sum.previous, sum.discarded), (before.previous, before.discarded));
            assert_eq!(sum.position, before.position);
            assert_eq!(second.projections().reached("sum", at(3), LONG).await, Ok(false));
            assert_eq!(second.projections().status("sum-1").await.unwrap().state, ProjectionState::Disabled);
            let disabled = second.documents::<Sum<1>>().get(&keys.key(1)).await;
            assert!(
                matches!(
                    disabled,
                    Err(factum::QueryError::NotReadable { state: ProjectionState::Disabled, .. })
                ),
                "{disabled:?}"
            );
            assert!(matches!(
                second.projections().resume("sum-1").await,
                Err(ProjectionError::Conflict { .. })
            ));
            // The latest is told also while it is paused.
            assert_eq!(
                second.documents::<Sum0>().latest(&keys.key(2)).await.unwrap().document.unwrap().sum,
                1
            );
            assert_eq!(second.documents::<Sum0>().get(&keys.key(2)).await.unwrap().document, None);
            second.projections().resume("sum").await.unwrap();
            second.projections().enable("sum-1").await.unwrap();
            for name in ["sum", "sum-1"] {
                caught_up(second.projections(), name).await;
            }
            holds::<Sum0>(&second).await;
            // Parked under the first.
            release_all(second.projections(), "sum-1", &[1]).await;
            holds::<Sum<1>>(&second).await;
            second.stop().await;
            assert_eq!(told_once(&ledger), [3], "the second event waits behind the first");
        });
    }
}

#[test]
fn a_rebuild_goes_on_after_a_restart_and_one_that_was_disabled_meanwhile_goes_on_when_it_is_enabled() {
    for disabled in [false, true] {
        let (store, keys) = (log(), Keys::new());
        let models: Arc<dyn ReadModels> = Arc::new(MemoryReadModels::new());
        let scheduler = Scheduler::new(1);
        let on = |process: &factum_testkit::Process, models: &Arc<dyn ReadModels>| {
            let app = on(&store, models, 1).spawn(Arc::new(process.clone()));
            app.sleep(Arc::new(scheduler.clone())).view::<Sum0>().start()
        };
        scheduler.run(async {
            for n in 0..30 {
                append(&*store, &[Added { key: keys.key(n % 3), amount: 1 }]).await;
            }
            let process = scheduler.process();
            let slow: Arc<dyn ReadModels> = FaultyReadModels::new(
                "views",
                Arc::clone(&models),
                Life::new(Faults { yields_max: 3, ..Faults::default() }, 1),
            );
            let app = on(&process, &slow);
            assert_eq!(app.projections().caught_up("sum", LONG).await, Ok(true));
            app.projections().rebuild("sum").await.unwrap();
            let building = loop {
                let building = app.projections().status("sum").await.unwrap().building.unwrap();
                if building.position >= at(10) {
                    break building;
                }
            };
            if disabled {
                app.projections().disable("sum").await.unwrap();
            }
            process.kill();
            let app = on(&scheduler.process(), &models);
            if disabled {
                assert_eq!(app.projections().status("sum").await.unwrap().state, ProjectionState::Disabled);
                app.projections().enable("sum").await.unwrap();
            }
            while app.projections().status("sum").await.unwrap().building.is_some() {
                scheduler.sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(app.projections().status("sum").await.unwrap().build, Some(building.build));
            holds::<Sum0>(&app).await;
            app.stop().await;
        });
    }
}

#[test]
fn a_new_version_is_made_beside_the_old_one_and_tells_of_what_that_one_did_not() {
    for (models, _dir) in models() {
        for with_old_code in [false, true] {
            block_on(async {
                let (store, keys) = (log(), Keys::new());
                let (one, dir) = (Ledger::<1, 1>::default(), tempfile::tempdir().unwrap());
                let models: Arc<dyn ReadModels> = if with_old_code {
                    Arc::new(SqliteReadModels::at(dir.path()))
                } else {
                    Arc::clone(&models)
                };
                let first = on(&store, &models, 3).view::<Sum<1, 1>>().project(one.clone()).start();
                for n in 0..20 {
                    append(&*store, &[Added { key: keys.key(n % 3), amount: 1 }]).await;
                }
                for name in ["sum-1", "ledger-1"] {
                    caught_up(first.projections(), name).await;
                }
                first.stop().await;
                let old = kept::<Sum<1, 1>>(&first).await;
                drop(first);
                append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;

                let two = Ledger::<1, 2>::after(&one);
                let second = on(&store, &models, 3).view::<Sum<1, 2>>().project(two.clone());
                let second = match with_old_code {
                    true => second.view::<Sum<1, 1>>().project(one.clone()).start(),
                    false => second.start(),
                };
                // There is always one that can be read: the old one, then the new one.
                let mut last = at(0);
                loop {
                    let found = second.documents::<Sum<1, 2>>().get(&keys.key(1)).await.unwrap();
                    assert!(found.position >= last, "it went back from {last} to {}", found.position);
                    last = found.position;
                    let status = second.projections().status("sum-1").await.unwrap();
                    if status.building.is_none() {
                        break;
                    }
                }
                for name in ["sum-1", "ledger-1"] {
                    built(second.projections(), name).await;
                    caught_up(second.projections(), name).await;
                    let status = second.projections().status(name).await.unwrap();
                    assert_eq!(status.build.as_ref().map(|build| build.version), Some(2));
                    assert_eq!(status.previous.map(|build| build.version), Some(1));
                }
                append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
                for name in ["sum-1", "ledger-1"] {
                    caught_up(second.projections(), name).await;
                }
                holds::<Sum<1, 2>>(&second).await;
                holds_entries::<Ledger<1, 2>>(&second).await;
                assert_ne!(kept::<Sum<1, 2>>(&second).await[&keys.text(1)].trace, old[&keys.text(1)].trace);
                assert_eq!(told_once(&two), (1..=22).collect::<Vec<_>>());

                // Back to the old one: it stands also after a restart, until somebody asks for the new one.
                for name in ["sum-1", "ledger-1"] {
                    second.projections().rollback(name).await.unwrap();
                    built(second.projections(), name).await;
                    let status = second.projections().status(name).await.unwrap();
                    assert_eq!(status.build.map(|build| build.version), Some(1));
                    assert_eq!(status.state == ProjectionState::Frozen, !with_old_code, "{:?}", status.state);
                }
                if with_old_code {
                    caught_up(second.projections(), "sum-1").await;
                    holds::<Sum<1, 1>>(&second).await;
                } else {
                    assert_eq!(kept::<Sum<1, 1>>(&second).await, old, "as it was left");
                }
                second.stop().await;
                drop(second);
                let third = on(&store, &models, 3).view::<Sum<1, 2>>().project(two.clone());
                let third = match with_old_code {
                    true => third.view::<Sum<1, 1>>().project(one.clone()).start(),
                    false => third.start(),
                };
                append(&*store, &[Added { key: keys.key(2), amount: 1 }]).await;
                for name in ["sum-1", "ledger-1"] {
                    let status = third.projections().status(name).await.unwrap();
                    assert_eq!(status.build.map(|build| build.version), Some(1), "{name}");
                    assert_eq!(status.building, None);
                    third.projections().rebuild(name).await.unwrap();
                    built(third.projections(), name).await;
                    caught_up(third.projections(), name).await;
                }
                holds::<Sum<1, 2>>(&third).await;
                holds_entries::<Ledger<1, 2>>(&third).await;
                assert_eq!(told_once(&two), (1..=23).collect::<Vec<_>>());
                third.stop().await;
            });
        }
    }
}

/// A log in another life, or under another name.
#[derive(Debug)]
struct Renamed(Arc<dyn Store>, LogIdentity);

impl Store for Renamed {
    fn identity(&self) -> LogIdentity {
        self.1
    }
    fn families(&self) -> Families {
        self.0.families()
    }
    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        self.0.append(batch)
    }
    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        self.0.head()
    }
    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        self.0.read(query, options)
    }
    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>> {
        self.0.revision(stream, at)
    }
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>> {
        self.0.event(id)
    }
    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        self.0.commits(after, limit)
    }
    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>> {
        self.0.commits_of(command)
    }
    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        self.0.correlated(correlation, after, limit)
    }
    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        self.0.progress(source)
    }
    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>> {
        self.0.appended(after)
    }
}

#[test]
fn what_follows_from_another_log_or_another_life_of_it_is_made_anew_and_nothing_of_it_is_believed() {
    for (case, expected) in [("other log", vec![1, 3]), ("generation", vec![]), ("older copy", vec![])] {
        for (models, _dir) in models() {
            block_on(async {
                let (store, keys) = (log(), Keys::new());
                let first_told = Ledger0::default();
                let first = on(&store, &models, 3).view::<Sum0>().project(first_told.clone()).start();
                let three = [
                    Added { key: keys.key(1), amount: 1 },
                    Doomed { key: keys.key(2) },
                    Added { key: keys.key(3), amount: 1 },
                ];
                append(&*store, &three).await;
                append(&*store, &three).await;
                for name in ["sum", "ledger"] {
                    caught_up(first.projections(), name).await;
                    release_all(first.projections(), name, &[2, 5]).await;
                }
                assert_eq!(told_once(&first_told), [1, 3, 4, 6]);
                first.stop().await;
                drop(first);

                let other = log();
                append(&*other, &three).await;
                let identity = store.identity();
                let other: Arc<dyn Store> = match case {
                    "other log" => other,
                    "generation" => {
                        let renewed = LogIdentity { generation: identity.generation + 1, ..identity };
                        Arc::new(Renamed(Arc::clone(&store), renewed))
                    }
                    _ => Arc::new(Renamed(other, identity)),
                };
                let told = Ledger0::default();
                let second = on(&other, &models, 3).view::<Sum0>().project(told.clone()).start();
                for name in ["sum", "ledger"] {
                    caught_up(second.projections(), name).await;
                    let status = second.projections().status(name).await.unwrap();
                    assert!(status.parked > 0, "{case}: what was discarded stood elsewhere: {status:?}");
                    assert_eq!(status.discarded, [], "{case}");
                    let doomed = doomed(&*other).await;
                    release_all(second.projections(), name, &doomed).await;
                }
                holds::<Sum0>(&second).await;
                holds_entries::<Ledger0>(&second).await;
                assert_eq!(told_once(&told), expected, "{case}");
                // And what comes is told of.
                let position = append(&*other, &[Added { key: keys.key(1), amount: 1 }]).await;
                caught_up(second.projections(), "ledger").await;
                assert_eq!(told_once(&told).last(), Some(&position.get()), "{case}");
                second.stop().await;
            });
        }
    }
}

#[test]
fn builds_of_which_nothing_is_noted_are_not_believed_and_nothing_is_told_of_twice() {
    block_on(async {
        let (dir, store, keys) = (tempfile::tempdir().unwrap(), log(), Keys::new());
        let ledger = Ledger0::default();
        let app = || {
            let models: Arc<dyn ReadModels> = Arc::new(SqliteReadModels::at(dir.path()));
            on(&store, &models, 3).view::<Sum0>().project(ledger.clone()).start()
        };
        let first = app();
        append(&*store, &[Added { key: keys.key(1), amount: 1 }, Added { key: keys.key(2), amount: 1 }])
            .await;
        for name in ["sum", "ledger"] {
            caught_up(first.projections(), name).await;
        }
        first.stop().await;
        drop(first);
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let path = file.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("projections.sqlite") {
                std::fs::remove_file(path).unwrap();
            }
        }
        let second = app();
        for name in ["sum", "ledger"] {
            caught_up(second.projections(), name).await;
            let build = second.projections().status(name).await.unwrap().build.unwrap();
            assert_eq!(build.number, 2, "the number of the one before is not given again");
        }
        holds::<Sum0>(&second).await;
        holds_entries::<Ledger0>(&second).await;
        assert_eq!(entries::<Ledger0>(&second).await.len(), 2);
        append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
        caught_up(second.projections(), "ledger").await;
        assert_eq!(told_once(&ledger), [1, 2, 3]);
        second.stop().await;
        let files = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name());
        let left = files.filter(|file| file.to_str().unwrap().contains(".1.1.")).collect::<Vec<_>>();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn a_build_that_was_to_be_removed_is_removed_at_the_next_start() {
    for (models, _dir) in models() {
        block_on(async {
            let (store, keys) = (log(), Keys::new());
            append(&*store, &[Added { key: keys.key(1), amount: 1 }]).await;
            let app = || on(&store, &models, 3).view::<Sum0>().start();
            let first = app();
            let mut before = None;
            for _ in 0..2 {
                caught_up(first.projections(), "sum").await;
                before = before.or(first.projections().status("sum").await.unwrap().build);
                first.projections().rebuild("sum").await.unwrap();
                built(first.projections(), "sum").await;
            }
            first.stop().await;
            drop(first);
            let left = before.unwrap();
            let tables = factum::store::read_models::Tables::Documents { indexes: &[], form: String::new() };
            models.open(&left, &tables).await.unwrap();
            assert_eq!(models.builds("sum").await.unwrap().len(), 3);
            let second = app();
            caught_up(second.projections(), "sum").await;
            let status = second.projections().status("sum").await.unwrap();
            let kept: Vec<_> = status.previous.into_iter().chain(status.build).collect();
            assert_eq!(models.builds("sum").await.unwrap(), kept);
            second.stop().await;
        });
    }
}
