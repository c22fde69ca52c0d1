//! Reads documents of a view: as they are kept, with what is not applied yet, or folded from the log alone.

use super::{
    Projections, QueryError,
    definition::{keys_of, lane_of_key, lane_of_stream, lane_of_stream_named, query_within},
    fold_tables::panicked,
    fold_views::held,
    parked::first_of_key,
    slot::Live,
};
use factum_domain::{View, ViewKey as _};
use factum_event::{Position, RecordedEvent, StreamFilter, StreamName, Token};
use factum_store::{
    ReadModel, ReadOptions, Store,
    read_models::{Document, Reading},
};
use std::{
    any::Any,
    collections::HashSet,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// The documents of a view.
#[derive(Debug)]
pub struct Documents<'a, V> {
    pub(super) projections: &'a Projections,
    view: PhantomData<fn() -> V>,
}

/// What was found under a key, and where in the log it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<V> {
    /// The document; none if there is none.
    pub document: Option<V>,
    /// The last event that was folded into it.
    pub changed_at: Option<Position>,
    /// Every event of the key up to here is in it, but for those that are parked.
    pub position: Position,
    /// As `position`, for clients.
    pub token: Token,
    /// The first event of the key that could not be applied: what came after it is not in the document. Also one
    /// that could not even be read, where [`View::found_by`] names the stream.
    pub parked: Option<Position>,
}

impl Projections {
    /// The documents of the view `V`.
    pub fn documents<V: View>(&self) -> Documents<'_, V> {
        Documents { projections: self, view: PhantomData }
    }

    /// The build of a projection that is read now.
    pub(super) async fn readable(&self, name: &'static str) -> Result<Live, QueryError> {
        let slot = self.host.slots.get(name).ok_or(QueryError::Unregistered { name })?;
        self.host.started().await;
        let live = slot.live();
        if slot.notes().disabled || live.is_none() {
            let state = slot.shown(live.as_ref(), &slot.notes());
            return Err(QueryError::NotReadable { name, state });
        }
        Ok(live.expect("it was looked at above"))
    }

    pub(super) fn token(&self, position: Position) -> Token {
        Token::new(self.host.store().identity(), position)
    }

    pub(super) fn log(&self) -> &Arc<dyn Store> {
        self.host.store()
    }
}

impl<V: View> Documents<'_, V> {
    /// The document under a key, as it is kept.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub async fn get(&self, key: &V::Key) -> Result<Found<V>, QueryError> {
        let live = self.projections.readable(V::NAME).await?;
        self.kept(&live, key).await
    }

    /// The document under a key with every event of the log in it: what is kept, and what is not applied yet
    /// folded on top. Costs a read of what is not applied yet, or of the part of it that
    /// [`View::found_by`] names. Behind an event that is parked it stays where it is, and says so. While a build of
    /// another version is read, it is folded from the log alone: what another fold has made is not gone on with.
    ///
    /// # Errors
    /// When the view or the log cannot be read, or an event of the tail cannot be applied.
    pub async fn latest(&self, key: &V::Key) -> Result<Found<V>, QueryError> {
        let live = self.projections.readable(V::NAME).await?;
        if live.build.version != V::VERSION {
            return self.live(key).await;
        }
        let kept = self.kept(&live, key).await?;
        if kept.parked.is_some() {
            return Ok(kept);
        }
        self.fold(key, kept, Some(&*live.model?)).await
    }

    /// The document under a key, folded from the log alone: nothing that is kept is used, and the view need not be
    /// one of the application's.
    ///
    /// # Errors
    /// When the log cannot be read, or an event cannot be applied.
    pub async fn live(&self, key: &V::Key) -> Result<Found<V>, QueryError> {
        let (position, token) = (Position::START, self.projections.token(Position::START));
        self.fold(key, Found { document: None, changed_at: None, position, token, parked: None }, None).await
    }

    async fn kept(&self, live: &Live, key: &V::Key) -> Result<Found<V>, QueryError> {
        let text = key.text();
        // Before the read: whatever had been applied by then is seen by it.
        let before = live.reach.position();
        let model = live.model.clone()?;
        let mut reading = model.document(&text).await?;
        let parked = loop {
            let parked = first_of_key(&*model, &lane_of_key(&text)).await?;
            if parked.is_some() {
                break parked;
            }
            // Nothing waits, so what was read is whole if it has not changed since: what was released in between
            // would have.
            let again = model.document(&text).await?;
            let same = changed_at(&again) == changed_at(&reading);
            if same {
                break None;
            }
            reading = again;
        };
        let kept = reading.checkpoint.map_or(Position::START, |checkpoint| checkpoint.position);
        let position = kept.max(before);
        let changed_at = changed_at(&reading);
        let document = match reading.value {
            Some(document) => {
                Some(unwrap(held::<V>(&document.body).map_err(|cause| QueryError::Unreadable {
                    name: V::NAME,
                    key: text.clone(),
                    cause,
                })?))
            }
            None => None,
        };
        // What cannot be read waits by its stream, as its keys are not known.
        let stream = V::found_by(key).and_then(|item| item.stream);
        let unread = match stream {
            Some(StreamFilter::Name(stream)) => {
                first_of_key(&*model, &lane_of_stream_named(stream)).await?.map(|parked| parked.position)
            }
            _ => None,
        };
        let parked = parked.map(|parked| parked.position).into_iter().chain(unread).min();
        Ok(Found { document, changed_at, position, token: self.projections.token(position), parked })
    }

    /// Folds what comes after `found` on top of it, up to what waits behind an event of its stream in `kept`.
    async fn fold(
        &self,
        key: &V::Key,
        mut found: Found<V>,
        kept: Option<&dyn ReadModel>,
    ) -> Result<Found<V>, QueryError> {
        let mut free = HashSet::new();
        let store = self.projections.log();
        let head = store.head().await?.position;
        let query = query_within::<V::Event>(V::found_by(key));
        'tail: while found.position < head {
            let options = ReadOptions { after: found.position, up_to: Some(head), ..ReadOptions::default() };
            let page = store.read(&query, options).await?;
            for record in &page.events {
                let unapplied = |panic: Box<dyn Any + Send>| QueryError::Unapplied {
                    name: V::NAME,
                    position: record.position,
                    cause: panicked(&*panic),
                };
                let event = match factum_domain::__private::read::<V::Event>(record) {
                    Ok(Some(event)) => event,
                    Ok(None) => continue,
                    Err(_) if waits(kept, &mut free, record).await? => continue,
                    Err(cause) => return Err(cause.into()),
                };
                let belongs = catch_unwind(AssertUnwindSafe(|| keys_of::<V>(&event).contains(key)));
                if !belongs.map_err(unapplied)? {
                    continue;
                }
                if waits(kept, &mut free, record).await? {
                    (found.parked, found.position) = (Some(record.position), head);
                    break 'tail;
                }
                let document = found.document.take().unwrap_or_else(|| V::start(key));
                let applied = catch_unwind(AssertUnwindSafe(|| {
                    let mut document = document;
                    document.apply(key, &event);
                    Some(document).filter(|document| !document.is_gone())
                }));
                (found.document, found.changed_at) = (applied.map_err(unapplied)?, Some(record.position));
            }
            found.position = page.next.unwrap_or(head);
        }
        found.changed_at = found.changed_at.filter(|_| found.document.is_some());
        found.token = self.projections.token(found.position);
        Ok(found)
    }
}

fn changed_at(reading: &Reading<Option<Document>>) -> Option<Position> {
    reading.value.as_ref().map(|document| document.changed_at)
}

/// Whether an event waits behind one of its stream in `kept`. `free`: streams of which it is known that none is.
async fn waits(
    kept: Option<&dyn ReadModel>,
    free: &mut HashSet<StreamName>,
    record: &RecordedEvent,
) -> Result<bool, QueryError> {
    let Some(kept) = kept else { return Ok(false) };
    if free.contains(&record.stream) {
        return Ok(false);
    }
    if first_of_key(kept, &lane_of_stream(record)).await?.is_some() {
        return Ok(true);
    }
    free.insert(record.stream.clone());
    Ok(false)
}

pub(super) fn unwrap<V: Clone>(held: Arc<super::fold_views::Held<V>>) -> V {
    Arc::try_unwrap(held).map_or_else(|shared| shared.0.clone(), |held| held.0)
}
