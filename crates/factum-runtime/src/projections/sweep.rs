//! What an operator does about parked events of a build: drive one again, give one up, make one key anew. All
//! that waits is gone through in the order of the log, so that whatever is free then is applied in order.

use super::{
    definition::{Fault, lane_of_key, lane_of_stream},
    member::{Halt, Member},
};
use factum_event::{Position, Query, RecordedEvent};
use factum_store::{
    BuildTx, PAGE_EVENTS_MAX, ReadOptions, Store, StoreError,
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
        let swept = self.go_through(store, Some((target.0, &target.1, verdict))).await;
        if swept.is_err() {
            self.broke_off();
        }
        swept
    }

    /// Applies what waits behind nothing: where an earlier release was cut short.
    pub(super) async fn release(&mut self, store: &dyn Store) -> Result<(), Halt> {
        if !self.may_be_loose() {
            return Ok(());
        }
        match self.go_through(store, None).await {
            Ok(_) => {
                self.nothing_is_loose();
                Ok(())
            }
            Err(halt) => {
                self.broke_off();
                Err(halt)
            }
        }
    }

    async fn go_through(
        &mut self,
        store: &dyn Store,
        target: Option<(Position, &Arc<str>, Verdict)>,
    ) -> Result<Swept, Halt> {
        self.settle().await?;
        let mut stuck = HashSet::new();
        let mut after = None;
        let mut found = target.is_none();
        let mut done = 0;
        loop {
            let query = ParkedQuery { after: after.clone(), limit: PARKED_PAGE, ..ParkedQuery::default() };
            let page = self.model.parked(&query).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.position, Arc::clone(&last.key)));
            for parked in page {
                let verdict = target
                    .filter(|(position, key, _)| (parked.position, &parked.key) == (*position, *key))
                    .map(|(_, _, verdict)| verdict);
                let is_target = verdict.is_some();
                if !found && !is_target {
                    stuck.insert(parked.key);
                    continue;
                }
                if is_target {
                    if parked.cause.is_none() || stuck.contains(&parked.key) {
                        return self.in_the_way(&parked.key).await;
                    }
                    found = true;
                    if verdict == Some(Verdict::Discard) {
                        self.take_off(&parked).await?;
                        continue;
                    }
                } else if parked.cause.is_some() {
                    stuck.insert(parked.key);
                    continue;
                }
                if stuck.contains(&parked.key) {
                    continue;
                }
                let Some(event) = event_at(store, parked.position).await? else {
                    stuck.insert(parked.key);
                    continue;
                };
                if stuck.contains(&lane_of_stream(&event)) {
                    stuck.insert(parked.key);
                    continue;
                }
                match self.try_again(&parked, &event, &mut stuck).await? {
                    Ok(()) => done += 1,
                    Err(cause) if is_target => return Ok(Swept::StillFails(cause)),
                    Err(_) if self.is_given_up(parked.position, &parked.key) => {
                        self.take_off(&parked).await?
                    }
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
        events: Vec<RecordedEvent>,
        through: Position,
    ) -> Result<Result<u64, String>, Halt> {
        let made = self.make_anew(store, key, events, through).await;
        if made.is_err() {
            self.broke_off();
        }
        made
    }

    async fn make_anew(
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
        loop {
            let mut tx = self.begin().await?;
            let (at, fault) = match self.apply_anew(key, &lane, &events, &mut *tx).await {
                Ok(()) => {
                    tx.commit(None).await?;
                    self.ended(true);
                    return Ok(Ok(u64::try_from(events.len()).unwrap_or(u64::MAX)));
                }
                Err(failed) => failed,
            };
            drop(tx);
            self.ended(false);
            match (fault, at) {
                (Fault::Store(cause), _) => return Err(cause.into()),
                (Fault::Event { .. }, Some(at)) if self.is_given_up(events[at].position, &lane) => {
                    drop(events.remove(at));
                }
                (Fault::Event { cause, .. }, Some(at)) => {
                    let position = events[at].position;
                    return Ok(Err(format!("cannot apply the event at {position} of that key: {cause}")));
                }
                (Fault::Event { cause, .. }, None) => return Ok(Err(cause)),
            }
        }
    }

    /// An error is which of the events could not be applied, and why; none of them, if the key could not be
    /// forgotten.
    async fn apply_anew(
        &mut self,
        key: &str,
        lane: &Arc<str>,
        events: &[RecordedEvent],
        tx: &mut dyn BuildTx,
    ) -> Result<(), (Option<usize>, Fault)> {
        self.forget(key, tx).await.map_err(|fault| (None, fault))?;
        for (at, event) in events.iter().enumerate() {
            let applied = match self.read_one(event) {
                Ok(Some((batch, _))) => self.apply_batch(&batch, std::slice::from_ref(lane), tx).await,
                Ok(None) => Ok(()),
                Err(cause) => Err(Fault::Event { position: Some(event.position), cause }),
            };
            applied.map_err(|fault| (Some(at), fault))?;
        }
        Ok(())
    }

    /// Whether an event belongs to a key.
    pub(super) fn belongs(&self, event: &RecordedEvent, lane: &Arc<str>) -> bool {
        self.read_one(event).is_ok_and(|read| read.is_some_and(|(_, keys)| keys.contains(lane)))
    }
}
