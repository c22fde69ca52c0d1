//! What can be asked of a projection while the application runs: each changes which builds there are or who feeds
//! them, writes that down first, and leaves every other projection alone.

use super::{
    DiscardedEvent, ProjectionError, ProjectionState, Projections, StopReason,
    member::Halt,
    slot::{Live, Slot},
    sweep::{Swept, Verdict},
    worker::{Fed, Order},
};
use factum_event::{Position, RecordedEvent};
use factum_store::ReadOptions;
use futures_channel::oneshot;
use std::sync::Arc;

impl Projections {
    /// Applies nothing from now on. What it holds is read as before.
    ///
    /// # Errors
    /// When there is no such projection, or it could not be written down.
    pub async fn pause(&self, name: &str) -> Result<(), ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        let mut notes = slot.notes();
        notes.paused = true;
        self.host.note(&slot, &notes).await?;
        if let Some(live) = slot.live().filter(|live| live.model.is_ok()) {
            drop(slot.leave(&live.build).await);
            live.reach.became(ProjectionState::Paused);
        }
        Ok(())
    }

    /// Goes on: after a pause, or after it stopped.
    ///
    /// # Errors
    /// As [`Self::pause`]; when it is disabled; when it stops again at once.
    pub async fn resume(&self, name: &str) -> Result<(), ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        let mut notes = slot.notes();
        if notes.disabled {
            return Err(conflict(&slot, "is disabled: enable it"));
        }
        notes.paused = false;
        self.host.note(&slot, &notes).await?;
        self.run_again(&slot).await
    }

    /// Neither runs nor reads it from now on. What it holds is kept.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub async fn disable(&self, name: &str) -> Result<(), ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        let mut notes = slot.notes();
        notes.disabled = true;
        self.host.note(&slot, &notes).await?;
        for live in [slot.live(), slot.building()].into_iter().flatten().filter(|live| live.model.is_ok()) {
            drop(slot.leave(&live.build).await);
            live.reach.became(ProjectionState::Paused);
        }
        Ok(())
    }

    /// Runs and reads it again after [`Self::disable`].
    ///
    /// # Errors
    /// As [`Self::pause`]; when it stops at once.
    pub async fn enable(&self, name: &str) -> Result<(), ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        let mut notes = slot.notes();
        if !notes.disabled {
            return Ok(());
        }
        notes.disabled = false;
        self.host.note(&slot, &notes).await?;
        self.run_again(&slot).await
    }

    /// Feeds what is not being fed.
    async fn run_again(&self, slot: &Arc<Slot>) -> Result<(), ProjectionError> {
        if slot.live().is_none_or(|live| live.model.is_err()) {
            let building = self.host.take_up(slot).await?;
            self.host.feed(building.into_iter().collect());
        } else {
            let notes = slot.notes();
            if let Some(live) = slot.live().filter(|live| !is_fed(slot, live)) {
                self.host.run_live(slot, &live, &notes).await?;
            }
            let building = match slot.building() {
                Some(building) if is_fed(slot, &building) => None,
                Some(building) => Some(building.build),
                // It was disabled when the application started.
                None => notes.building,
            };
            if let Some(building) = building {
                let fed = self.host.take_up_building(slot, building).await?;
                self.host.feed(fed.into_iter().collect());
            }
        }
        match slot.live().map(|live| live.reach.now().state) {
            Some(ProjectionState::Stopped(reason)) => {
                Err(ProjectionError::Stopped { name: slot.name, reason })
            }
            _ => Ok(()),
        }
    }

    /// Begins again with nothing, at once: readers see it empty, then filling. A rebuild is gentler.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub async fn reset(&self, name: &str) -> Result<(), ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        let mut notes = slot.notes();
        let old: Vec<_> =
            [&notes.live, &notes.previous, &notes.building].into_iter().flatten().cloned().collect();
        let mut fed = Vec::new();
        for build in &old {
            if let Some(member) = slot.leave(build).await {
                notes.told = notes.told.max(member.position);
                let building = slot.building().is_some_and(|building| building.build == *build);
                fed.push(Fed { member, slot: Arc::clone(&slot), building });
            }
        }
        let left = slot.live();
        let begun = async {
            notes.told = match slot.mark() {
                Some(mark) => notes.told.max(mark),
                // What it told of cannot be known: nothing that happened is told of again.
                None => self.host.store().head().await?.position,
            };
            self.host.begin(&slot, &mut notes).await
        }
        .await;
        let live = match begun {
            Ok(live) => live,
            Err(cause) => {
                self.feed_again(fed);
                return Err(cause.into());
            }
        };
        slot.set_failed(None);
        drop(fed);
        if let Some(left) = left {
            left.reach.became(ProjectionState::Stopped(StopReason::Ended));
        }
        self.host.run_live(&slot, &live, &notes).await?;
        for build in &old {
            self.host.remove(build).await;
        }
        Ok(())
    }

    /// They go on as if nothing had been asked.
    fn feed_again(&self, fed: Vec<Fed>) {
        for fed in fed {
            self.host.feed(vec![fed]);
        }
    }

    /// Makes it anew beside the one that is read, from the first event on. Readers move over once it has caught
    /// up.
    ///
    /// # Errors
    /// As [`Self::pause`]; when one is being made already, or it is disabled.
    pub async fn rebuild(&self, name: &str) -> Result<(), ProjectionError> {
        self.rebuild_all(&[name]).await
    }

    /// As [`Self::rebuild`], of several in one pass over the log.
    ///
    /// # Errors
    /// As [`Self::rebuild`]: those before the one at fault are begun.
    pub async fn rebuild_all(&self, names: &[&str]) -> Result<(), ProjectionError> {
        let mut slots = Vec::new();
        for name in names {
            let slot = self.slot(name).await?;
            if !slots.iter().any(|known| Arc::ptr_eq(known, &slot)) {
                slots.push(slot);
            }
        }
        for slot in &slots {
            let notes = slot.notes();
            refuse_if_building(slot)?;
            if notes.disabled {
                return Err(conflict(slot, "is disabled: enable it"));
            }
        }
        let mut pass = Vec::new();
        let mut begun = Ok(());
        for slot in &slots {
            match self.begin_building(slot).await {
                Ok(fed) => pass.extend(fed),
                Err(error) => {
                    begun = Err(error);
                    break;
                }
            }
        }
        self.host.feed(pass);
        begun
    }

    async fn begin_building(&self, slot: &Arc<Slot>) -> Result<Option<Fed>, ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        refuse_if_building(slot)?;
        if slot.live().is_none() {
            // There is nothing beside which it could be made.
            return Ok(self.host.take_up(slot).await?);
        }
        let mut notes = slot.notes();
        let build = notes.next_build(slot.name, slot.newest().version());
        (notes.building, notes.gone_back_from) = (Some(build.clone()), None);
        self.host.note(slot, &notes).await?;
        Ok(self.host.take_up_building(slot, build).await?)
    }

    /// Gives up the build that is being made beside.
    ///
    /// # Errors
    /// As [`Self::pause`]; when none is.
    pub async fn cancel(&self, name: &str) -> Result<(), ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        let mut notes = slot.notes();
        let Some(build) = notes.building.take() else {
            return Err(conflict(&slot, "is not being rebuilt: there is nothing to cancel"));
        };
        if notes.previous.as_ref() == Some(&build) {
            notes.gone_back_from = None;
        }
        self.host.note(&slot, &notes).await?;
        drop(slot.leave(&build).await);
        if let Some(building) = slot.building() {
            building.reach.became(ProjectionState::Stopped(StopReason::Ended));
        }
        slot.set_building(None);
        // What was there before it was gone back to is kept.
        if notes.previous.as_ref() != Some(&build) {
            self.host.remove(&build).await;
        }
        Ok(())
    }

    /// Goes back to the build before: it is brought up to date beside the one that is read, and takes its place.
    /// Where the application has no code of its version any more, it takes it at once, as it is.
    ///
    /// # Errors
    /// As [`Self::pause`]; when none is kept, or one is being made.
    pub async fn rollback(&self, name: &str) -> Result<(), ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        refuse_if_building(&slot)?;
        let mut notes = slot.notes();
        let Some(previous) = notes.previous.clone() else {
            return Err(conflict(
                &slot,
                "has no build before the one that is read: there is nothing to go back to",
            ));
        };
        let newest = slot.newest().version();
        notes.gone_back_from = Some(newest).filter(|newest| *newest != previous.version);
        if slot.definition(previous.version).is_some() {
            notes.building = Some(previous.clone());
            self.host.note(&slot, &notes).await?;
            let fed = self.host.take_up_building(&slot, previous).await?;
            self.host.feed(fed.into_iter().collect());
            return Ok(());
        }
        let live = self.host.open(&slot, &previous).await?;
        live.model.clone()?;
        let mut fed = Vec::new();
        if let Some(old) = slot.live()
            && let Some(member) = slot.leave(&old.build).await
        {
            notes.told = notes.told.max(member.position);
            fed.push(Fed { member, slot: Arc::clone(&slot), building: false });
        }
        let old = notes.live.replace(previous);
        notes.previous = old;
        if let Err(cause) = self.host.note(&slot, &notes).await {
            self.feed_again(fed);
            return Err(cause.into());
        }
        drop(fed);
        if let Some(old) = slot.live() {
            old.reach.became(ProjectionState::Stopped(StopReason::Ended));
        }
        slot.set_live(live.clone());
        self.host.run_live(&slot, &live, &notes).await?;
        Ok(())
    }

    /// Applies a parked event again, then what waited behind it; tells how many events were applied.
    ///
    /// # Errors
    /// When it is not parked there, an earlier one is in the way, or it still cannot be applied.
    pub async fn redrive(&self, name: &str, position: Position, key: &str) -> Result<u64, ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        self.sweep(&slot, position, key, Verdict::Redrive).await
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
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        self.refuse_if_not_parked(&slot, position, key).await?;
        let mut notes = slot.notes();
        notes.discard(DiscardedEvent {
            position,
            key: key.to_owned(),
            actor: actor.to_owned(),
            cause: cause.to_owned(),
            at: self.host.ports().clock.now(),
        });
        // First, so that it stands whatever becomes of the rest; done again, it does no more.
        self.host.note(&slot, &notes).await?;
        tracing::warn!(projection = slot.name, %position, key, actor, cause, "a parked event was discarded");
        self.sweep(&slot, position, key, Verdict::Discard).await
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
    /// [`ProjectionBounds::key_events`](super::ProjectionBounds::key_events), or the projection does not say how
    /// to forget a key.
    pub async fn rebuild_key(&self, name: &str, key: &str) -> Result<u64, ProjectionError> {
        let slot = self.slot(name).await?;
        let _verbs = slot.verbs.lock().await;
        let (live, mut run) = self.fed_live(&slot)?;
        let through = live.reach.position();
        let events = self.events_of_key(&slot, &live, key, through).await?;
        let (reply, replied) = oneshot::channel();
        let (build, key) = (live.build.clone(), key.to_owned());
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
        let lane = super::definition::lane_of_key(key);
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
    fn fed_live(&self, slot: &Slot) -> Result<(Live, super::worker::Run), ProjectionError> {
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
        let parked = super::parked::first_of_key(&*live.model.clone()?, key).await?;
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

/// Whether somebody feeds a build, and goes on doing so.
fn is_fed(slot: &Slot, live: &Live) -> bool {
    let stopped = matches!(live.reach.now().state, ProjectionState::Stopped(_) | ProjectionState::Paused);
    !stopped && slot.run_of(&live.build).is_some()
}

fn conflict(slot: &Slot, why: &str) -> ProjectionError {
    ProjectionError::Conflict { name: slot.name, why: why.to_owned() }
}

fn refuse_if_building(slot: &Slot) -> Result<(), ProjectionError> {
    match slot.building() {
        Some(building) => {
            let why = format!("is being rebuilt already, as {}: wait for it, or cancel it", building.build);
            Err(conflict(slot, &why))
        }
        None => Ok(()),
    }
}

fn not_fed(slot: &Slot, live: &Live) -> ProjectionError {
    match live.reach.now().state {
        ProjectionState::Stopped(reason) => ProjectionError::Stopped { name: slot.name, reason },
        state => conflict(slot, &format!("is {}: resume it", state.as_str())),
    }
}
