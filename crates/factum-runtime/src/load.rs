//! Brings models up to the head, from what is at hand, and turns what was read into the condition of the
//! append.

use crate::{
    Engine,
    states::{AnyStates, Progress},
};
use factum_domain::{Boundary, DecodeError};
use factum_event::{
    Condition, EventId, Expected, InvalidName, Position, Query, RecordedEvent, Revision, StreamName,
};
use factum_store::{ReadOptions, Store, StoreError};

#[derive(Debug)]
pub(crate) enum LoadError {
    Store(StoreError),
    Decode(DecodeError),
}

/// Why a load went no further.
enum Halt {
    Failed(LoadError),
    /// The model behind this boundary came from a snapshot of something else.
    Disproved(usize),
}

impl<E: Into<LoadError>> From<E> for Halt {
    fn from(cause: E) -> Self {
        Self::Failed(cause.into())
    }
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

/// Goes on from what the cache has, if that is no less than what is at hand.
pub(crate) fn resume(engine: &Engine, states: &mut dyn AnyStates) -> bool {
    let kept = engine.cache().and_then(|cache| cache.get(states.slot()?));
    kept.is_some_and(|kept| states.resume(kept))
}

/// Begins with the snapshots that fit.
pub(crate) async fn restore(engine: &Engine, states: &mut dyn AnyStates) {
    if let Some(snapshots) = engine.snapshots() {
        snapshots.restore(states).await;
    }
}

/// Keeps the states for whoever needs them next.
pub(crate) fn keep(engine: &Engine, states: &dyn AnyStates) {
    if let Some(cache) = engine.cache()
        && let Some(slot) = states.slot()
    {
        cache.insert(slot, states.shared());
    }
}

/// A boundary that may have news.
struct Tail {
    boundary: usize,
    /// What stands after this is to be read.
    after: Position,
    /// The first event read must be this one, which is folded.
    unproven: Option<EventId>,
}

/// Folds everything up to the head, which it returns. The store is asked only for what the states lack.
pub(crate) async fn load(engine: &Engine, states: &mut dyn AnyStates) -> Result<Position, LoadError> {
    loop {
        match try_load(engine, states).await {
            Ok(head) => return Ok(head),
            Err(Halt::Failed(cause)) => return Err(cause),
            Err(Halt::Disproved(boundary)) => {
                if let Some(snapshots) = engine.snapshots() {
                    snapshots.disprove(states, boundary);
                }
                // From the first event on, all of them: where one is wrong, the others are not worth a doubt.
                states.begin();
            }
        }
    }
}

async fn try_load(engine: &Engine, states: &mut dyn AnyStates) -> Result<Position, Halt> {
    let store = &**engine.store();
    let boundaries = states.boundaries();
    if boundaries.is_empty() {
        return Ok(Position::START);
    }
    let head = store.head().await?.position;
    let revisions = revisions(store, &boundaries, head).await?;
    let mut tails = tails(&boundaries, states.progress(), &revisions, head);
    // A home stream that moved is news, whether or not the model reads what is new in it; and so is a proof.
    let is_news = |tail: &Tail| boundaries[tail.boundary].home.is_some() || tail.unproven.is_some();
    let mut news = tails.iter().any(is_news);
    tails.sort_by_key(|tail| (boundaries[tail.boundary].last_only, tail.after));
    let last_only = tails.partition_point(|tail| !boundaries[tail.boundary].last_only);
    for part in tails[..last_only].chunk_by_mut(|one, other| one.after == other.after) {
        news |= fold_all(store, &boundaries, part, head, states).await?;
    }
    for tail in &tails[last_only..] {
        news |= fold_last(store, &boundaries, tail, head, states).await?;
    }
    if news {
        states.reached(head, &revisions);
        keep(engine, states);
    }
    Ok(head)
}

/// The last revision of each boundary's home stream.
async fn revisions(
    store: &dyn Store,
    boundaries: &[Boundary],
    head: Position,
) -> Result<Vec<Option<Revision>>, StoreError> {
    let mut revisions = Vec::with_capacity(boundaries.len());
    for boundary in boundaries {
        revisions.push(match &boundary.home {
            Some(stream) => store.revision(stream, head).await?,
            None => None,
        });
    }
    Ok(revisions)
}

/// The boundaries that may have news. Revisions have no gaps (L4), so a home stream whose last one is the
/// one that was folded has none, and one without any has no events.
fn tails(
    boundaries: &[Boundary],
    progress: &[Progress],
    revisions: &[Option<Revision>],
    head: Position,
) -> Vec<Tail> {
    let mut tails = Vec::new();
    for (index, boundary) in boundaries.iter().enumerate() {
        let progress = &progress[index];
        let news = match boundary.home {
            Some(_) => revisions[index] != progress.revision,
            None => progress.at < head,
        };
        if news || progress.unproven.is_some() {
            tails.push(Tail { boundary: index, after: progress.after(), unproven: progress.unproven });
        }
    }
    tails
}

/// Folds what stands after the same place for all of `part`; whether there was anything.
async fn fold_all(
    store: &dyn Store,
    boundaries: &[Boundary],
    part: &mut [Tail],
    head: Position,
    states: &mut dyn AnyStates,
) -> Result<bool, Halt> {
    let query: Query = part.iter().map(|tail| boundaries[tail.boundary].item.clone()).collect();
    let mut options = ReadOptions { after: part[0].after, up_to: Some(head), ..ReadOptions::default() };
    let mut news = false;
    loop {
        let page = store.read(&query, options).await?;
        for event in &page.events {
            for tail in part.iter_mut().filter(|tail| boundaries[tail.boundary].matches(event)) {
                match tail.unproven.take() {
                    Some(id) if id == event.id => {}
                    Some(_) => return Err(Halt::Disproved(tail.boundary)),
                    None => {
                        states.fold(tail.boundary, event)?;
                        news = true;
                    }
                }
            }
        }
        let Some(next) = page.next else { break };
        options.after = next;
    }
    match part.iter().find(|tail| tail.unproven.is_some()) {
        Some(tail) => Err(Halt::Disproved(tail.boundary)),
        None => Ok(news),
    }
}

/// Folds the last event alone; whether there was a new one.
async fn fold_last(
    store: &dyn Store,
    boundaries: &[Boundary],
    tail: &Tail,
    head: Position,
    states: &mut dyn AnyStates,
) -> Result<bool, Halt> {
    let query = Query::from(boundaries[tail.boundary].item.clone());
    let options = ReadOptions { after: tail.after, up_to: Some(head), backwards: true, limit: 1 };
    let page = store.read(&query, options).await?;
    let last = page.events.first();
    last.map(|event| states.fold(tail.boundary, event)).transpose()?;
    Ok(last.is_some())
}

/// What must still hold at the append for a decision made on what stood at `head`, up to which the states
/// were loaded.
pub(crate) fn condition(states: &dyn AnyStates, head: Position) -> Condition {
    let mut condition = Condition::none();
    let mut items = Vec::new();
    for (boundary, progress) in states.boundaries().iter().zip(states.progress()) {
        match &boundary.home {
            None => items.push(boundary.item.clone()),
            Some(stream) if condition.streams.iter().any(|(named, _)| named == stream) => {}
            Some(stream) => {
                let expected = progress.revision.map_or(Expected::NoStream, Expected::Exactly);
                condition.streams.push((stream.clone(), expected));
            }
        }
    }
    if !items.is_empty() {
        condition.fresh = Some((Query::Items(items), head));
    }
    condition
}

/// Takes in what an append of a decision on these states added. Its condition held, so nothing else that
/// they read came between.
fn take_in(states: &mut dyn AnyStates, added: &[RecordedEvent]) -> Result<(), DecodeError> {
    let Some(last) = added.last() else { return Ok(()) };
    let boundaries = states.boundaries();
    let mut revisions = Vec::with_capacity(boundaries.len());
    for (index, boundary) in boundaries.iter().enumerate() {
        for event in added.iter().filter(|event| boundary.matches(event)) {
            states.fold(index, event)?;
        }
        let of_home = |event: &&RecordedEvent| boundary.home.as_ref() == Some(&event.stream);
        let revision = added.iter().rev().find(of_home).map(|event| event.revision);
        revisions.push(revision.or(states.progress()[index].revision));
    }
    states.reached(last.position, &revisions);
    Ok(())
}

/// Keeps what a decision was made on, with what it added, now that it is stored.
///
/// # Errors
/// When a model cannot take that in. Then nothing is kept, and whoever reads it next is told.
pub(crate) fn settle(
    engine: &Engine,
    states: &mut dyn AnyStates,
    added: &[RecordedEvent],
) -> Result<(), DecodeError> {
    take_in(states, added)?;
    let due = put_away(engine, states);
    if due || !added.is_empty() {
        keep(engine, states);
    }
    Ok(())
}

/// Takes the snapshots that are due; whether there were any.
pub(crate) fn put_away(engine: &Engine, states: &mut dyn AnyStates) -> bool {
    let due = states.progress().iter().any(Progress::is_due);
    if let Some(snapshots) = engine.snapshots()
        && due
    {
        snapshots.take(states);
        return true;
    }
    false
}

/// Whether the keys of a command made names that a store takes.
pub(crate) fn check(boundaries: &[Boundary]) -> Result<(), InvalidName> {
    boundaries.iter().filter_map(|boundary| boundary.home.as_ref()).try_for_each(StreamName::check)?;
    boundaries.iter().try_for_each(|boundary| Query::from(boundary.item.clone()).check())
}
