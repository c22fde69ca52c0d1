//! What can be asked of a projection while the application runs: each changes which builds there are or who feeds
//! them, writes that down first, and leaves every other projection alone.

mod parked;

use super::{
    ProjectionError, ProjectionState, Projections, StopReason,
    notes::Notes,
    slot::{Live, Slot},
    worker::Fed,
};
use factum_store::{ErrorKind, StoreError};
use futures_channel::oneshot;
use std::sync::Arc;

impl Projections {
    /// Carries out what was asked, also if who asked goes away meanwhile.
    async fn to_the_end<T: Send + 'static>(
        &self,
        verb: impl Future<Output = Result<T, ProjectionError>> + Send + 'static,
    ) -> Result<T, ProjectionError> {
        if self.host.at_rest {
            return verb.await;
        }
        let (tell, told) = oneshot::channel();
        let carry_out = async move { drop(tell.send(verb.await)) };
        self.host.tasks.begin("factum-projection-verb", Box::pin(carry_out));
        told.await.unwrap_or_else(|_| {
            let what = "carry out what was asked of a projection: what runs it ended";
            Err(ProjectionError::Unavailable(StoreError::new(ErrorKind::Reopen, what)))
        })
    }

    /// Applies nothing from now on. What it holds is read as before.
    ///
    /// # Errors
    /// When there is no such projection, or it could not be written down.
    pub async fn pause(&self, name: &str) -> Result<(), ProjectionError> {
        let (slot, own) = (self.slot(name).await?, self.clone());
        self.to_the_end(async move { own.do_pause(slot).await }).await
    }

    async fn do_pause(&self, slot: Arc<Slot>) -> Result<(), ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let mut notes = self.host.notes(&slot).await?;
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
        let (slot, own) = (self.slot(name).await?, self.clone());
        self.to_the_end(async move { own.do_resume(slot).await }).await
    }

    async fn do_resume(&self, slot: Arc<Slot>) -> Result<(), ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let mut notes = self.host.notes(&slot).await?;
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
        let (slot, own) = (self.slot(name).await?, self.clone());
        self.to_the_end(async move { own.do_disable(slot).await }).await
    }

    async fn do_disable(&self, slot: Arc<Slot>) -> Result<(), ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let mut notes = self.host.notes(&slot).await?;
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
        let (slot, own) = (self.slot(name).await?, self.clone());
        self.to_the_end(async move { own.do_enable(slot).await }).await
    }

    async fn do_enable(&self, slot: Arc<Slot>) -> Result<(), ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let mut notes = self.host.notes(&slot).await?;
        if notes.disabled {
            notes.disabled = false;
            self.host.note(&slot, &notes).await?;
        } else if !slot.live().is_some_and(|live| has_stopped(&live)) {
            return Ok(());
        }
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
        let (slot, own) = (self.slot(name).await?, self.clone());
        self.to_the_end(async move { own.do_reset(slot).await }).await
    }

    async fn do_reset(&self, slot: Arc<Slot>) -> Result<(), ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let mut notes = match self.host.notes(&slot).await {
            // What is noted of it is of no use any more: that is begun again, too.
            Err(cause) if cause.kind() == ErrorKind::RepairData => Notes::default(),
            notes => notes?,
        };
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
        let own = self.clone();
        self.to_the_end(async move { own.begin_all(slots).await }).await
    }

    async fn begin_all(&self, slots: Vec<Arc<Slot>>) -> Result<(), ProjectionError> {
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
        let mut notes = self.host.notes(slot).await?;
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
        let (slot, own) = (self.slot(name).await?, self.clone());
        self.to_the_end(async move { own.do_cancel(slot).await }).await
    }

    async fn do_cancel(&self, slot: Arc<Slot>) -> Result<(), ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        let mut notes = self.host.notes(&slot).await?;
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
        let (slot, own) = (self.slot(name).await?, self.clone());
        self.to_the_end(async move { own.do_rollback(slot).await }).await
    }

    async fn do_rollback(&self, slot: Arc<Slot>) -> Result<(), ProjectionError> {
        let _verbs = slot.verbs.lock().await;
        refuse_if_building(&slot)?;
        let mut notes = self.host.notes(&slot).await?;
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
}

/// Whether somebody feeds a build, and goes on doing so.
fn is_fed(slot: &Slot, live: &Live) -> bool {
    let stopped = matches!(live.reach.now().state, ProjectionState::Stopped(_) | ProjectionState::Paused);
    !stopped && slot.run_of(&live.build).is_some()
}

fn has_stopped(live: &Live) -> bool {
    matches!(live.reach.now().state, ProjectionState::Stopped(_))
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
        _ if slot.notes().disabled => conflict(slot, "is disabled: enable it"),
        state => conflict(slot, &format!("is {}: resume it", state.as_str())),
    }
}
