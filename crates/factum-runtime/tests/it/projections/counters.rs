//! What the tests of read models count: events of keys, folded purely, and written into tables.

use factum::{
    ApplyError, CommandId, CommandName, CommandPayload, CommandRecord, Condition, DecodeError, EventSet,
    Metadata, NewCommit, NewEvent, Outcome, Page, Position, Projection, Recorded, RecordedEvent, Sql,
    SqlProjection, Timestamp, Tx, ViewKey as _,
    prelude::*,
    store::{Append, Store},
};
use serde::{Deserialize, Serialize};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

#[derive(Id)]
pub(crate) struct KeyId(pub(crate) u32);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "counting", stream = key, tags(key))]
pub(crate) enum Counted {
    Added {
        key: KeyId,
        amount: i64,
    },
    Moved {
        key: KeyId,
        to: KeyId,
        amount: i64,
    },
    /// The document is taken out.
    Ended {
        key: KeyId,
    },
    /// Cannot be applied while the keys are [`Ill`].
    Poisoned {
        key: KeyId,
    },
    /// As `Poisoned`, under two keys.
    PoisonedBoth {
        key: KeyId,
        to: KeyId,
    },
    /// Can never be applied.
    Doomed {
        key: KeyId,
    },
}

/// So many keys belong to one test.
const KEYS: u32 = 1000;
static ILL: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
std::thread_local! {
    /// Whether this thread folds what is right, at this moment.
    static PURE: Cell<bool> = const { Cell::new(false) };
}
static KEYS_GIVEN: AtomicU32 = AtomicU32::new(1);

/// Keys of one test's own, and whether what is poisoned under them can be applied.
#[derive(Debug)]
pub(crate) struct Keys(u32);

impl Keys {
    pub(crate) fn new() -> Self {
        Self(KEYS_GIVEN.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn key(&self, number: u32) -> KeyId {
        assert!(number < KEYS);
        KeyId(self.0 * KEYS + number)
    }

    pub(crate) fn text(&self, number: u32) -> String {
        self.key(number).text()
    }

    /// As parked events name it.
    pub(crate) fn lane(&self, number: u32) -> String {
        format!("key/{}", self.text(number))
    }

    pub(crate) fn ill(&self, ill: bool) {
        let mut all = ILL.lock().unwrap_or_else(PoisonError::into_inner);
        if ill {
            all.insert(self.0)
        } else {
            all.remove(&self.0)
        };
    }
}

/// Whether what is poisoned under this key cannot be applied at the moment.
fn is_ill(key: KeyId) -> bool {
    !PURE.get() && ILL.lock().unwrap_or_else(PoisonError::into_inner).contains(&(key.0 / KEYS))
}

#[derive(Command)]
#[command(name = "counting.add")]
pub(crate) struct Add(pub(crate) KeyId, pub(crate) i64);

impl Decide for Add {
    type Event = Counted;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(Counted::Added { key: self.0, amount: self.1 })
    }
}

#[derive(Command)]
#[command(name = "counting.move")]
pub(crate) struct Move(pub(crate) KeyId, pub(crate) KeyId, pub(crate) i64);

impl Decide for Move {
    type Event = Counted;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(Counted::Moved { key: self.0, to: self.1, amount: self.2 })
    }
}

/// What the events of a key come to. Several are registered beside each other, in several versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sum<const NUMBER: usize = 0, const VERSION: u32 = 1> {
    pub(crate) events: u64,
    pub(crate) sum: i64,
    pub(crate) last: u64,
    /// Which events came, and in which order.
    pub(crate) trace: u64,
    gone: bool,
}

const SUMS: [&str; 8] = ["sum", "sum-1", "sum-2", "sum-3", "sum-4", "sum-5", "sum-6", "sum-7"];
const LEDGERS: [&str; 8] =
    ["ledger", "ledger-1", "ledger-2", "ledger-3", "ledger-4", "ledger-5", "ledger-6", "ledger-7"];

fn traced(trace: u64, position: u64) -> u64 {
    trace.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(position)
}

impl<const NUMBER: usize, const VERSION: u32> View for Sum<NUMBER, VERSION> {
    const NAME: &'static str = SUMS[NUMBER];
    const VERSION: u32 = VERSION;
    const INDEXES: &'static [&'static str] = &["sum", "even"];
    type Event = Recorded<Counted>;
    type Key = KeyId;

    fn keys(event: &Recorded<Counted>) -> Vec<KeyId> {
        match &event.event {
            Counted::Added { key, .. }
            | Counted::Poisoned { key }
            | Counted::Doomed { key }
            | Counted::Ended { key } => vec![*key],
            Counted::Moved { key, to, .. } | Counted::PoisonedBoth { key, to } => vec![*key, *to, *key],
        }
    }

    fn apply(&mut self, own: &KeyId, event: &Recorded<Counted>) {
        let position = event.position.get();
        assert!(self.last < position, "the event at {position} came twice, or out of order");
        match &event.event {
            Counted::Added { amount, .. } => self.sum += amount,
            Counted::Moved { key, to, amount } if key == to => self.sum += 2 * amount,
            Counted::Moved { key, amount, .. } if key == own => self.sum -= amount,
            Counted::Moved { amount, .. } => self.sum += amount,
            Counted::Poisoned { .. } | Counted::PoisonedBoth { .. } => {
                // What a fold did before it panicked is not kept either.
                self.sum += 1_000_000;
                assert!(!is_ill(*own), "this one cannot be folded");
                self.sum -= 1_000_000;
            }
            Counted::Doomed { .. } => panic!("this one can never be folded"),
            Counted::Ended { .. } => self.gone = true,
        }
        self.events += 1;
        self.last = position;
        self.trace = traced(self.trace, position) ^ u64::from(VERSION);
    }

    fn indexed(&self) -> Vec<Value> {
        vec![self.sum.into(), (self.sum % 2 == 0).into()]
    }

    fn is_gone(&self) -> bool {
        self.gone
    }
}

/// Tables of the same events, and who is told of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger<const NUMBER: usize = 0, const VERSION: u32 = 1> {
    told: Arc<Mutex<Vec<u64>>>,
}

impl<const NUMBER: usize, const VERSION: u32> Ledger<NUMBER, VERSION> {
    /// As an earlier version, told in the same place.
    pub(crate) fn after<const BEFORE: u32>(earlier: &Ledger<NUMBER, BEFORE>) -> Self {
        Self { told: Arc::clone(&earlier.told) }
    }

    /// The events that were told of, in order.
    pub(crate) fn told(&self) -> Vec<u64> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<const NUMBER: usize, const VERSION: u32> Projection for Ledger<NUMBER, VERSION> {
    const NAME: &'static str = LEDGERS[NUMBER];
    const VERSION: u32 = VERSION;
    type Event = Counted;

    fn key(event: &Recorded<Counted>) -> String {
        key_of(&event.event).text()
    }
}

fn key_of(event: &Counted) -> KeyId {
    match event {
        Counted::Added { key, .. }
        | Counted::Poisoned { key }
        | Counted::Doomed { key }
        | Counted::Ended { key }
        | Counted::PoisonedBoth { key, .. }
        | Counted::Moved { key, .. } => *key,
    }
}

impl<Db: Sql, const NUMBER: usize, const VERSION: u32> SqlProjection<Db> for Ledger<NUMBER, VERSION> {
    const SCHEMA: &'static str = "create table entries (nth integer primary key, key text not null, position \
                                  integer not null unique); create table sums (key text primary key, events \
                                  integer not null)";

    async fn apply(&self, page: &Page<Counted>, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        for event in page {
            let key = key_of(&event.event);
            let insert = "insert into entries (key, position) values ($1, $2)";
            tx.execute(insert, values![key.text(), event.position]).await?;
            let sum = "insert into sums values ($1, 1) on conflict (key) do update set events = events + 1";
            tx.execute(sum, values![key.text()]).await?;
            match &event.event {
                Counted::Poisoned { .. } if is_ill(key) && event.position.get().is_multiple_of(2) => {
                    panic!("this one cannot be written")
                }
                Counted::Poisoned { .. } | Counted::PoisonedBoth { .. } if is_ill(key) => {
                    return Err(ApplyError::new("this one cannot be written"));
                }
                Counted::Doomed { .. } => tx.execute("insert into nowhere values (1)", values![]).await?,
                _ => 0,
            };
        }
        Ok(())
    }

    async fn forget(&self, key: &str, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        tx.execute("delete from entries where key = $1", values![key]).await?;
        tx.execute("delete from sums where key = $1", values![key]).await?;
        Ok(())
    }

    async fn kept(&self, page: &Page<Counted>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.extend(page.iter().map(|event| event.position.get()));
    }
}

/// Every event of the log.
pub(crate) async fn log(store: &dyn Store) -> Vec<RecordedEvent> {
    let (mut events, mut after) = (Vec::new(), Position::START);
    loop {
        let options = factum::store::ReadOptions { after, ..Default::default() };
        let page = store.read(&factum::Query::All, options).await.unwrap();
        events.extend(page.events);
        match page.next {
            Some(next) => after = next,
            None => return events,
        }
    }
}

/// The event in a record, if this build knows it.
fn decoded(event: &RecordedEvent) -> Option<Recorded<Counted>> {
    let decoded: Result<_, DecodeError> = Recorded::<Counted>::decode(event);
    decoded.ok().flatten()
}

/// The documents that follow from events: purely, one after another. What can never be applied is left out.
pub(crate) fn folded<V: View<Event = Recorded<Counted>, Key = KeyId>>(
    events: &[RecordedEvent],
) -> BTreeMap<String, V> {
    PURE.set(true);
    let mut documents: BTreeMap<KeyId, V> = BTreeMap::new();
    for event in events.iter().filter_map(decoded) {
        if matches!(event.event, Counted::Doomed { .. }) {
            continue;
        }
        let keys: BTreeSet<KeyId> = V::keys(&event).into_iter().collect();
        for key in keys {
            let document = documents.entry(key).or_insert_with(|| V::start(&key));
            document.apply(&key, &event);
            if document.is_gone() {
                documents.remove(&key);
            }
        }
    }
    PURE.set(false);
    documents.into_iter().map(|(key, document)| (key.text(), document)).collect()
}

/// The entries of a ledger that follow from events: the positions of each key, in order.
pub(crate) fn entered(events: &[RecordedEvent]) -> BTreeMap<String, Vec<i64>> {
    let mut entries: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in events.iter().filter_map(decoded) {
        if !matches!(event.event, Counted::Doomed { .. }) {
            let position = i64::try_from(event.position.get()).unwrap();
            entries.entry(key_of(&event.event).text()).or_default().push(position);
        }
    }
    entries
}

/// Appends events as they are, in one commit, and gives the position of the last.
pub(crate) async fn append(store: &dyn Store, events: &[Counted]) -> Position {
    append_raw(store, events.iter().map(Event::to_new).collect()).await
}

/// As [`append`], whatever they are.
pub(crate) async fn append_raw(store: &dyn Store, events: Vec<NewEvent>) -> Position {
    static COMMANDS: AtomicU32 = AtomicU32::new(1);
    let number = COMMANDS.fetch_add(1, Ordering::Relaxed);
    let command = CommandRecord {
        id: CommandId::from_idempotency_key(
            &["counting", &std::process::id().to_string()],
            &number.to_string(),
        ),
        name: CommandName::unchecked("counting.said"),
        payload: CommandPayload::None,
        issued_at: Timestamp::EPOCH,
        metadata: Metadata::default(),
    };
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events };
    let more = u64::try_from(commit.events.len()).unwrap() - 1;
    let append = Append { commit, condition: Condition::none() };
    let mut verdicts = store.append(vec![append]).await;
    Position::new(verdicts.remove(0).unwrap().first.get() + more)
}
