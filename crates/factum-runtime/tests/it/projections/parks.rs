//! An event that cannot be applied holds up its own key, in order, and nothing else.

use super::{
    counters::{Counted::*, Keys, Ledger, Sum, append, append_raw},
    desk::{
        Sum0, at, bounds, built, caught_up, doomed, entries, holds, holds_entries, kept, on, release_all,
        told_once, until,
    },
};
use factum::{
    App, Event as _, EventType, NewEvent, ProjectionError, ProjectionState, Recorded, StopReason, StreamName,
    View, ViewKey as _, block_on,
    store::{MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_sqlite::SqliteReadModels;
use std::sync::Arc;

type Ledger0 = Ledger<0, 1>;

/// Every way to keep read models, for both kinds of projection, in pages of one, of few, and of all.
fn everywhere(play: impl AsyncFn(&Keys, &App, &Ledger0)) {
    for page_events in [1, 3, 1000] {
        for embedded in [false, true] {
            let (dir, keys, ledger) = (tempfile::tempdir().unwrap(), Keys::new(), Ledger0::default());
            let app = if embedded {
                let app = App::embedded(dir.path()).projection_bounds(bounds(page_events));
                app.view::<Sum0>().project(ledger.clone()).start().unwrap()
            } else {
                let app = App::in_memory().projection_bounds(bounds(page_events));
                app.view::<Sum0>().project(ledger.clone()).start()
            };
            block_on(async {
                play(&keys, &app, &ledger).await;
                app.stop().await;
            });
        }
    }
}

/// So many could not be applied, and so many wait.
async fn held(app: &App, name: &str) -> (u64, u64) {
    caught_up(app.projections(), name).await;
    let status = app.projections().status(name).await.unwrap();
    (status.parked, status.waiting)
}

#[test]
fn one_that_cannot_be_applied_holds_up_its_key_alone_and_comes_in_its_place_later() {
    everywhere(async |keys, app, ledger| {
        let (a, b) = (keys.key(1), keys.key(2));
        keys.ill(true);
        let all = [
            Added { key: a, amount: 1 },
            Added { key: b, amount: 2 },
            Poisoned { key: a },
            Added { key: b, amount: 4 },
            Added { key: a, amount: 8 },
            Poisoned { key: a },
            Moved { key: b, to: a, amount: 16 },
            Added { key: a, amount: 32 },
        ];
        append(&**app.store(), &all).await;
        assert_eq!(held(app, "sum").await, (1, 4));
        // One event of a ledger has one key, and the one that was moved is the other's.
        assert_eq!(held(app, "ledger").await, (1, 3));
        let sums = kept::<Sum0>(app).await;
        assert_eq!((sums[&keys.text(1)].sum, sums[&keys.text(2)].sum), (1, 2 + 4 - 16));
        assert_eq!(
            entries::<Ledger0>(app).await,
            [(keys.text(1), vec![1]), (keys.text(2), vec![2, 4, 7])].into()
        );
        let found = app.documents::<Sum0>().get(&a).await.unwrap();
        assert_eq!((found.parked, found.position.get()), (Some(at(3)), 8));
        assert_eq!(app.documents::<Sum0>().get(&b).await.unwrap().parked, None);
        let parked = app.projections().parked("sum", None, 10).await.unwrap();
        assert_eq!(parked.len(), 1);
        assert_eq!(
            (&*parked[0].key, parked[0].position, parked[0].attempts, parked[0].waiting),
            (&*keys.lane(1), at(3), 2, 4)
        );
        assert!(parked[0].cause.contains("this one cannot be folded"), "{}", parked[0].cause);

        // Not mended: it stays, and so does what waits; a later one of the key waits too.
        for name in ["sum", "ledger"] {
            let again = app.projections().redrive(name, at(3), &keys.lane(1)).await;
            assert!(matches!(again, Err(ProjectionError::StillFails { position, .. }) if position == at(3)));
            let other = app.projections().redrive(name, at(6), &keys.lane(1)).await;
            assert!(matches!(other, Err(ProjectionError::Conflict { .. })), "{other:?}");
            let none = app.projections().redrive(name, at(3), &keys.lane(2)).await;
            assert!(matches!(none, Err(ProjectionError::NotParked { .. })), "{none:?}");
        }
        append(&**app.store(), &[Added { key: a, amount: 64 }, Added { key: b, amount: 64 }]).await;
        assert_eq!((held(app, "sum").await, held(app, "ledger").await), ((1, 5), (1, 4)));
        assert_eq!(kept::<Sum0>(app).await[&keys.text(2)].sum, 2 + 4 - 16 + 64);

        keys.ill(false);
        assert_eq!(app.projections().redrive("sum", at(3), &keys.lane(1)).await, Ok(6));
        assert_eq!(app.projections().redrive("ledger", at(3), &keys.lane(1)).await, Ok(5));
        for name in ["sum", "ledger"] {
            assert_eq!(held(app, name).await, (0, 0));
        }
        holds::<Sum0>(app).await;
        holds_entries::<Ledger0>(app).await;
        append(&**app.store(), &[Added { key: a, amount: 64 }]).await;
        caught_up(app.projections(), "sum").await;
        caught_up(app.projections(), "ledger").await;
        holds::<Sum0>(app).await;
        holds_entries::<Ledger0>(app).await;
        assert_eq!(told_once(ledger), (1..=11).collect::<Vec<_>>());
    });
}

#[test]
fn of_an_event_of_two_keys_each_is_driven_again_by_itself() {
    everywhere(async |keys, app, _| {
        let (a, b) = (keys.key(1), keys.key(2));
        keys.ill(true);
        let all = [
            Added { key: a, amount: 1 },
            PoisonedBoth { key: a, to: b },
            Added { key: a, amount: 2 },
            Added { key: b, amount: 4 },
            Added { key: keys.key(3), amount: 4 },
        ];
        append(&**app.store(), &all).await;
        assert_eq!(held(app, "sum").await, (2, 2));
        keys.ill(false);
        assert_eq!(app.projections().redrive("sum", at(2), &keys.lane(2)).await, Ok(2));
        assert_eq!(held(app, "sum").await, (1, 1));
        let sums = kept::<Sum0>(app).await;
        assert_eq!((sums[&keys.text(1)].sum, sums[&keys.text(2)].sum, sums[&keys.text(3)].sum), (1, 4, 4));
        assert_eq!(app.projections().redrive("sum", at(2), &keys.lane(1)).await, Ok(2));
        holds::<Sum0>(app).await;
    });
}

#[test]
fn what_is_discarded_is_written_down_and_stands_in_every_later_build() {
    everywhere(async |keys, app, ledger| {
        let (a, b) = (keys.key(1), keys.key(2));
        let all = [
            Added { key: a, amount: 1 },
            Doomed { key: a },
            Added { key: a, amount: 2 },
            Doomed { key: a },
            Added { key: a, amount: 4 },
            Doomed { key: b },
        ];
        append(&**app.store(), &all).await;
        for (name, applied) in [("sum", 1), ("ledger", 1)] {
            assert_eq!(held(app, name).await, (2, 3), "{name}");
            let projections = app.projections();
            let second = projections.discard(name, at(4), &keys.lane(1), "olga", "no").await;
            assert!(matches!(second, Err(ProjectionError::Conflict { .. })), "{second:?}");
            assert_eq!(projections.status(name).await.unwrap().discarded, []);
            // What waited behind it is applied, up to the next that cannot be.
            let released = projections.discard(name, at(2), &keys.lane(1), "olga", "no use").await;
            assert_eq!(released, Ok(applied));
            assert_eq!(held(app, name).await, (2, 1), "{name}");
            release_all(projections, name, &[4, 6]).await;
            let discarded = projections.status(name).await.unwrap().discarded;
            let told: Vec<_> = discarded.iter().map(|event| (event.position.get(), &*event.actor)).collect();
            assert_eq!(told, [(6, "olga"), (4, "olga"), (2, "olga")]);
            assert_eq!((&*discarded[2].cause, &*discarded[2].key), ("no use", &*keys.lane(1)));
        }
        holds::<Sum0>(app).await;
        holds_entries::<Ledger0>(app).await;
        for name in ["sum", "ledger"] {
            app.projections().rebuild(name).await.unwrap();
            built(app.projections(), name).await;
            assert_eq!(held(app, name).await, (0, 0), "{name}");
        }
        holds::<Sum0>(app).await;
        holds_entries::<Ledger0>(app).await;
        let sums = app.projections().rebuild_key("sum", &keys.text(1)).await;
        let lines = app.projections().rebuild_key("ledger", &keys.text(1)).await;
        assert!(sums.is_ok() && lines.is_ok(), "{sums:?} {lines:?}");
        holds::<Sum0>(app).await;
        holds_entries::<Ledger0>(app).await;
        assert_eq!(told_once(ledger), [1, 3, 5]);
    });
}

#[test]
fn one_of_two_keys_that_was_given_up_is_given_up_in_a_later_build_and_the_other_is_not() {
    everywhere(async |keys, app, _| {
        let (a, b) = (keys.key(1), keys.key(2));
        keys.ill(true);
        let all = [PoisonedBoth { key: a, to: b }, Added { key: a, amount: 2 }, Added { key: b, amount: 4 }];
        append(&**app.store(), &all).await;
        caught_up(app.projections(), "sum").await;
        assert_eq!(app.projections().discard("sum", at(1), &keys.lane(1), "olga", "no").await, Ok(1));
        app.projections().rebuild("sum").await.unwrap();
        built(app.projections(), "sum").await;
        assert_eq!(held(app, "sum").await, (1, 1));
        let parked = app.projections().parked("sum", None, 10).await.unwrap();
        assert_eq!(parked[0].key, keys.lane(2));
        assert_eq!(kept::<Sum0>(app).await[&keys.text(1)].sum, 2);
    });
}

/// An event as a later build of the application would write it.
fn raw(keys: &Keys, event_type: &str, version: u32, payload: &str) -> NewEvent {
    let stream = StreamName::unchecked(format!("key-{}", keys.text(1)));
    let mut event = NewEvent::json(stream, EventType::unchecked(event_type), payload.to_owned());
    event.version = version;
    event
}

#[test]
fn what_this_build_cannot_read_holds_up_its_stream_and_whatever_shares_a_key_with_it() {
    everywhere(async |keys, app, ledger| {
        let (a, b) = (keys.key(1), keys.key(2));
        let known = Added { key: a, amount: 2 }.to_new();
        let stream = known.stream.clone();
        let unreadable = [
            NewEvent { stream: stream.clone(), ..raw(keys, "counting.invented", 1, "{}") },
            NewEvent { version: known.version + 7, ..known.clone() },
            NewEvent { payload: "not json".into(), ..known.clone() },
        ];
        for (nth, one) in unreadable.into_iter().enumerate() {
            let before = u64::try_from(nth).unwrap() * 6;
            let six = vec![
                Added { key: a, amount: 1 }.to_new(),
                one,
                // Of the same stream; then of another, by a key that waits by now; then of no concern.
                Moved { key: a, to: b, amount: 2 }.to_new(),
                Moved { key: b, to: keys.key(3), amount: 4 }.to_new(),
                Added { key: keys.key(4), amount: 4 }.to_new(),
                Added { key: a, amount: 8 }.to_new(),
            ];
            append_raw(&**app.store(), six).await;
            assert_eq!(held(app, "sum").await, (1, 4), "{nth}");
            // One event of a ledger has one key: that of its stream.
            assert_eq!(held(app, "ledger").await, (1, 2), "{nth}");
            let lane = format!("stream/{stream}");
            for name in ["sum", "ledger"] {
                let parked = app.projections().parked(name, None, 10).await.unwrap();
                assert_eq!((&*parked[0].key, parked[0].position), (&*lane, at(before + 2)));
                let again = app.projections().redrive(name, parked[0].position, &lane).await;
                assert!(matches!(again, Err(ProjectionError::StillFails { .. })), "{again:?}");
            }
            let sums = kept::<Sum0>(app).await;
            assert_eq!(sums[&keys.text(4)].last, before + 5);
            assert_eq!(sums[&keys.text(3)].last, before + 4, "it does not wait by the key of another");
            assert_eq!(sums[&keys.text(1)].last, before + 1);
            for name in ["sum", "ledger"] {
                let gave_up = app.projections().discard(name, at(before + 2), &lane, "olga", "no").await;
                assert!(gave_up.is_ok(), "{gave_up:?}");
                assert_eq!(held(app, name).await, (0, 0), "{nth}");
            }
            holds::<Sum0>(app).await;
            holds_entries::<Ledger0>(app).await;
        }
        let told = told_once(ledger);
        assert_eq!(told.len(), 15);
    });
}

#[test]
fn within_a_page_what_waits_by_one_key_makes_others_wait_by_it() {
    block_on(async {
        let keys = Keys::new();
        let app = App::in_memory().projection_bounds(bounds(1000)).view::<Sum0>().start();
        let stream = Added { key: keys.key(1), amount: 2 }.to_new().stream;
        append_raw(&**app.store(), vec![NewEvent { stream, ..raw(&keys, "counting.invented", 1, "{}") }])
            .await;
        caught_up(app.projections(), "sum").await;
        // The first waits for its stream, the second for a key of the first.
        let both = [
            Moved { key: keys.key(1), to: keys.key(2), amount: 1 },
            Moved { key: keys.key(2), to: keys.key(3), amount: 1 },
        ];
        append(&**app.store(), &both).await;
        assert_eq!(held(&app, "sum").await, (1, 3));
        assert_eq!(kept::<Sum0>(&app).await.keys().collect::<Vec<_>>(), [&keys.text(3)]);
        app.stop().await;
    });
}

#[test]
fn the_latest_stays_behind_what_waits_for_its_stream_as_well() {
    block_on(async {
        let keys = Keys::new();
        let app =
            App::in_memory().projection_bounds(bounds(10)).view::<Sum0>().project(Ledger0::default()).start();
        let known = Added { key: keys.key(1), amount: 2 }.to_new();
        let unknown = NewEvent { stream: known.stream.clone(), ..raw(&keys, "counting.invented", 1, "{}") };
        append_raw(&**app.store(), vec![known, unknown]).await;
        for name in ["sum", "ledger"] {
            caught_up(app.projections(), name).await;
            app.projections().pause(name).await.unwrap();
        }
        append(
            &**app.store(),
            &[Added { key: keys.key(1), amount: 4 }, Added { key: keys.key(2), amount: 1 }],
        )
        .await;
        // Of the key that waits, from another stream: it waits behind the third.
        let elsewhere = Added { key: keys.key(3), amount: 1 }.to_new().stream;
        let same_key = Added { key: keys.key(1), amount: 8 }.to_new();
        append_raw(&**app.store(), vec![NewEvent { stream: elsewhere, ..same_key }]).await;
        let latest = app.documents::<Sum0>().latest(&keys.key(1)).await.unwrap();
        assert_eq!(latest.document.unwrap().sum, 2, "what comes after what cannot be read is not folded");
        assert_eq!(latest.parked, Some(at(3)));
        assert_eq!(app.documents::<Sum0>().latest(&keys.key(2)).await.unwrap().document.unwrap().sum, 1);
        let rows = app.tables::<Ledger0>().latest("select position from entries order by nth", vec![]).await;
        let rows = rows.unwrap().rows;
        assert_eq!(rows.iter().map(|row| row.integer("position").unwrap()).collect::<Vec<_>>(), [1, 4]);
    });
}

/// As [`Sum`], but stops at what it cannot apply.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Strict(Sum);

impl View for Strict {
    const NAME: &'static str = "strict";
    const VERSION: u32 = 1;
    const ON_ERROR: factum::OnError = factum::OnError::Stop;
    type Event = Recorded<super::counters::Counted>;
    type Key = super::counters::KeyId;
    fn keys(event: &Self::Event) -> Vec<Self::Key> {
        Sum0::keys(event)
    }
    fn apply(&mut self, key: &Self::Key, event: &Self::Event) {
        self.0.apply(key, event);
    }
    fn is_gone(&self) -> bool {
        self.0.is_gone()
    }
}

#[test]
fn one_that_is_declared_to_stop_stops_there_with_all_before_it_kept() {
    block_on(async {
        for page_events in [1, 3, 1000] {
            let keys = Keys::new();
            keys.ill(true);
            let app = App::in_memory()
                .projection_bounds(bounds(page_events))
                .view::<Strict>()
                .view::<Sum0>()
                .start();
            let (a, b) = (keys.key(1), keys.key(2));
            let all = [
                Added { key: a, amount: 1 },
                Added { key: b, amount: 1 },
                Poisoned { key: a },
                Added { key: b, amount: 1 },
            ];
            append(&**app.store(), &all).await;
            let status = until(app.projections(), "strict", |status| {
                matches!(status.state, ProjectionState::Stopped(_))
            })
            .await;
            let ProjectionState::Stopped(StopReason::Event { position, cause }) = &status.state else {
                panic!("{status:?}");
            };
            assert_eq!((*position, status.position, status.parked), (at(3), at(2), 0));
            assert!(cause.contains("cannot be folded"), "{cause}");
            assert_eq!(kept::<Strict>(&app).await[&keys.text(2)].0.events, 1);
            caught_up(app.projections(), "sum").await;
            let again = app.projections().resume("strict").await;
            assert!(again.is_ok() || matches!(again, Err(ProjectionError::Stopped { .. })));
            until(app.projections(), "strict", |status| matches!(status.state, ProjectionState::Stopped(_)))
                .await;
            keys.ill(false);
            app.projections().resume("strict").await.unwrap();
            caught_up(app.projections(), "strict").await;
            holds::<Strict>(&app).await;
        }
    });
}

#[test]
fn when_too_many_keys_are_parked_it_stops_before_the_one_too_many_and_goes_on_when_they_are_fewer() {
    block_on(async {
        let keys = Keys::new();
        keys.ill(true);
        let few = factum::ProjectionBounds { parked_keys: 3, ..bounds(10) };
        let (store, models): (Arc<dyn Store>, Arc<dyn ReadModels>) =
            (Arc::new(MemoryStore::new()), Arc::new(MemoryReadModels::new()));
        let app = on(&store, &models, 10).projection_bounds(few).view::<Sum0>().start();
        for number in 0..5 {
            append(&*store, &[Poisoned { key: keys.key(number) }]).await;
        }
        let status =
            until(app.projections(), "sum", |status| matches!(status.state, ProjectionState::Stopped(_)))
                .await;
        assert_eq!(status.state, ProjectionState::Stopped(StopReason::TooManyParked { max: 3 }));
        assert_eq!((status.parked, status.position), (3, at(3)));
        keys.ill(false);
        app.projections().resume("sum").await.unwrap();
        caught_up(app.projections(), "sum").await;
        release_all(app.projections(), "sum", &[]).await;
        holds::<Sum0>(&app).await;
        app.stop().await;
    });
}

/// One whose keys cannot be told, or cannot be kept.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Odd(u64);

impl View for Odd {
    const NAME: &'static str = "odd";
    const VERSION: u32 = 1;
    type Event = super::counters::Counted;
    type Key = String;
    fn keys(event: &Self::Event) -> Vec<String> {
        match event {
            Added { key, amount: 3 } => vec!["x".repeat(4000), key.text()],
            Added { key, amount: 4 } => vec!["y".repeat(2045), key.text()],
            Added { key, .. } => vec![key.text()],
            other => panic!("nobody knows where {other:?} belongs"),
        }
    }
    fn apply(&mut self, _: &String, _: &Self::Event) {
        self.0 += 1;
    }
}

#[test]
fn keys_that_cannot_be_told_or_are_too_long_are_the_fault_of_their_event() {
    for sqlite in [false, true] {
        block_on(async {
            let (dir, keys) = (tempfile::tempdir().unwrap(), Keys::new());
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let models: Arc<dyn ReadModels> = if sqlite {
                Arc::new(SqliteReadModels::at(dir.path()))
            } else {
                Arc::new(MemoryReadModels::new())
            };
            let app = on(&store, &models, 5).view::<Odd>().start();
            let (a, b) = (keys.key(1), keys.key(2));
            let all = [
                Added { key: a, amount: 1 },
                Added { key: b, amount: 3 },
                Added { key: b, amount: 1 },
                Ended { key: a },
                Added { key: a, amount: 1 },
                Added { key: keys.key(3), amount: 4 },
            ];
            append(&*store, &all).await;
            caught_up(app.projections(), "odd").await;
            let parked = app.projections().parked("odd", None, 10).await.unwrap();
            assert_eq!(parked.iter().map(|one| one.position.get()).collect::<Vec<_>>(), [2, 2, 4]);
            assert!(parked[0].cause.contains("has 4000 bytes, and 2048 is the most"), "{}", parked[0].cause);
            assert!(parked[2].cause.contains("nobody knows where"), "{}", parked[2].cause);
            let kept = kept::<Odd>(&app).await;
            assert_eq!((&kept[&keys.text(1)], &kept[&keys.text(3)]), (&Odd(1), &Odd(1)));
            assert_eq!(kept.len(), 3, "the one of 2045 bytes is fine");
            release_all(app.projections(), "odd", &[2, 4]).await;
            let kept = super::desk::kept::<Odd>(&app).await;
            assert_eq!((&kept[&keys.text(1)], &kept[&keys.text(2)]), (&Odd(2), &Odd(1)));
            app.stop().await;
        });
    }
}

#[test]
fn more_wait_than_a_page_of_parked_events_holds() {
    everywhere(async |keys, app, ledger| {
        keys.ill(true);
        let mut all =
            vec![Poisoned { key: keys.key(1) }, Poisoned { key: keys.key(2) }, Doomed { key: keys.key(3) }];
        all.extend((0..900).map(|n| Added { key: keys.key(1 + n % 4), amount: 1 }));
        append(&**app.store(), &all).await;
        for name in ["sum", "ledger"] {
            assert_eq!(held(app, name).await, (3, 675));
        }
        keys.ill(false);
        let doomed = doomed(&**app.store()).await;
        assert_eq!(doomed, [3]);
        for name in ["sum", "ledger"] {
            release_all(app.projections(), name, &doomed).await;
            assert_eq!(held(app, name).await, (0, 0));
        }
        holds::<Sum0>(app).await;
        holds_entries::<Ledger0>(app).await;
        assert_eq!(told_once(ledger).len(), 902);
    });
}
