//! What an operator does about parked events of a build: drive one again, give one up, make one key anew. All
//! that waits is gone through in the order of the log, so that whatever is free then is applied in order.

use super::{
    definition::{Fault, lane_of_key, lane_of_stream},
    member::{Halt, Member},
};
use factum_event::{Position, Query, RecordedEvent};
use factum_store::{
    PAGE_EVENTS_MAX, ReadOptions, Store, StoreError,
    read_models::{Parked, ParkedQuery},
};
use std::{collections::HashSet, sync::Arc};

/// So many parked events are read at once.
const PARKED_PAGE: usize = 256;

/// What is to be done about the event that was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Redrive,
    Discard,
}

/// What came of it.
#[derive(Debug, PartialEq)]
pub(super) enum Swept {
    /// So many events were applied, or released to be.
    Done(u64),
    /// No such event is parked.
    NotParked,
    /// An earlier one is in the way.
    Behind(Position),
    /// It still cannot be applied.
    StillFails(String),
}

/// The event at a position.
pub(super) async fn event_at(
    store: &dyn Store,
    position: Position,
) -> Result<Option<RecordedEvent>, StoreError> {
    let before = Position::new(position.get().saturating_sub(1));
    let options = ReadOptions { after: before, up_to: Some(position), limit: 1, ..ReadOptions::default() };
    Ok(store.read(&Query::All, options).await?.events.into_iter().next())
}

impl Member {
    /// Does what was asked about one parked event, then applies what waited behind it.
    pub(super) async fn sweep(
        &mut self,
        store: &dyn Store,
        target: (Position, Arc<str>),
        verdict: Verdict,
    ) -> Result<Swept, Halt> {
        self.settle().await?;
        let mut stuck = HashSet::new();
        let mut after = None;
        let mut found = false;
        let mut done = 0;
        loop {
            let query = ParkedQuery { after: after.clone(), limit: PARKED_PAGE, ..ParkedQuery::default() };
            let page = self.model.parked(&query).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.position, Arc::clone(&last.key)));
            for parked in page {
                let is_target = (parked.position, &parked.key) == (target.0, &target.1);
                if !found && !is_target {
                    stuck.insert(parked.key);
                    continue;
                }
                if is_target {
                    if parked.cause.is_none() || stuck.contains(&parked.key) {
                        return self.in_the_way(&parked.key).await;
                    }
                    found = true;
                    if verdict == Verdict::Discard {
                        self.take_off(&parked).await?;
                        continue;
                    }
                } else if parked.cause.is_some() {
                    stuck.insert(parked.key);
                    continue;
                }
                let Some(event) = event_at(store, parked.position).await? else {
                    stuck.insert(parked.key);
                    continue;
                };
                if stuck.contains(&parked.key) || stuck.contains(&lane_of_stream(&event)) {
                    stuck.insert(parked.key);
                    continue;
                }
                match self.try_again(&parked, &event, &mut stuck).await? {
                    Ok(()) => done += 1,
                    Err(cause) if is_target => return Ok(Swept::StillFails(cause)),
                    Err(_) => drop(stuck.insert(parked.key)),
                }
            }
        }
        self.settle().await?;
        Ok(if found { Swept::Done(done) } else { Swept::NotParked })
    }

    /// Which event of the key could not be applied first.
    async fn in_the_way(&self, key: &Arc<str>) -> Result<Swept, Halt> {
        let query = ParkedQuery { key: Some(Arc::clone(key)), limit: 1, ..ParkedQuery::default() };
        let first = self.model.parked(&query).await?.into_iter().next();
        Ok(first.map_or(Swept::NotParked, |first| Swept::Behind(first.position)))
    }

    async fn take_off(&mut self, parked: &Parked) -> Result<(), Halt> {
        let mut tx = self.begin().await?;
        tx.unpark(parked.position, &parked.key).await?;
        Ok(tx.commit(None).await?)
    }

    /// Applies a parked event under what it was parked by, or says why not and keeps that.
    async fn try_again(
        &mut self,
        parked: &Parked,
        event: &RecordedEvent,
        stuck: &mut HashSet<Arc<str>>,
    ) -> Result<Result<(), String>, Halt> {
        let cause = match self.apply_parked(parked, event, stuck).await? {
            Ok(()) => return Ok(Ok(())),
            Err(cause) => cause,
        };
        let again = Parked { cause: Some(cause.clone()), attempts: parked.attempts + 1, ..parked.clone() };
        let mut tx = self.begin().await?;
        tx.park(vec![again]).await?;
        tx.commit(None).await?;
        Ok(Err(cause))
    }

    async fn apply_parked(
        &mut self,
        parked: &Parked,
        event: &RecordedEvent,
        stuck: &mut HashSet<Arc<str>>,
    ) -> Result<Result<(), String>, Halt> {
        let (batch, keys) = match self.read_one(event) {
            Ok(Some(read)) => read,
            // It is of no interest any more.
            Ok(None) => return self.take_off(parked).await.map(Ok),
            Err(cause) => return Ok(Err(cause)),
        };
        let by_stream = parked.key == lane_of_stream(event);
        let (wait, go): (Vec<_>, Vec<_>) = if by_stream {
            // Its keys are known now. Those by which others wait, it waits by too.
            keys.into_iter().partition(|key| stuck.contains(key))
        } else {
            (Vec::new(), vec![Arc::clone(&parked.key)])
        };
        let mut tx = self.begin().await?;
        if !go.is_empty() {
            let applied = self.apply_batch(&batch, &go, &mut *tx).await;
            if let Err(fault) = applied {
                drop(tx);
                self.ended(false);
                return match fault {
                    Fault::Event { cause, .. } => Ok(Err(cause)),
                    Fault::Store(cause) => Err(cause.into()),
                };
            }
        }
        tx.unpark(parked.position, &parked.key).await?;
        let waits =
            |key: &Arc<str>| Parked { key: Arc::clone(key), cause: None, attempts: 0, ..parked.clone() };
        tx.park(wait.iter().map(waits).collect()).await?;
        tx.commit(None).await?;
        self.ended(true);
        stuck.extend(wait);
        if parked.position > self.mark {
            self.tell_late(&batch).await;
        }
        Ok(Ok(()))
    }

    /// Makes what stands under one key anew, from these events, which hold all of the key up to `through`.
    pub(super) async fn anew(
        &mut self,
        store: &dyn Store,
        key: &str,
        mut events: Vec<RecordedEvent>,
        through: Position,
    ) -> Result<Result<u64, String>, Halt> {
        self.settle().await?;
        let lane = lane_of_key(key);
        if self.waits_by(&lane) {
            return Ok(Err("has events parked under that key: redrive or discard them first".to_owned()));
        }
        let mut after = through;
        while after < self.position {
            let query = self.definition.query();
            let options = ReadOptions {
                after,
                up_to: Some(self.position),
                limit: PAGE_EVENTS_MAX,
                ..ReadOptions::default()
            };
            let page = store.read(&query, options).await?;
            events.extend(page.events.into_iter().filter(|event| self.belongs(event, &lane)));
            after = page.next.unwrap_or(self.position);
        }
        let mut tx = self.begin().await?;
        let mut applied = self.forget(key, &mut *tx).await;
        for event in &events {
            if applied.is_err() {
                break;
            }
            applied = match self.read_one(event) {
                Ok(Some((batch, _))) => self.apply_batch(&batch, &[Arc::clone(&lane)], &mut *tx).await,
                Ok(None) => Ok(()),
                Err(cause) => Err(Fault::Event { position: Some(event.position), cause }),
            };
        }
        if let Err(fault) = applied {
            drop(tx);
            self.ended(false);
            return match fault {
                Fault::Event { position: Some(position), cause } => {
                    Ok(Err(format!("cannot apply the event at {position} of that key: {cause}")))
                }
                Fault::Event { position: None, cause } => Ok(Err(cause)),
                Fault::Store(cause) => Err(cause.into()),
            };
        }
        tx.commit(None).await?;
        self.ended(true);
        Ok(Ok(u64::try_from(events.len()).unwrap_or(u64::MAX)))
    }

    /// Whether an event belongs to a key.
    pub(super) fn belongs(&self, event: &RecordedEvent, lane: &Arc<str>) -> bool {
        self.read_one(event).is_ok_and(|read| read.is_some_and(|(_, keys)| keys.contains(lane)))
    }
}
