//! A projection as its runner sees it: what it reads, what it keeps, and how a page of events is taken in. The
//! types of its events and documents end here.

use super::{
    SqlProjection,
    fold_tables::{TableFold, panicked},
    fold_views::ViewFold,
};
use factum_domain::{DecodeError, EventSet, Mode, OnError, Page, Recorded, View, ViewEvent, ViewKey as _};
use factum_event::{Position, Query, QueryItem, RecordedEvent};
use factum_store::{BoxFuture, BuildTx, ErrorKind, Sql, StoreError, Tables};
use std::{
    any::Any,
    fmt,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// A projection, its types put aside.
pub(crate) trait Definition: fmt::Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    fn mode(&self) -> Mode;
    fn on_error(&self) -> OnError;
    /// The events it may be interested in.
    fn query(&self) -> Query;
    fn tables(&self) -> Tables;
    /// Takes those it is interested in out of these.
    ///
    /// # Errors
    /// Why this build cannot read one of them.
    fn read(&self, records: &[RecordedEvent]) -> Result<Batch, Unread>;
    /// What the events of a batch would wait by.
    ///
    /// # Errors
    /// Why that cannot be told of one of them.
    fn keys(&self, batch: &Batch) -> Result<Vec<Vec<Arc<str>>>, Unread>;
    /// What keeps documents at hand from page to page. `complete`: there are none but those it is given.
    fn begin(&self, complete: bool) -> Box<dyn Folding>;
}

/// Events that a projection is interested in, in order.
pub(crate) struct Batch {
    /// `Vec<(Position, E)>`, or the `Page<E>` of a projection into tables.
    pub(super) events: Box<dyn Any + Send + Sync>,
    pub(crate) len: usize,
}

/// The events of a batch and what each waits by.
pub(crate) type Read = (Batch, Vec<Arc<str>>);

/// Why an event cannot be read, or its keys not be told.
#[derive(Debug)]
pub(crate) enum Unread {
    Decode(DecodeError),
    Panicked(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(cause) => cause.fmt(f),
            Self::Panicked(cause) => f.write_str(cause),
        }
    }
}

/// Runs the application's code for reading.
fn reading<T>(read: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, Unread> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(Unread::Decode),
        Err(panic) => Err(Unread::Panicked(panicked(&*panic))),
    }
}

/// Takes events in, page by page.
pub(crate) trait Folding: Send + Sync {
    /// Writes what follows from a batch. With `only`, of the one event in it, under these keys alone.
    fn apply<'a>(
        &'a mut self,
        batch: &'a Batch,
        only: Option<&'a [Arc<str>]>,
        tx: &'a mut dyn BuildTx,
    ) -> BoxFuture<'a, Result<(), Fault>>;

    /// Takes out what stands under one key.
    fn forget<'a>(&'a mut self, key: &'a str, tx: &'a mut dyn BuildTx) -> BoxFuture<'a, Result<(), Fault>>;

    /// What was applied since the last call was kept, or it was not.
    fn ended(&mut self, kept: bool);

    /// Tells of events that were kept.
    fn tell<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, ()>;
}

/// Why a batch was not applied.
#[derive(Debug)]
pub(crate) enum Fault {
    /// An event of it is at fault; which, if it is known.
    Event { position: Option<Position>, cause: String },
    /// Something outside.
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(cause: StoreError) -> Self {
        match cause.kind() {
            // What was asked of the database follows from the event and the projection's code alone.
            ErrorKind::FixInput => Self::Event { position: None, cause: cause.to_string() },
            _ => Self::Store(cause),
        }
    }
}

/// Longer names are cut where events wait by them.
const LANE_BYTES_MAX: usize = 1024;

/// What of a log a set of events is found in.
pub(crate) fn query_of<E: EventSet>() -> Query {
    if E::CONTEXT.is_some() {
        // Also what a newer build wrote, which has names that nobody can ask for.
        return Query::All;
    }
    let types = E::TYPES.iter().flat_map(|kind| kind.event_types());
    types.fold(QueryItem::default(), QueryItem::event_type).into()
}

/// What several projections are interested in.
pub(crate) fn query_all<'a>(definitions: impl Iterator<Item = &'a dyn Definition>) -> Query {
    definitions.fold(Query::Items(Vec::new()), |query, definition| query.or(definition.query()))
}

/// As `query_of`, within what is known to hold all events of one key.
pub(crate) fn query_within<E: EventSet>(found_by: Option<QueryItem>) -> Query {
    let Some(within) = found_by else { return query_of::<E>() };
    if E::CONTEXT.is_some() {
        return within.into();
    }
    let types = E::TYPES.iter().flat_map(|kind| kind.event_types());
    types.fold(within, QueryItem::event_type).into()
}

/// The keys of an event, each once.
pub(crate) fn keys_of<V: View>(event: &V::Event) -> Vec<V::Key> {
    let mut keys = V::keys(event);
    if keys.len() > 1 {
        let mut each = Vec::with_capacity(keys.len());
        for key in keys {
            if !each.contains(&key) {
                each.push(key);
            }
        }
        keys = each;
    }
    keys
}

/// What events of a key wait by.
pub(crate) fn lane_of_key(key: &str) -> Arc<str> {
    lane("key", key)
}

/// A name that fits where it is kept, and is another's only if their checksums are the same.
fn lane(kind: &str, name: &str) -> Arc<str> {
    if name.len() <= LANE_BYTES_MAX {
        return format!("{kind}/{name}").into();
    }
    let half = LANE_BYTES_MAX / 2;
    let end = (0..=half).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    let begin = &name[..end];
    format!("{kind}/{begin}..{:032x}", xxhash_rust::xxh3::xxh3_128(name.as_bytes())).into()
}

/// What events wait by whose stream has one that cannot be read, so that its keys are not known.
pub(crate) fn lane_of_stream(record: &RecordedEvent) -> Arc<str> {
    lane_of_stream_named(&record.stream)
}

/// As [`lane_of_stream`], for the stream of this name.
pub(crate) fn lane_of_stream_named(stream: impl fmt::Display) -> Arc<str> {
    lane("stream", &stream.to_string())
}

/// A view as a definition.
pub(super) struct OfView<V>(PhantomData<fn() -> V>);

impl<V: View> OfView<V> {
    /// # Panics
    /// When its name, version or indexes are not as they should be.
    pub(super) fn new() -> Self {
        check_name(V::NAME, V::VERSION);
        for index in V::INDEXES {
            let fits = !index.is_empty()
                && index.len() <= 48
                && index
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            assert!(fits, "view `{}`: the index `{index}` is small letters, digits and `_`", V::NAME);
        }
        Self(PhantomData)
    }
}

/// # Panics
/// When a name is none that a file can have.
pub(super) fn check_name(name: &str, version: u32) {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    assert!(fits, "the read model `{name}`: a name is 1 to 64 small letters, digits and `-`");
    assert!(version > 0, "the read model `{name}`: versions start at 1");
}

impl<V: View> fmt::Debug for OfView<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({} {})", V::NAME, V::VERSION)
    }
}

/// The events of a batch of a view.
pub(super) type ViewEvents<V> = Vec<(Position, <V as View>::Event)>;

fn events<T: 'static>(batch: &Batch) -> &T {
    batch.events.downcast_ref().expect("a batch is given back to the projection that read it")
}

impl Batch {
    pub(super) fn events<T: 'static>(&self) -> &T {
        events(self)
    }
}

impl<V: View> Definition for OfView<V> {
    fn name(&self) -> &'static str {
        V::NAME
    }

    fn version(&self) -> u32 {
        V::VERSION
    }

    fn mode(&self) -> Mode {
        V::MODE
    }

    fn on_error(&self) -> OnError {
        V::ON_ERROR
    }

    fn query(&self) -> Query {
        query_of::<V::Event>()
    }

    fn tables(&self) -> Tables {
        Tables::Documents { indexes: V::INDEXES, form: factum_domain::__private::form::<V>() }
    }

    fn read(&self, records: &[RecordedEvent]) -> Result<Batch, Unread> {
        let mut events: ViewEvents<V> = Vec::with_capacity(records.len());
        reading(|| {
            records.iter().try_for_each(|record| {
            if let Some(event) = decode::<V::Event>(record)? {
                debug_assert!(
                    keys_of::<V>(&event).iter().all(|key| is_found::<V>(key, record)),
                    "view `{}`: `found_by` does not find the event at {}, which `keys` says belongs there",
                    V::NAME,
                    record.position,
                );
                events.push((record.position, event));
            }
            Ok(())
        })
        })?;
        let len = events.len();
        Ok(Batch { events: Box::new(events), len })
    }

    fn keys(&self, batch: &Batch) -> Result<Vec<Vec<Arc<str>>>, Unread> {
        let lanes = |event| keys_of::<V>(event).iter().map(|key| lane_of_key(&key.text())).collect();
        reading(|| Ok(batch.events::<ViewEvents<V>>().iter().map(|(_, event)| lanes(event)).collect()))
    }

    fn begin(&self, complete: bool) -> Box<dyn Folding> {
        Box::new(ViewFold::<V>::new(complete))
    }
}

/// Whether a view finds the event in a record where it says that all of a key are found.
fn is_found<V: View>(key: &V::Key, record: &RecordedEvent) -> bool {
    V::found_by(key).is_none_or(|item| item.matches(&record.event_type, &record.tags, &record.stream))
}

fn decode<E: ViewEvent>(record: &RecordedEvent) -> Result<Option<E>, DecodeError> {
    factum_domain::__private::read::<E>(record)
}

/// A projection into tables as a definition.
pub(super) struct OfTables<P, Db> {
    pub(super) projection: Arc<P>,
    database: PhantomData<fn() -> Db>,
}

impl<P: SqlProjection<Db>, Db: Sql> OfTables<P, Db> {
    /// # Panics
    /// When its name or version is not as it should be.
    pub(super) fn new(projection: P) -> Self {
        check_name(P::NAME, P::VERSION);
        Self { projection: Arc::new(projection), database: PhantomData }
    }
}

impl<P: SqlProjection<Db>, Db: Sql> fmt::Debug for OfTables<P, Db> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tables({} {})", P::NAME, P::VERSION)
    }
}

impl<P: SqlProjection<Db>, Db: Sql> Definition for OfTables<P, Db> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn version(&self) -> u32 {
        P::VERSION
    }

    fn mode(&self) -> Mode {
        P::MODE
    }

    fn on_error(&self) -> OnError {
        P::ON_ERROR
    }

    fn query(&self) -> Query {
        query_of::<P::Event>()
    }

    fn tables(&self) -> Tables {
        Tables::Sql { schema: P::SCHEMA }
    }

    fn read(&self, records: &[RecordedEvent]) -> Result<Batch, Unread> {
        let mut events = Vec::with_capacity(records.len());
        reading(|| {
            records.iter().try_for_each(|record| {
                events.extend(decode::<P::Event>(record)?.map(|event| Recorded::new(event, record)));
                Ok(())
            })
        })?;
        let len = events.len();
        Ok(Batch { events: Box::new(Page::new(events)), len })
    }

    fn keys(&self, batch: &Batch) -> Result<Vec<Vec<Arc<str>>>, Unread> {
        let page = batch.events::<Page<P::Event>>();
        reading(|| Ok(page.iter().map(|event| vec![lane_of_key(&P::key(event))]).collect()))
    }

    fn begin(&self, _: bool) -> Box<dyn Folding> {
        Box::new(TableFold::<P, Db>::new(Arc::clone(&self.projection)))
    }
}
