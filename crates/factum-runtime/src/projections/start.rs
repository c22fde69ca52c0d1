//! Takes projections up where they were left: opens what is read, and begins what is to be made beside it.

use super::{
    ProjectionState, StopReason,
    host::Host,
    member::Halt,
    notes::Notes,
    slot::{Live, Slot},
    worker::Fed,
};
use factum_event::Position;
use factum_store::{Build, Checkpoint, ErrorKind, StoreError};
use std::sync::Arc;

impl Host {
    /// Opens every projection and begins to feed it.
    pub(super) async fn start(self: &Arc<Self>) {
        // All that are made anew are made in one pass over the log.
        let mut pass = Vec::new();
        for slot in self.slots.values() {
            let _verbs = slot.verbs.lock().await;
            // Why not, is kept with it.
            pass.extend(self.take_up(slot).await.unwrap_or_default());
        }
        self.feed(pass);
        self.started.send_replace(true);
        let mut failures = 0;
        while self.slots.values().any(|slot| slot.may_pass()) {
            failures += 1;
            if !self.paused_after(failures).await {
                return;
            }
            for slot in self.slots.values().filter(|slot| slot.may_pass()) {
                let _verbs = slot.verbs.lock().await;
                let building = self.take_up(slot).await.unwrap_or_default();
                self.feed(building.into_iter().collect());
            }
        }
    }

    /// Opens one; gives what is to be made beside what is read. What is fed already is left alone.
    pub(super) async fn take_up(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<Option<Fed>, StoreError> {
        let taken_up = self.taken_up(slot).await;
        slot.set_failed(taken_up.as_ref().err().cloned());
        if let Err(cause) = &taken_up {
            tracing::error!(projection = slot.name, %cause, "a projection could not be opened");
            if slot.may_pass()
                && let Some(live) = slot.live().filter(|live| slot.run_of(&live.build).is_none())
            {
                live.reach.became(ProjectionState::Retrying(cause.clone()));
            }
        } else {
            self.remove_leftovers(slot).await;
        }
        taken_up
    }

    /// Takes away builds that nothing is noted of any more: who was to do so did not come to it.
    async fn remove_leftovers(&self, slot: &Slot) {
        let notes = slot.notes();
        let kept = [&notes.live, &notes.previous, &notes.building];
        match self.models.builds(slot.name).await {
            Ok(builds) => {
                for build in
                    builds.iter().filter(|build| !kept.iter().any(|kept| kept.as_ref() == Some(build)))
                {
                    self.remove(build).await;
                }
            }
            Err(cause) => {
                tracing::warn!(projection = slot.name, %cause, "old builds could not be looked for")
            }
        }
    }

    async fn taken_up(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<Option<Fed>, StoreError> {
        let mut notes = Notes::read(&*self.models, slot.name).await?;
        slot.noted(notes.clone());
        let version = slot.newest().version();
        let Some(build) = notes.live.clone() else {
            if notes.last_number == 0 && self.was_kept(slot).await? {
                // What they told of cannot be known: nothing that happened is told of again.
                notes.told = self.store().head().await?.position;
                notes.last_number = 1;
                self.note(slot, &notes).await?;
            }
            let live = self.begin(slot, &mut notes).await?;
            self.run_live(slot, &live, &notes).await?;
            return Ok(None);
        };
        // Who waits for one that was opened before waits for this one.
        if let Some(live) = slot.live().filter(|live| live.build == build && live.model.is_ok()) {
            if slot.run_of(&build).is_none() {
                self.run_live(slot, &live, &notes).await?;
            }
        } else {
            let live = self.open(slot, &build).await?;
            if let Some((checkpoint, why)) = self.not_of_this_log(&live).await? {
                tracing::warn!(projection = slot.name, %build, why, "a read model is made anew");
                self.forget_other_life(&mut notes, checkpoint).await?;
                let live = self.begin(slot, &mut notes).await?;
                self.run_live(slot, &live, &notes).await?;
                return Ok(None);
            }
            slot.set_live(live.clone());
            self.run_live(slot, &live, &notes).await?;
        }
        let stays = notes.gone_back_from == Some(version);
        if let Some(left) = notes.building.clone().filter(|left| left.version != version) {
            let is_previous = notes.previous.as_ref() == Some(&left);
            if !(stays && is_previous && slot.definition(left.version).is_some()) {
                notes.building = None;
                self.note(slot, &notes).await?;
                if !is_previous {
                    self.remove(&left).await;
                }
            }
        }
        let building = match notes.building.clone() {
            Some(building) => building,
            None if build.version == version || stays => return Ok(None),
            None => self.next_of_version(slot, &mut notes, version).await?,
        };
        if notes.disabled {
            return Ok(None);
        }
        self.take_up_building(slot, building).await
    }

    /// Whether a build was ever written of which nothing is noted any more.
    async fn was_kept(&self, slot: &Slot) -> Result<bool, StoreError> {
        for build in self.models.builds(slot.name).await? {
            let checkpoint = match self.models.find(&build).await {
                Ok(Some(model)) => model.checkpoint().await,
                Ok(None) => Ok(None),
                Err(cause) => Err(cause),
            };
            match checkpoint {
                Ok(None) => {}
                Err(cause) if cause.kind() == ErrorKind::Retry => return Err(cause),
                // One that cannot be read may have been.
                Ok(Some(_)) | Err(_) => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Lets go of what was noted about positions of another log, or of another life of this one.
    async fn forget_other_life(&self, notes: &mut Notes, checkpoint: Checkpoint) -> Result<(), StoreError> {
        notes.told = if checkpoint.log.log == self.store().identity().log {
            // What both lives have in common was told of; what else, nobody knows.
            notes.told.max(checkpoint.position).min(self.store().head().await?.position)
        } else {
            Position::START
        };
        // Other events may stand there now: those that cannot be applied are parked again, and shown.
        notes.discarded.clear();
        Ok(())
    }

    /// A build of the version that the application has, to be made beside: one that is kept, or a new one.
    async fn next_of_version(
        &self,
        slot: &Arc<Slot>,
        notes: &mut Notes,
        version: u32,
    ) -> Result<Build, StoreError> {
        let kept = notes.previous.clone().filter(|previous| previous.version == version);
        let building = kept.unwrap_or_else(|| notes.next_build(slot.name, version));
        notes.building = Some(building.clone());
        self.note(slot, notes).await?;
        Ok(building)
    }

    /// Opens what is made beside. One that is of no use is begun anew.
    pub(super) async fn take_up_building(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        build: Build,
    ) -> Result<Option<Fed>, StoreError> {
        let mut building = self.open(slot, &build).await?;
        let of_use = building.model.is_ok() && self.not_of_this_log(&building).await?.is_none();
        if !of_use {
            let mut notes = slot.notes();
            let anew = notes.next_build(slot.name, build.version);
            notes.building = Some(anew.clone());
            self.note(slot, &notes).await?;
            self.remove(&build).await;
            building = self.open(slot, &anew).await?;
        }
        slot.set_building(Some(building.clone()));
        if self.at_rest {
            return Ok(None);
        }
        match self.claim(slot, &building, None).await {
            Ok(fed) => Ok(Some(fed)),
            Err(halt) => {
                building.reach.became(state_of(&halt));
                halt.passed().map(|()| None)
            }
        }
    }

    /// An empty build to be read at once.
    pub(super) async fn begin(&self, slot: &Arc<Slot>, notes: &mut Notes) -> Result<Live, StoreError> {
        let before = self.models.builds(slot.name).await?;
        let noted = notes.last_number;
        for build in before.iter().filter(|build| build.number > noted) {
            // Nothing is noted of it, so what it holds is not believed.
            self.models.remove(build).await?;
            notes.last_number = notes.last_number.max(build.number);
        }
        let build = notes.next_build(slot.name, slot.newest().version());
        let live = self.open(slot, &build).await?;
        live.model.clone()?;
        (notes.live, notes.previous, notes.building) = (Some(build), None, None);
        notes.gone_back_from = None;
        self.note(slot, notes).await?;
        slot.set_live(live.clone());
        slot.set_building(None);
        for build in before {
            self.remove(&build).await;
        }
        Ok(live)
    }

    /// What is noted, read now if it could not be before: what is not known is not written over.
    pub(super) async fn notes(&self, slot: &Slot) -> Result<Notes, StoreError> {
        if !slot.is_known() {
            slot.noted(Notes::read(&*self.models, slot.name).await?);
        }
        Ok(slot.notes())
    }

    /// Writes notes down, then goes by them.
    pub(super) async fn note(&self, slot: &Slot, notes: &Notes) -> Result<(), StoreError> {
        notes.write(&*self.models, slot.name).await?;
        slot.noted(notes.clone());
        Ok(())
    }

    /// The build, if it can be opened, or why not.
    pub(super) async fn open(&self, slot: &Slot, build: &Build) -> Result<Live, StoreError> {
        let model = match slot.definition(build.version) {
            Some(definition) => self.models.open(build, &definition.tables()).await,
            None => self.models.find(build).await.and_then(|found| {
                found.ok_or_else(|| {
                    let what =
                        format!("open build {build}: it is not there any more: rebuild `{}`", slot.name);
                    StoreError::new(ErrorKind::RepairData, what)
                })
            }),
        };
        if let Err(cause) = &model
            && cause.kind() == ErrorKind::Retry
        {
            return Err(cause.clone());
        }
        let position = match &model {
            Ok(model) => match model.checkpoint().await {
                Ok(checkpoint) => checkpoint.map_or(Position::START, |checkpoint| checkpoint.position),
                Err(cause) if cause.kind() == ErrorKind::Retry => return Err(cause),
                Err(cause) => {
                    let state = ProjectionState::Stopped(StopReason::Refused(cause.clone()));
                    return Ok(self.shown(build.clone(), Err(cause), Position::START, state));
                }
            },
            Err(_) => Position::START,
        };
        let state = match &model {
            Ok(_) => ProjectionState::Starting,
            Err(cause) => ProjectionState::Stopped(StopReason::Refused(cause.clone())),
        };
        Ok(self.shown(build.clone(), model, position, state))
    }

    /// Why what a build holds does not follow from this log as it is, if it does not.
    pub(super) async fn not_of_this_log(
        &self,
        live: &Live,
    ) -> Result<Option<(Checkpoint, String)>, StoreError> {
        let Ok(model) = &live.model else { return Ok(None) };
        let Some(checkpoint) = model.checkpoint().await? else { return Ok(None) };
        let (log, head) = (self.store().identity(), self.store().head().await?.position);
        let why = if checkpoint.log.log != log.log {
            "it was made from another log".to_owned()
        } else if checkpoint.log.generation != log.generation {
            let (made, now) = (checkpoint.log.generation, log.generation);
            format!("it was made in generation {made} of the log, which is in generation {now} now")
        } else if checkpoint.position > head {
            let at = checkpoint.position;
            format!("it holds events up to {at}, and the log ends at {head}: the log is an older copy")
        } else {
            return Ok(None);
        };
        Ok(Some((checkpoint, why)))
    }

    /// Begins to feed the build that is read, unless somebody said otherwise. An error is what may pass.
    pub(super) async fn run_live(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        live: &Live,
        notes: &Notes,
    ) -> Result<(), StoreError> {
        if live.model.is_err() {
            return Ok(());
        }
        if notes.paused || notes.disabled {
            live.reach.became(ProjectionState::Paused);
            return Ok(());
        }
        if slot.definition(live.build.version).is_none() {
            live.reach.became(ProjectionState::Frozen);
            return Ok(());
        }
        if self.at_rest {
            live.reach.became(ProjectionState::Starting);
            return Ok(());
        }
        match self.claim(slot, live, Some(notes.told)).await {
            Ok(fed) => {
                self.feed(vec![fed]);
                Ok(())
            }
            Err(halt) => {
                live.reach.became(state_of(&halt));
                halt.passed()
            }
        }
    }
}

impl Halt {
    /// What may pass, as an error.
    fn passed(self) -> Result<(), StoreError> {
        match self {
            Self::Retry(cause) => Err(cause),
            Self::Stop(_) => Ok(()),
        }
    }
}

/// What a build that could not be claimed is doing.
fn state_of(halt: &Halt) -> ProjectionState {
    ProjectionState::Stopped(match halt {
        Halt::Retry(cause) => StopReason::Refused(cause.clone()),
        Halt::Stop(reason) => reason.clone(),
    })
}
