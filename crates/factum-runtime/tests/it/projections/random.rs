//! Random histories: events of all kinds, pages of any size, operators, restarts and deaths at any moment, and
//! readers beside all of it. What is told meanwhile follows from the log up to where it says, and what is kept at
//! the end follows from all of it.

use super::{
    counters::{Counted, Counted::*, KeyId, Keys, Sum, append, folded, log},
    desk::{LONG, Sum0, doomed, holds, on},
};
use factum::{
    App, Position, ProjectionError, QueryError, RecordedEvent, Sleep as _, ViewKey as _,
    store::{MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_testkit::{Faults, FaultyReadModels, FaultyStore, Life, Process, Scheduler, SeededEntropy, soak};
use futures_util::future::{Either, select};
use std::{cell::Cell, pin::pin, sync::Arc, time::Duration};

const KEYS: u64 = 5;
const NAMES: [&str; 2] = ["sum", "sum-1"];

struct World {
    random: SeededEntropy,
    scheduler: Scheduler,
    keys: Keys,
    store: Arc<dyn Store>,
    models: Arc<dyn ReadModels>,
}

impl World {
    fn below(&self, bound: u64) -> u64 {
        self.random.next_u64() % bound
    }

    fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn key(&self) -> KeyId {
        self.keys.key(u32::try_from(self.below(KEYS)).unwrap())
    }

    fn event(&self) -> Counted {
        let (key, to, amount) = (self.key(), self.key(), i64::try_from(self.below(100)).unwrap() - 50);
        match self.below(14) {
            0..6 => Added { key, amount },
            6..9 => Moved { key, to, amount },
            9 | 10 => Ended { key },
            11 => Poisoned { key },
            12 => PoisonedBoth { key, to },
            _ => Doomed { key },
        }
    }

    async fn pause(&self) {
        self.scheduler.sleep(Duration::from_micros(self.below(3000))).await;
    }
}

fn app(world: &World, life: &Arc<Life>, process: &Process) -> App {
    let models: Arc<dyn ReadModels> =
        FaultyReadModels::new("views", Arc::clone(&world.models), Arc::clone(life));
    let store: Arc<dyn Store> = FaultyStore::new("events", Arc::clone(&world.store), Arc::clone(life));
    let page_events = [1, 2, 3, 7, 1000][usize::try_from(world.below(5)).unwrap()];
    let app = on(&store, &models, page_events)
        .spawn(Arc::new(process.clone()))
        .sleep(Arc::new(world.scheduler.clone()))
        .clock(Arc::clone(world.scheduler.clock()) as Arc<dyn factum::Clock>);
    app.view::<Sum0>().view::<Sum<1>>().start()
}

/// What may be refused, for what the projection is at or the world is like at the moment.
fn refusable<T>(done: Result<T, ProjectionError>) {
    match done {
        Ok(_)
        | Err(
            ProjectionError::Conflict { .. }
            | ProjectionError::NotParked { .. }
            | ProjectionError::StillFails { .. }
            | ProjectionError::Unavailable(_)
            | ProjectionError::Stopped { .. },
        ) => {}
        Err(other) => panic!("{other}"),
    }
}

/// One thing that an operator does, who may go away in the middle of it.
async fn operate(world: &World, app: &App) {
    let (projections, name) = (app.projections(), NAMES[usize::try_from(world.below(2)).unwrap()]);
    let doing = async {
        match world.below(13) {
            0 => refusable(projections.pause(name).await),
            1 | 2 => refusable(projections.resume(name).await),
            3 => refusable(projections.disable(name).await),
            4 | 5 => refusable(projections.enable(name).await),
            6 => refusable(projections.rebuild(name).await),
            7 => refusable(projections.rebuild_all(&NAMES).await),
            8 => refusable(projections.cancel(name).await),
            9 => refusable(projections.rollback(name).await),
            10 => refusable(projections.reset(name).await),
            11 => refusable(projections.rebuild_key(name, &world.key().text()).await),
            _ => {
                let Ok(parked) = projections.parked(name, None, 3).await else { return };
                let doomed = doomed(&*world.store).await;
                for event in parked {
                    if doomed.contains(&event.position.get()) {
                        refusable(projections.discard(name, event.position, &event.key, "olga", "no").await);
                    } else {
                        refusable(projections.redrive(name, event.position, &event.key).await);
                    }
                }
            }
        }
    };
    if world.one_in(3) {
        let gone = world.scheduler.sleep(Duration::from_micros(world.below(300)));
        drop(select(pin!(doing), pin!(gone)).await);
    } else {
        doing.await;
    }
}

/// What stands in the documents of a key once every event up to a position was applied.
fn folded_up_to(events: &[RecordedEvent], position: Position, key: KeyId) -> Option<Sum0> {
    let end = events.partition_point(|event| event.position <= position);
    folded::<Sum0>(&events[..end]).remove(&key.text())
}

/// Reads, and holds what is told to what follows from the log.
async fn read(world: &World, app: &App) {
    let key = world.key();
    let documents = || app.documents::<Sum0>();
    let refused = |error: &QueryError| {
        let fine = matches!(
            error,
            QueryError::Unavailable(_) | QueryError::NotReadable { .. } | QueryError::Unapplied { .. }
        );
        assert!(fine, "{error}");
    };
    let found = match world.below(3) {
        0 => documents().get(&key).await,
        1 => documents().latest(&key).await,
        _ => {
            let list = documents().list().order_by("sum").limit(2).await;
            match &list {
                Ok(list) if list.documents.len() == 2 => {
                    assert!(list.documents[0].document.sum <= list.documents[1].document.sum);
                }
                Ok(_) => {}
                Err(error) => refused(error),
            }
            return;
        }
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return refused(&error),
    };
    let events = log(&*world.store).await;
    if found.parked.is_none() {
        let expected = folded_up_to(&events, found.position, key);
        assert_eq!(found.document, expected, "key {} up to {}", key.text(), found.position);
    } else if let Some(document) = &found.document {
        let ended = found.parked.unwrap();
        assert!(document.last < ended.get(), "what comes after one that is parked is not in it: {found:?}");
    }
}

async fn live(world: &World, faulty: bool) {
    let process = world.scheduler.process();
    let faults = Faults {
        yields_max: world.below(5),
        retry_one_in: if faulty && world.one_in(2) { 5 + world.below(60) } else { 0 },
        unknown_one_in: if faulty && world.one_in(2) { 5 + world.below(60) } else { 0 },
        dies_at: (faulty && world.one_in(2)).then(|| world.below(1500)),
        ..Faults::default()
    };
    world.keys.ill(world.one_in(2));
    let life = Life::new(faults, world.random.next_u64());
    let app = app(world, &life, &process);
    let done = Cell::new(false);
    let writing = async {
        for _ in 0..world.below(12) {
            let events: Vec<_> = (0..1 + world.below(6)).map(|_| world.event()).collect();
            append(&*world.store, &events).await;
            world.pause().await;
            if world.one_in(6) {
                world.keys.ill(world.one_in(2));
            }
        }
        for _ in 0..world.below(10) {
            world.pause().await;
        }
        done.set(true);
    };
    let operating = async {
        while !done.get() {
            operate(world, &app).await;
            world.pause().await;
        }
    };
    let reading = async {
        while !done.get() {
            read(world, &app).await;
            world.pause().await;
        }
    };
    let all = pin!(futures_util::future::join3(writing, operating, reading));
    match select(all, pin!(life.over())).await {
        Either::Left(_) if world.one_in(2) => {
            let stopping = pin!(app.stop());
            drop(select(stopping, pin!(life.over())).await);
        }
        _ => {}
    }
    process.kill();
}

/// A life without faults, in which everything comes to its end.
async fn settle(world: &World) {
    let process = world.scheduler.process();
    let app = app(world, &Life::new(Faults::default(), 1), &process);
    world.keys.ill(false);
    let projections = app.projections();
    let doomed = doomed(&*world.store).await;
    for name in NAMES {
        projections.enable(name).await.unwrap();
        projections.resume(name).await.unwrap();
        let mut turns = 0;
        loop {
            let status = projections.status(name).await.unwrap();
            if status.building.is_none() && status.caught_up() && status.parked + status.waiting == 0 {
                break;
            }
            for event in projections.parked(name, None, 100).await.unwrap() {
                if doomed.contains(&event.position.get()) {
                    refusable(projections.discard(name, event.position, &event.key, "olga", "no").await);
                } else {
                    refusable(projections.redrive(name, event.position, &event.key).await);
                }
            }
            world.scheduler.sleep(Duration::from_millis(5)).await;
            turns += 1;
            assert!(turns < 3000, "it never comes to an end: {status:#?}");
        }
    }
    holds::<Sum0>(&app).await;
    holds::<Sum<1>>(&app).await;
    listed(world, &app).await;
    let head = world.store.head().await.unwrap().position;
    for number in 0..KEYS {
        let key = world.keys.key(u32::try_from(number).unwrap());
        let kept = app.documents::<Sum0>().get(&key).await.unwrap();
        assert_eq!(kept.position, head);
        assert_eq!(app.documents::<Sum0>().latest(&key).await.unwrap(), kept);
    }
    // All again from the start comes to the same.
    for name in NAMES {
        refusable(projections.rebuild(name).await);
        while projections.status(name).await.unwrap().building.is_some() {
            world.scheduler.sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(projections.caught_up(name, LONG).await, Ok(true));
        assert!(projections.status(name).await.unwrap().parked == 0, "what was discarded stays so");
    }
    holds::<Sum0>(&app).await;
    holds::<Sum<1>>(&app).await;
    app.stop().await;
    process.kill();
}

/// Lists by every index, in pages, either way: each document once, in order.
async fn listed(world: &World, app: &App) {
    let all = folded::<Sum0>(&log(&*world.store).await);
    for order in [None, Some("sum"), Some("even")] {
        for (even, backwards) in [(None, false), (None, true), (Some(0), false), (Some(1), true)] {
            let mut expected: Vec<_> = all
                .iter()
                .filter(|(_, sum)| even.is_none_or(|even| i64::from(sum.sum % 2 == 0) == even))
                .map(|(key, sum)| {
                    let by = match order {
                        None => 0,
                        Some("sum") => sum.sum,
                        Some(_) => i64::from(sum.sum % 2 == 0),
                    };
                    (by, key.clone())
                })
                .collect();
            expected.sort();
            if backwards {
                expected.reverse();
            }
            let (mut came, mut cursor) = (Vec::new(), None);
            let limit = 1 + usize::try_from(world.below(3)).unwrap();
            loop {
                let mut list = app.documents::<Sum0>().list().after(cursor.as_deref()).limit(limit);
                if let Some(even) = even {
                    list = list.equals("even", even);
                }
                if let Some(order) = order {
                    list = list.order_by(order);
                }
                let list = if backwards { list.backwards().await } else { list.await }.unwrap();
                assert!(list.documents.len() <= limit);
                came.extend(list.documents.into_iter().map(|keyed| keyed.key));
                cursor = list.next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(
                came,
                expected.into_iter().map(|(_, key)| key).collect::<Vec<_>>(),
                "{order:?} {even:?}"
            );
        }
    }
}

fn play(seed: u64) {
    let scheduler = Scheduler::new(seed);
    let world = World {
        random: SeededEntropy::new(seed),
        keys: Keys::new(),
        store: Arc::new(MemoryStore::new()),
        models: Arc::new(MemoryReadModels::new()),
        scheduler: scheduler.clone(),
    };
    scheduler.run(async {
        for _ in 0..1 + world.below(4) {
            live(&world, true).await;
        }
        settle(&world).await;
    });
}

#[test]
fn soak_whatever_happens_to_projections_they_hold_what_follows_from_the_log() {
    soak(0, 150, play);
}
