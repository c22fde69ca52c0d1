//! States kept on disk spare reading, and change nothing else, whatever became of them meanwhile.

use crate::bank::{AccountId, Balance, BankEvent, Cash, Deposit, Move};
use factum::{
    Retry, StoreError,
    prelude::*,
    store::{
        AppendError, BoxFuture, MemorySnapshots, MemoryStore, SnapshotKey, SnapshotStore, Store,
        StoredSnapshot,
    },
};
use factum_testkit::{Counted, Intercepted, Told, told_during};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const ANN: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

/// Snapshots in memory that remember what they were asked to keep and to forget.
#[derive(Debug, Default)]
struct Noted {
    inner: MemorySnapshots,
    put: Mutex<Vec<(SnapshotKey, StoredSnapshot)>>,
    /// How many events were in those that were not put too soon.
    written: Mutex<Vec<u64>>,
    forgotten: Mutex<Vec<SnapshotKey>>,
    fails: bool,
}

impl SnapshotStore for Noted {
    fn get<'a>(&'a self, key: &'a SnapshotKey) -> BoxFuture<'a, Result<Option<StoredSnapshot>, StoreError>> {
        match self.fails {
            true => Box::pin(async { Err(StoreError::new(factum::ErrorKind::RepairData, "no disk")) }),
            false => self.inner.get(key),
        }
    }

    fn put(&self, key: SnapshotKey, snapshot: StoredSnapshot, every: u64) {
        self.put.lock().unwrap().push((key.clone(), snapshot.clone()));
        let (events, before) = (snapshot.events, block_on(self.inner.get(&key)).unwrap());
        self.inner.put(key.clone(), snapshot, every);
        if block_on(self.inner.get(&key)).unwrap() != before {
            self.written.lock().unwrap().push(events);
        }
    }

    fn forget(&self, key: SnapshotKey) {
        self.forgotten.lock().unwrap().push(key.clone());
        self.inner.forget(key);
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        self.inner.settled()
    }
}

impl Noted {
    fn events(&self) -> Vec<u64> {
        self.put.lock().unwrap().iter().map(|(_, snapshot)| snapshot.events).collect()
    }
}

/// The same store and the same snapshots, started again with nothing in the cache.
struct Machine {
    store: Arc<dyn Store>,
    snapshots: Arc<Noted>,
}

impl Machine {
    fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()), snapshots: Arc::default() }
    }

    fn start(&self, cache: usize) -> (App, Arc<Counted>) {
        let counted = Arc::new(Counted::new(Arc::clone(&self.store)));
        (App::on(counted.clone()).cache(cache).snapshots(self.snapshots.clone()).start(), counted)
    }
}

/// Pays in one cent, having looked at the balance.
#[derive(Command)]
#[command(name = "bank.save")]
struct Save(AccountId);

impl Decide for Save {
    type Event = BankEvent;
    type Models = Balance;
    type Rejection = Refused;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, balance: &Balance, _: &Context) -> Decision<Self> {
        ensure!(balance.cents < 99, "rich");
        emit(BankEvent::Deposited { account: self.0, cents: 1 })
    }
}

async fn save(app: &App, times: usize) {
    for _ in 0..times {
        app.execute(Save(ANN)).await.unwrap();
    }
}

#[test]
fn after_a_restart_reading_begins_at_the_last_snapshot() {
    block_on(async {
        let machine = Machine::new();
        save(&machine.start(64).0, 20).await;
        assert_eq!(machine.snapshots.events(), [3, 6, 9, 12, 15, 18]);
        let (app, counted) = machine.start(64);
        app.execute(Save(ANN)).await.unwrap();
        assert_eq!(counted.take(), (1, 1 + 2), "the last event of the snapshot, as a proof, and two more");
        let (app, counted) = machine.start(64);
        let view = app.view::<Balance>(ANN).await.unwrap();
        assert_eq!(counted.take(), (1, 1), "at the snapshot of event 21");
        let whole = App::on(Arc::clone(&machine.store)).start().view::<Balance>(ANN).await.unwrap();
        assert_eq!(view, whole);
        assert_eq!((view.events, view.state.cents), (21, 21));
    });
}

#[test]
fn without_a_cache_snapshots_are_as_far_apart() {
    block_on(async {
        let machine = Machine::new();
        let (app, counted) = machine.start(0);
        save(&app, 20).await;
        assert_eq!(
            machine.snapshots.events(),
            [3, 6, 9, 12, 15, 18],
            "what a command adds counts for the next"
        );
        counted.take();
        save(&app, 1).await;
        assert_eq!(counted.take(), (1, 1 + 2));
    });
}

#[test]
fn of_two_who_take_the_same_snapshot_one_writes_it() {
    block_on(async {
        let machine = Machine::new();
        let (one, other) = (machine.start(64).0, machine.start(64).0);
        for _ in 0..10 {
            save(&one, 1).await;
            save(&other, 1).await;
        }
        let written = machine.snapshots.written.lock().unwrap().clone();
        assert!(written.windows(2).all(|two| two[1] >= two[0] + 3), "{written:?}");
        assert!(machine.snapshots.events().len() > written.len() && written.len() >= 5, "{written:?}");
    });
}

#[test]
fn a_lost_race_leaves_no_snapshot_behind() {
    block_on(async {
        let machine = Machine::new();
        let behind = App::on(Arc::clone(&machine.store)).cache(0).start();
        save(&behind, 5).await;
        let attempts = Arc::new(AtomicU32::new(0));
        let (counted, noted) = (Arc::clone(&attempts), Arc::clone(&machine.snapshots));
        let losing = Intercepted::new(Arc::clone(&machine.store), move |store: &dyn Store, batch| {
            assert_eq!(noted.events(), [0_u64; 0], "nothing is kept before something is stored");
            match counted.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Box::pin(async { vec![Err(AppendError::Stale { position: 1.into() })] }),
                _ => store.append(batch),
            }
        });
        let retry = Retry { pause: Duration::ZERO, ..Retry::default() };
        let app = App::on(Arc::new(losing)).snapshots(machine.snapshots.clone()).retry(retry).start();
        save(&app, 1).await;
        assert_eq!((attempts.load(Ordering::SeqCst), machine.snapshots.events()), (3, vec![6]));
    });
}

#[test]
fn rejections_and_views_keep_what_they_folded() {
    block_on(async {
        let machine = Machine::new();
        let behind = App::on(Arc::clone(&machine.store)).start();
        for cents in [50, 40, 9] {
            behind.execute(Deposit(ANN, cents)).await.unwrap();
            behind.execute(Deposit(BOB, cents)).await.unwrap();
        }
        let (app, _) = machine.start(64);
        app.execute(Save(ANN)).await.unwrap_err();
        app.execute(Save(ANN)).await.unwrap_err();
        assert_eq!(machine.snapshots.events(), [3]);
        app.view::<Balance>(BOB).await.unwrap();
        app.view::<Balance>(BOB).await.unwrap();
        assert_eq!(machine.snapshots.events(), [3, 3]);
    });
}

#[test]
fn each_of_several_models_goes_on_from_its_own_snapshot() {
    block_on(async {
        let machine = Machine::new();
        let (app, _) = machine.start(64);
        for _ in 0..4 {
            app.execute(Deposit(ANN, 10)).await.unwrap();
        }
        app.execute(Move(ANN, BOB, 1)).await.unwrap();
        assert_eq!(machine.snapshots.events(), [5], "bob has one event only");
        let (app, counted) = machine.start(64);
        app.execute(Move(ANN, BOB, 38)).await.unwrap();
        assert_eq!(counted.take(), (2, 1 + 1), "ann's proof; bob's one event");
        let told = app.execute(Move(ANN, BOB, 2)).await.unwrap_err();
        assert_eq!(told, ExecuteError::Rejected("overdrawn".into()));
    });
}

/// What a snapshot was made into, and what is told of it.
type Spoiled = (&'static str, fn(&mut StoredSnapshot, &SnapshotKey), Option<&'static str>);

/// Each holds a state of a million cents, so that believing it would show.
const SPOILED: [Spoiled; 9] = [
    ("of another generation", |s, k| *s = StoredSnapshot { generation: 9, ..s.clone() }.seal(k), None),
    ("of another fold", |s, k| *s = StoredSnapshot { version: 9, ..s.clone() }.seal(k), None),
    ("of another shape", |s, k| *s = StoredSnapshot { shape: 9, ..s.clone() }.seal(k), None),
    ("with another checksum", |s, _| s.checksum ^= 1, Some("its checksum does not match")),
    (
        "of another key",
        |s, k| *s = s.clone().seal(&SnapshotKey { scope: "another".into(), ..k.clone() }),
        Some("its checksum does not match"),
    ),
    (
        "not readable",
        |s, k| *s = StoredSnapshot { state: "{\"account\":7".into(), ..s.clone() }.seal(k),
        Some("serde cannot read it"),
    ),
    (
        "beyond the head",
        |s, k| *s = StoredSnapshot { position: 4711.into(), ..s.clone() }.seal(k),
        Some("its last event is not there in the log"),
    ),
    (
        "at another event of the model",
        |s, k| *s = StoredSnapshot { position: 2.into(), ..s.clone() }.seal(k),
        Some("its last event is not there in the log"),
    ),
    (
        "of an event that the log does not hold",
        |s, k| *s = StoredSnapshot { event: factum::EventId::new(factum::Uuid::nil()), ..s.clone() }.seal(k),
        Some("its last event is not there in the log"),
    ),
];

#[test]
fn what_does_not_fit_is_as_good_as_nothing() {
    for (what, spoil, cause) in SPOILED {
        block_on(async {
            let machine = Machine::new();
            save(&machine.start(64).0, 7).await;
            let (key, mut snapshot) = machine.snapshots.put.lock().unwrap().last().unwrap().clone();
            snapshot.state = r#"{"account":1,"cents":1000000}"#.into();
            snapshot = snapshot.seal(&key);
            spoil(&mut snapshot, &key);
            machine.snapshots.inner.forget(key.clone());
            machine.snapshots.inner.put(key.clone(), snapshot, 1);
            let (app, counted) = machine.start(64);
            let told = told_during(|| save_blocking(&app));
            assert_eq!(app.view::<Balance>(ANN).await.unwrap().state.cents, 8, "{what}");
            assert!(counted.take().1 >= 7, "{what}: all of it is read");
            let forgotten = machine.snapshots.forgotten.lock().unwrap().clone();
            let level = if cause.is_some() { "WARN" } else { "DEBUG" };
            let of_snapshots =
                |told: &&Told| told.fields.get("message").is_some_and(|m| m.contains("snapshot"));
            let told: Vec<_> = told.iter().filter(of_snapshots).collect();
            assert!(told.len() == 1 && told[0].level == level, "{what}: {told:?}");
            assert!(told[0].own["model"].ends_with("bank::Balance"), "{told:?}");
            match cause {
                Some(cause) => {
                    assert!(told[0].own["cause"].contains(cause), "{what}: {told:?}");
                    assert_eq!(forgotten, std::slice::from_ref(&key), "{what}");
                }
                None => assert!(forgotten.is_empty(), "{what}: the next one takes its place"),
            }
            let kept = machine.snapshots.inner.get(&key).await.unwrap().unwrap();
            assert_eq!((kept.events, kept.is_whole(&key)), (8, true), "{what}: a good one is kept again");
        });
    }
}

fn save_blocking(app: &App) {
    block_on(save(app, 1));
}

#[test]
fn a_state_of_a_good_snapshot_is_what_is_used() {
    block_on(async {
        let machine = Machine::new();
        save(&machine.start(64).0, 6).await;
        let (key, mut snapshot) = machine.snapshots.put.lock().unwrap().last().unwrap().clone();
        snapshot.state = r#"{"account":1,"cents":70}"#.into();
        machine.snapshots.inner.forget(key.clone());
        machine.snapshots.inner.put(key.clone(), snapshot.seal(&key), 1);
        assert_eq!(machine.start(64).0.view::<Balance>(ANN).await.unwrap().state.cents, 70);
    });
}

#[test]
fn snapshots_that_cannot_be_read_are_told_and_done_without() {
    let machine = Machine {
        store: Arc::new(MemoryStore::new()),
        snapshots: Arc::new(Noted { fails: true, ..Noted::default() }),
    };
    let (app, _) = machine.start(64);
    let told = told_during(|| save_blocking(&app));
    assert!(told.iter().any(|told| told.level == "WARN" && told.own["error"] == "no disk"), "{told:?}");
}

/// Has a field that serde does not see.
#[derive(Default, Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Forgetful {
    cents: u64,
    #[serde(skip)]
    deposits: u64,
}

#[model]
impl Model for Forgetful {
    type Scope = Stream<AccountId>;
    const SNAPSHOT: Snapshot<Self> = Snapshot::every(2, 1);
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Deposited { cents, .. } => {
                (self.cents, self.deposits) = (self.cents + cents, self.deposits + 1)
            }
        }
    }
}

#[test]
fn a_state_that_would_not_come_back_as_it_was_is_not_kept() {
    let machine = Machine::new();
    let (app, _) = machine.start(64);
    (0..5).for_each(|_| drop(block_on(app.execute(Deposit(ANN, 1))).unwrap()));
    let told = told_during(|| drop(block_on(app.view::<Forgetful>(ANN)).unwrap()));
    assert!(
        told.iter().any(|told| told.level == "WARN" && told.own["cause"].contains("skipped")),
        "{told:?}"
    );
    let told = told_during(|| drop(block_on(app.view::<Forgetful>(ANN)).unwrap()));
    assert!(told.is_empty(), "the next try is two events away: {told:?}");
    assert_eq!(machine.snapshots.events(), [0_u64; 0]);
    assert_eq!(block_on(machine.start(64).0.view::<Forgetful>(ANN)).unwrap().state.deposits, 5);
}

#[test]
fn of_two_models_with_one_path_only_the_first_has_snapshots() {
    macro_rules! twin {
        ($fold:expr) => {{
            const FOLD: fn(u64, u64) -> u64 = $fold;
            #[derive(Default, Debug, Clone, PartialEq, Serialize, Deserialize)]
            struct Twin(u64);
            #[model]
            impl Model for Twin {
                type Scope = Stream<AccountId>;
                const SNAPSHOT: Snapshot<Self> = Snapshot::every(1, 1);
                fn apply(&mut self, event: BankEvent) {
                    match event {
                        BankEvent::Deposited { cents, .. } => self.0 = FOLD(self.0, cents),
                    }
                }
            }
            |app: &App| block_on(app.view::<Twin>(ANN)).unwrap().state.0
        }};
    }
    let sum = twin!(|sum, cents| sum + cents);
    let most = twin!(Ord::max);
    let machine = Machine::new();
    let (app, _) = machine.start(0);
    (1..4).for_each(|cents| drop(block_on(app.execute(Deposit(ANN, cents))).unwrap()));
    let mut seen = (0, 0);
    let told = told_during(|| seen = (sum(&app), most(&app)));
    assert_eq!(seen, (6, 3));
    assert!(told.iter().any(|told| told.level == "WARN" && told.fields["message"].contains("two models")));
}

#[test]
fn a_model_of_the_last_event_does_not_go_on_from_what_it_was_before() {
    macro_rules! numbers {
        ($scope:ty) => {{
            #[derive(Default, Debug, Clone, PartialEq, Serialize, Deserialize)]
            struct Numbers(Vec<u64>);
            #[model]
            impl Model for Numbers {
                type Scope = $scope;
                const SNAPSHOT: Snapshot<Self> = Snapshot::every(1, 1);
                fn apply(&mut self, event: BankEvent) {
                    match event {
                        BankEvent::Numbered { number } => self.0.push(number),
                    }
                }
            }
            |app: &App| block_on(app.view::<Numbers>(())).unwrap().state.0
        }};
    }
    let (all, last) = (numbers!(Everything), numbers!(Last<Everything>));
    let machine = Machine::new();
    let (app, _) = machine.start(64);
    (0..3).for_each(|_| drop(block_on(app.execute(crate::bank::Number)).unwrap()));
    assert_eq!(all(&app), [1, 2, 3]);
    assert_eq!(machine.snapshots.events(), [3]);
    // The next build reads the last one alone, under the same path; and the log may have lost its end.
    let (key, snapshot) = machine.snapshots.put.lock().unwrap()[0].clone();
    for position in [snapshot.position, 4711.into()] {
        machine.snapshots.inner.forget(key.clone());
        let snapshot = StoredSnapshot { position, ..snapshot.clone() }.seal(&key);
        machine.snapshots.inner.put(key.clone(), snapshot, 1);
        assert_eq!(last(&machine.start(64).0), [3]);
    }
    assert_eq!(machine.snapshots.events(), [3], "and has nothing to keep");
}

#[test]
fn models_that_ask_for_none_have_none() {
    block_on(async {
        let machine = Machine::new();
        let (app, _) = machine.start(64);
        for _ in 0..9 {
            app.execute(crate::bank::PayIn(ANN, 1)).await.unwrap();
        }
        app.view::<Cash>(ANN).await.unwrap();
        assert_eq!(machine.snapshots.events(), [0_u64; 0]);
    });
}
