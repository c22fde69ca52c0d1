//! Reads what models fold, and turns what was read into the condition of the append.

use factum_domain::{Boundary, DecodeError};
use factum_event::{Condition, Expected, InvalidName, Position, Query, RecordedEvent, StreamName};
use factum_store::{ReadOptions, Store, StoreError};

/// Takes a record to the model behind a boundary.
pub(crate) type Fold<'a> = &'a mut (dyn FnMut(usize, &RecordedEvent) -> Result<(), DecodeError> + Send);

#[derive(Debug)]
pub(crate) enum LoadError {
    Store(StoreError),
    Decode(DecodeError),
}

impl From<StoreError> for LoadError {
    fn from(cause: StoreError) -> Self {
        Self::Store(cause)
    }
}

impl From<DecodeError> for LoadError {
    fn from(cause: DecodeError) -> Self {
        Self::Decode(cause)
    }
}

/// Folds everything up to the head, which it returns.
pub(crate) async fn load(
    store: &dyn Store,
    boundaries: &[Boundary],
    fold: Fold<'_>,
) -> Result<Position, LoadError> {
    let head = store.head().await?.position;
    let whole: Vec<_> = boundaries.iter().enumerate().filter(|(_, boundary)| !boundary.last_only).collect();
    if !whole.is_empty() {
        let query: Query = whole.iter().map(|(_, boundary)| boundary.item.clone()).collect();
        let mut options = ReadOptions { up_to: Some(head), ..ReadOptions::default() };
        loop {
            let page = store.read(&query, options).await?;
            for event in &page.events {
                for (index, boundary) in &whole {
                    if boundary.item.matches(&event.event_type, &event.tags, &event.stream) {
                        fold(*index, event)?;
                    }
                }
            }
            let Some(next) = page.next else { break };
            options.after = next;
        }
    }
    for (index, boundary) in boundaries.iter().enumerate().filter(|(_, boundary)| boundary.last_only) {
        let query = Query::from(boundary.item.clone());
        let options = ReadOptions { up_to: Some(head), backwards: true, limit: 1, ..ReadOptions::default() };
        if let Some(event) = store.read(&query, options).await?.events.first() {
            fold(index, event)?;
        }
    }
    Ok(head)
}

/// What must still hold at the append for a decision made on what stood at `head`.
pub(crate) async fn condition(
    store: &dyn Store,
    boundaries: &[Boundary],
    head: Position,
) -> Result<Condition, StoreError> {
    let mut condition = Condition::none();
    let mut items = Vec::new();
    for boundary in boundaries {
        match &boundary.home {
            None => items.push(boundary.item.clone()),
            Some(stream) if condition.streams.iter().any(|(named, _)| named == stream) => {}
            Some(stream) => {
                let revision = store.revision(stream, head).await?;
                condition
                    .streams
                    .push((stream.clone(), revision.map_or(Expected::NoStream, Expected::Exactly)));
            }
        }
    }
    if !items.is_empty() {
        condition.fresh = Some((Query::Items(items), head));
    }
    Ok(condition)
}

/// Whether the keys of a command made names that a store takes.
pub(crate) fn check(boundaries: &[Boundary]) -> Result<(), InvalidName> {
    boundaries.iter().filter_map(|boundary| boundary.home.as_ref()).try_for_each(StreamName::check)?;
    boundaries.iter().try_for_each(|boundary| Query::from(boundary.item.clone()).check())
}
