//! What can be asked about single events and keys: to drive one again, to give it up, to make a key anew.

use super::{conflict, not_fed};
use crate::projections::{
    DiscardedEvent, ProjectionError, Projections,
    definition::lane_of_key,
    member::Halt,
    parked::first_of_key,
    slot::{Live, Slot},
    sweep::{Swept, Verdict},
    worker::{Order, Run},
};
use factum_event::{Position, RecordedEvent};
use factum_store::ReadOptions;
use futures_channel::oneshot;
use std::sync::Arc;

impl Projections {
    /// Applies a parked event again, then what waited behind it; tells how many events were applied.
    ///
    /// # Errors
    /// When it is not parked there, an earlier one is in the way, or it still cannot be applied.
    pub async fn redrive(&self, name: &str, position: Position, key: &str) -> Result<u64, ProjectionError> {
        let (slot, own, key) = (self.slot(name).await?, self.clone(), key.to_owned());
        self.to_the_end(async move {
            let _verbs = slot.verbs.lock().await;
            own.sweep(&slot, position, &key, Verdict::Redrive).await
        })
        .await
    }

    /// Gives a parked event up, for good: who did it and why is written down and shown. What waited behind it is
    /// applied; tells how many events were.
    ///
    /// # Errors
    /// When it is not parked there, or an earlier one is in the way.
    pub async fn discard(
        &self,
        name: &str,
        position: Position,
        key: &str,
        actor: &str,
        cause: &str,
    ) -> Result<u64, ProjectionError> {
        let (slot, own) = (self.slot(name).await?, self.clone());
        let event = DiscardedEvent {
            position,
            key: key.to_owned(),
            actor: actor.to_owned(),
            cause: cause.to_owned(),
            at: self.host.ports().clock.now(),
        };
        self.to_the_end(async move { own.do_discard(slot, event).await }).await
    }

    async fn do_discard(&self, slot: Arc<Slot>, event: DiscardedEvent) -> Result<u64, ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let (position, key) = (event.position, event.key.clone());
        self.refuse_if_not_parked(&slot, position, &key).await?;
        tracing::warn!(
            projection = slot.name,
            %position,
            key,
            actor = event.actor,
            cause = event.cause,
            "a parked event is discarded"
        );
        let mut notes = slot.notes();
        notes.discard(event);
        // First, so that it stands whatever becomes of the rest; done again, it does no more.
        self.host.note(&slot, &notes).await?;
        self.sweep(&slot, position, &key, Verdict::Discard).await
    }

    async fn sweep(
        &self,
        slot: &Arc<Slot>,
        position: Position,
        key: &str,
        verdict: Verdict,
    ) -> Result<u64, ProjectionError> {
        let (live, mut run) = self.fed_live(slot)?;
        let (reply, replied) = oneshot::channel();
        let order =
            Order::Sweep { build: live.build.clone(), target: (position, key.into()), verdict, reply };
        if run.orders.start_send(order).is_err() {
            return Err(not_fed(slot, &live));
        }
        drop(run);
        match replied.await {
            Ok(Ok(Swept::Done(applied))) => Ok(applied),
            Ok(Ok(Swept::NotParked)) => {
                Err(ProjectionError::NotParked { name: slot.name, position, key: key.to_owned() })
            }
            Ok(Ok(Swept::Behind(first))) => Err(conflict(
                slot,
                &format!("has an event of that key parked before it, at {first}: that one first"),
            )),
            Ok(Ok(Swept::StillFails(cause))) => Err(ProjectionError::StillFails { position, cause }),
            Ok(Err(halt)) => Err(self.halted(slot, halt)),
            Err(_) => Err(not_fed(slot, &live)),
        }
    }

    /// Makes what stands under one key anew, from all events of that key; tells how many there were. Meanwhile the
    /// projection goes on with all else.
    ///
    /// # Errors
    /// As [`Self::pause`]; when events of the key are parked, there are more than
    /// [`ProjectionBounds::key_events`](crate::ProjectionBounds::key_events), or the projection does not say how
    /// to forget a key.
    pub async fn rebuild_key(&self, name: &str, key: &str) -> Result<u64, ProjectionError> {
        let (slot, own, key) = (self.slot(name).await?, self.clone(), key.to_owned());
        self.to_the_end(async move { own.do_rebuild_key(slot, key).await }).await
    }

    async fn do_rebuild_key(&self, slot: Arc<Slot>, key: String) -> Result<u64, ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let (live, mut run) = self.fed_live(&slot)?;
        let through = live.reach.position();
        let events = self.events_of_key(&slot, &live, &key, through).await?;
        let (reply, replied) = oneshot::channel();
        let build = live.build.clone();
        if run.orders.start_send(Order::Anew { build, key, events, through, reply }).is_err() {
            return Err(not_fed(&slot, &live));
        }
        drop(run);
        match replied.await {
            Ok(Ok(Ok(events))) => Ok(events),
            Ok(Ok(Err(why))) => Err(conflict(&slot, &why)),
            Ok(Err(halt)) => Err(self.halted(&slot, halt)),
            Err(_) => Err(not_fed(&slot, &live)),
        }
    }

    async fn events_of_key(
        &self,
        slot: &Slot,
        live: &Live,
        key: &str,
        through: Position,
    ) -> Result<Vec<RecordedEvent>, ProjectionError> {
        let lane = lane_of_key(key);
        let definition = slot.definition(live.build.version).expect("what is fed has its code");
        let (query, mut after, mut events) = (definition.query(), Position::START, Vec::new());
        while after < through {
            let options = ReadOptions { after, up_to: Some(through), ..ReadOptions::default() };
            let page = self.host.store().read(&query, options).await?;
            for event in page.events {
                let batch = definition.read(std::slice::from_ref(&event));
                let keys = batch.and_then(|batch| definition.keys(&batch));
                if keys.is_ok_and(|keys| keys.iter().any(|keys| keys.contains(&lane))) {
                    events.push(event);
                }
            }
            let max = self.host.bounds().key_events;
            if events.len() > max {
                let why = format!("has more than {max} events of that key: rebuild all of it");
                return Err(conflict(slot, &why));
            }
            after = page.next.unwrap_or(through);
        }
        Ok(events)
    }

    /// The build that is read, and who feeds it.
    fn fed_live(&self, slot: &Slot) -> Result<(Live, Run), ProjectionError> {
        let Some(live) = slot.live() else {
            return Err(conflict(slot, "has no build yet"));
        };
        match slot.run_of(&live.build) {
            Some(run) => Ok((live, run)),
            None => Err(not_fed(slot, &live)),
        }
    }

    async fn refuse_if_not_parked(
        &self,
        slot: &Slot,
        position: Position,
        key: &str,
    ) -> Result<(), ProjectionError> {
        let (live, _) = self.fed_live(slot)?;
        let parked = first_of_key(&*live.model.clone()?, key).await?;
        match parked {
            Some(parked) if parked.position == position => Ok(()),
            Some(parked) if parked.position < position => {
                let first = parked.position;
                Err(conflict(
                    slot,
                    &format!("has an event of that key parked before it, at {first}: that one first"),
                ))
            }
            _ => Err(ProjectionError::NotParked { name: slot.name, position, key: key.to_owned() }),
        }
    }

    fn halted(&self, slot: &Slot, halt: Halt) -> ProjectionError {
        match halt {
            Halt::Retry(cause) => ProjectionError::Unavailable(cause),
            Halt::Stop(reason) => ProjectionError::Stopped { name: slot.name, reason },
        }
    }
}
