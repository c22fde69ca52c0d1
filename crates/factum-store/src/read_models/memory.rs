//! Read models that live as long as the value does: the reference, meant to be obviously right. Keeps documents;
//! tables are handed to another store, where there is one.

use super::{
    Build, BuildTx, Checkpoint, Claim, CommitError, Document, Listing, Parked, ParkedQuery, ReadModel,
    ReadModels, Reading, Row, Tables,
};
use crate::{BoxFuture, ErrorKind, StoreError};
use bytes::Bytes;
use factum_event::{Position, Value};
use hashbrown::HashMap;
use std::{
    cmp::Ordering,
    collections::BTreeMap,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Read models in memory: for applications whose log is there too, and for tests.
#[derive(Debug, Default)]
pub struct MemoryReadModels {
    kept: Mutex<Kept>,
    sql: Option<Arc<dyn ReadModels>>,
}

#[derive(Debug, Default)]
struct Kept {
    builds: BTreeMap<Build, Arc<MemoryBuild>>,
    notes: HashMap<String, Bytes>,
}

/// One build.
#[derive(Debug)]
struct MemoryBuild {
    build: Build,
    tables: Tables,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    documents: HashMap<Arc<str>, Document>,
    parked: BTreeMap<(Position, Arc<str>), Parked>,
    checkpoint: Option<Checkpoint>,
    fence: u64,
}

/// What is changed, until it is kept.
struct MemoryTx {
    build: Build,
    state: Arc<Mutex<State>>,
    /// None: never to be kept.
    fence: Option<u64>,
    /// In the order they were changed: the last one of a key counts.
    documents: Vec<(Arc<str>, Option<Document>)>,
    parked: HashMap<(Position, Arc<str>), Option<Parked>>,
}

impl MemoryReadModels {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// None yet; what is made of SQL tables is kept in `sql`.
    pub fn with_sql(sql: Arc<dyn ReadModels>) -> Self {
        Self { sql: Some(sql), ..Self::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn no_sql() -> StoreError {
    let what = "read models in memory are documents: keep SQL tables in a database";
    StoreError::new(ErrorKind::FixInput, what)
}

impl ReadModels for MemoryReadModels {
    fn builds<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Vec<Build>, StoreError>> {
        Box::pin(async move {
            let of = |build: &&Build| &*build.projection == projection;
            let mut builds: Vec<_> = self.kept().builds.keys().filter(of).cloned().collect();
            if let Some(sql) = &self.sql {
                builds.extend(sql.builds(projection).await?);
            }
            builds.sort_by_key(|build| build.number);
            Ok(builds)
        })
    }

    fn open<'a>(
        &'a self,
        build: &'a Build,
        tables: &'a Tables,
    ) -> BoxFuture<'a, Result<Arc<dyn ReadModel>, StoreError>> {
        if let Tables::Sql { .. } = tables {
            return match &self.sql {
                Some(sql) => sql.open(build, tables),
                None => Box::pin(ready(Err(no_sql()))),
            };
        }
        let made = {
            let mut kept = self.kept();
            let made = kept.builds.entry(build.clone()).or_insert_with(|| {
                let (build, tables) = (build.clone(), tables.clone());
                Arc::new(MemoryBuild { build, tables, state: Arc::default() })
            });
            Arc::clone(made)
        };
        Box::pin(ready(if made.tables == *tables {
            Ok(made as Arc<dyn ReadModel>)
        } else {
            Err(build.other_tables())
        }))
    }

    fn find<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<Option<Arc<dyn ReadModel>>, StoreError>> {
        let found = self.kept().builds.get(build).cloned();
        match (found, &self.sql) {
            (Some(found), _) => Box::pin(ready(Ok(Some(found as Arc<dyn ReadModel>)))),
            (None, Some(sql)) => sql.find(build),
            (None, None) => Box::pin(ready(Ok(None))),
        }
    }

    fn remove<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<(), StoreError>> {
        let removed = self.kept().builds.remove(build);
        match (removed, &self.sql) {
            (None, Some(sql)) => sql.remove(build),
            _ => Box::pin(ready(Ok(()))),
        }
    }

    fn notes<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        Box::pin(ready(Ok(self.kept().notes.get(projection).cloned())))
    }

    fn note<'a>(&'a self, projection: &'a str, notes: Bytes) -> BoxFuture<'a, Result<(), StoreError>> {
        self.kept().notes.insert(projection.to_owned(), notes);
        Box::pin(ready(Ok(())))
    }
}

impl MemoryBuild {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn tx(&self, fence: Option<u64>) -> Box<dyn BuildTx> {
        Box::new(MemoryTx {
            build: self.build.clone(),
            state: Arc::clone(&self.state),
            fence,
            documents: Vec::new(),
            parked: HashMap::new(),
        })
    }
}

impl ReadModel for MemoryBuild {
    fn build(&self) -> &Build {
        &self.build
    }

    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        let mut state = self.state();
        state.fence += 1;
        Box::pin(ready(Ok(Claim { fence: state.fence, checkpoint: state.checkpoint })))
    }

    fn begin(&self, fence: u64) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>> {
        Box::pin(ready(Ok(self.tx(Some(fence)))))
    }

    fn scratch(&self) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>> {
        Box::pin(ready(Ok(self.tx(None))))
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Checkpoint>, StoreError>> {
        Box::pin(ready(Ok(self.state().checkpoint)))
    }

    fn document<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Reading<Option<Document>>, StoreError>> {
        let state = self.state();
        let reading = Reading { value: state.documents.get(key).cloned(), checkpoint: state.checkpoint };
        Box::pin(ready(Ok(reading)))
    }

    fn documents<'a>(
        &'a self,
        listing: &'a Listing,
    ) -> BoxFuture<'a, Result<Reading<Vec<Document>>, StoreError>> {
        let state = self.state();
        let mut found: Vec<_> =
            state.documents.values().filter(|document| listing.matches(document)).cloned().collect();
        found.sort_by(|a, b| listing.compare(a, (b.indexed_by(listing.order), &b.key)));
        found.truncate(listing.limit);
        Box::pin(ready(Ok(Reading { value: found, checkpoint: state.checkpoint })))
    }

    fn rows<'a>(&'a self, _: &'a str, _: Vec<Value>) -> BoxFuture<'a, Result<Reading<Vec<Row>>, StoreError>> {
        Box::pin(ready(Err(no_sql())))
    }

    fn parked<'a>(&'a self, query: &'a ParkedQuery) -> BoxFuture<'a, Result<Vec<Parked>, StoreError>> {
        let state = self.state();
        let asked = |parked: &&Parked| {
            query.key.as_ref().is_none_or(|key| *key == parked.key)
                && (!query.failed_only || parked.cause.is_some())
                && query
                    .after
                    .as_ref()
                    .is_none_or(|(position, key)| (parked.position, &parked.key) > (*position, key))
        };
        let found = state.parked.values().filter(asked).take(query.limit).cloned().collect();
        Box::pin(ready(Ok(found)))
    }

    fn parked_counts(&self) -> BoxFuture<'_, Result<(u64, u64), StoreError>> {
        let state = self.state();
        let counted = state.parked.values().fold((0, 0), |(failed, waiting), parked| {
            if parked.cause.is_some() { (failed + 1, waiting) } else { (failed, waiting + 1) }
        });
        Box::pin(ready(Ok(counted)))
    }

    fn parked_keys(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>> {
        let state = self.state();
        let mut keys: Vec<_> = state.parked.keys().map(|(_, key)| Arc::clone(key)).collect();
        keys.sort();
        keys.dedup();
        keys.truncate(limit);
        Box::pin(ready(Ok(keys)))
    }
}

impl Document {
    /// The value of the index with this number; nothing, without one.
    fn indexed_by(&self, order: Option<usize>) -> &Value {
        order.and_then(|index| self.indexed.get(index)).unwrap_or(&Value::Null)
    }
}

impl Listing {
    fn matches(&self, document: &Document) -> bool {
        let equal = |(index, value): &(usize, Value)| document.indexed.get(*index) == Some(value);
        self.equal.iter().all(equal)
            && self
                .after
                .as_ref()
                .is_none_or(|(value, key)| self.compare(document, (value, key)) == Ordering::Greater)
    }

    fn compare(&self, document: &Document, (value, key): (&Value, &Arc<str>)) -> Ordering {
        let by_value = match self.order {
            Some(_) => document.indexed_by(self.order).cmp(value),
            None => Ordering::Equal,
        };
        let ordering = by_value.then_with(|| document.key.cmp(key));
        if self.backwards { ordering.reverse() } else { ordering }
    }
}

impl BuildTx for MemoryTx {
    fn execute<'a>(&'a mut self, _: &'a str, _: Vec<Value>) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(ready(Err(no_sql())))
    }

    fn rows<'a>(&'a mut self, _: &'a str, _: Vec<Value>) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(ready(Err(no_sql())))
    }

    fn document<'a>(&'a mut self, key: &'a str) -> BoxFuture<'a, Result<Option<Document>, StoreError>> {
        let found = match self.documents.iter().rev().find(|(changed, _)| **changed == *key) {
            Some((_, changed)) => changed.clone(),
            None => lock(&self.state).documents.get(key).cloned(),
        };
        Box::pin(ready(Ok(found)))
    }

    fn put(&mut self, documents: Vec<Document>) -> BoxFuture<'_, Result<(), StoreError>> {
        let changed = documents.into_iter().map(|document| (Arc::clone(&document.key), Some(document)));
        self.documents.extend(changed);
        Box::pin(ready(Ok(())))
    }

    fn remove<'a>(&'a mut self, keys: &'a [Arc<str>]) -> BoxFuture<'a, Result<(), StoreError>> {
        self.documents.extend(keys.iter().map(|key| (Arc::clone(key), None)));
        Box::pin(ready(Ok(())))
    }

    fn park(&mut self, parked: Vec<Parked>) -> BoxFuture<'_, Result<(), StoreError>> {
        let changed =
            parked.into_iter().map(|parked| ((parked.position, Arc::clone(&parked.key)), Some(parked)));
        self.parked.extend(changed);
        Box::pin(ready(Ok(())))
    }

    fn unpark<'a>(&'a mut self, position: Position, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.parked.insert((position, key.into()), None);
        Box::pin(ready(Ok(())))
    }

    fn commit(
        self: Box<Self>,
        checkpoint: Option<Checkpoint>,
    ) -> BoxFuture<'static, Result<(), CommitError>> {
        let Self { build, state, fence, documents, parked } = *self;
        let mut state = lock(&state);
        if fence != Some(state.fence) {
            return Box::pin(ready(Err(CommitError::Fenced { build })));
        }
        for (key, document) in documents {
            match document {
                Some(document) => drop(state.documents.insert(key, document)),
                None => drop(state.documents.remove(&key)),
            }
        }
        for (place, parked) in parked {
            match parked {
                Some(parked) => drop(state.parked.insert(place, parked)),
                None => drop(state.parked.remove(&place)),
            }
        }
        state.checkpoint = checkpoint.or(state.checkpoint);
        Box::pin(ready(Ok(())))
    }
}
