//! What becomes of an event that cannot be applied: it is tried again, left out where it was discarded before, and
//! then parked under each of its keys, or the projection stops.

use super::{Failure, Halt, Member, waits};
use crate::projections::{StopReason, definition::lane_of_stream};
use factum_domain::OnError;
use factum_event::{Position, RecordedEvent};
use factum_store::read_models::Parked;
use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
};

impl Member {
    /// Tries an event again, alone; then parks it, or stops.
    pub(super) async fn give_up_on(
        &mut self,
        event: &RecordedEvent,
        through: Position,
        first_cause: String,
    ) -> Result<(), Halt> {
        let events = std::slice::from_ref(event);
        let (mut cause, mut attempts) = (first_cause, 1);
        // What cannot be read stays so: the same bytes, the same code.
        if self.read_one(event).is_ok() {
            while attempts < self.bounds.event.attempts_max {
                let pause = self.bounds.event.pause_after(attempts, &*self.ports.entropy);
                self.ports.sleep.sleep(pause).await;
                attempts += 1;
                match self.apply(events, through).await? {
                    None => return Ok(()),
                    Some(failure) => cause = failure.cause,
                }
            }
        }
        let (given_up, keys): (Vec<_>, Vec<_>) =
            self.lanes_of(event).into_iter().partition(|key| self.is_given_up(event.position, key));
        if !given_up.is_empty() {
            tracing::info!(projection = self.name(), position = %event.position, ?given_up, "discarded as before");
            if keys.is_empty() {
                return self.write_checkpoint(through).await;
            }
            match self.apply_under(event, &keys, through).await? {
                None => return Ok(()),
                Some(failure) => cause = failure.cause,
            }
        }
        if self.definition.on_error() == OnError::Stop {
            return Err(Halt::Stop(StopReason::Event { position: event.position, cause }));
        }
        let name = self.name();
        tracing::error!(projection = name, position = %event.position, keys = ?keys, cause, "an event is parked");
        let at = self.ports.clock.now();
        let park = |key: &Arc<str>| Parked {
            position: event.position,
            key: Arc::clone(key),
            cause: Some(cause.clone()),
            attempts,
            at,
        };
        let lanes = keys.iter().cloned().collect();
        self.has_room_for(&lanes)?;
        let mut tx = self.begin().await?;
        tx.park(keys.iter().map(park).collect()).await?;
        self.commit(tx, through).await?;
        self.lanes.extend(lanes);
        Ok(())
    }

    /// Whether an event was given up under a key, now or for an earlier build.
    pub(in crate::projections) fn is_given_up(&self, position: Position, key: &Arc<str>) -> bool {
        let discarded = self.discarded.lock().unwrap_or_else(PoisonError::into_inner);
        discarded.contains(&(position, Arc::clone(key)))
    }

    /// Applies one event under some of its keys, but for those by which others wait.
    async fn apply_under(
        &mut self,
        event: &RecordedEvent,
        keys: &[Arc<str>],
        through: Position,
    ) -> Result<Option<Failure>, Halt> {
        let Ok(Some((batch, _))) = self.read_one(event) else {
            return Ok(Some(Failure { position: None, cause: "it cannot be read".to_owned() }));
        };
        let (wait, go): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(|key| self.lanes.contains(key));
        let now = self.ports.clock.now();
        let waiting = wait.into_iter().map(|key| waits(event, key, now)).collect();
        let steps = if go.is_empty() { Vec::new() } else { vec![(batch, Some(go))] };
        self.keep(&steps, Some(event.position), waiting, through).await
    }

    /// What an event waits by.
    fn lanes_of(&self, event: &RecordedEvent) -> Vec<Arc<str>> {
        let keys = self.read_one(event).ok().flatten().map(|(_, keys)| keys);
        keys.filter(|keys| !keys.is_empty()).unwrap_or_else(|| vec![lane_of_stream(event)])
    }

    /// Whether events may wait by these as well. Before they do: what is kept can always be taken up again.
    pub(super) fn has_room_for(&self, lanes: &HashSet<Arc<str>>) -> Result<(), Halt> {
        let more = lanes.iter().filter(|lane| !self.lanes.contains(*lane)).count();
        if self.lanes.len() + more > self.bounds.parked_keys {
            return Err(Halt::Stop(StopReason::TooManyParked { max: self.bounds.parked_keys }));
        }
        Ok(())
    }
}
