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
use factum_store::{Build, StoreError};
use std::sync::Arc;

impl Host {
    /// Opens every projection and begins to feed it.
    pub(super) async fn start(self: &Arc<Self>) {
        // All that are made anew are made in one pass over the log.
        let mut pass = Vec::new();
        for slot in self.slots.values() {
            let _verbs = slot.verbs.lock().await;
            match self.take_up(slot).await {
                Ok(building) => pass.extend(building),
                Err(cause) => {
                    tracing::error!(projection = slot.name, %cause, "a projection could not be opened");
                    slot.set_failed(Some(cause));
                }
            }
        }
        self.feed(pass);
        self.started.send_replace(true);
    }

    /// Opens one; gives what is to be made beside what is read.
    pub(super) async fn take_up(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<Option<Fed>, StoreError> {
        let mut notes = Notes::read(&*self.models, slot.name).await?;
        slot.noted(notes.clone());
        slot.set_failed(None);
        let version = slot.newest().version();
        let Some(build) = notes.live.clone() else {
            let live = self.begin(slot, &mut notes).await?;
            self.run_live(slot, &live, &notes).await;
            return Ok(None);
        };
        let live = self.open(slot, &build).await?;
        if let Err(why) = self.is_of_this_log(&live).await? {
            tracing::warn!(projection = slot.name, %build, why, "a read model is made anew");
            let live = self.begin(slot, &mut notes).await?;
            self.remove(&build).await;
            self.run_live(slot, &live, &notes).await;
            return Ok(None);
        }
        slot.set_live(live.clone());
        self.run_live(slot, &live, &notes).await;
        if let Some(left) = notes.building.clone().filter(|left| left.version != version) {
            notes.building = None;
            self.note(slot, &notes).await?;
            self.remove(&left).await;
        }
        let building = match notes.building.clone() {
            Some(building) => building,
            None if build.version == version => return Ok(None),
            None => self.next_of_version(slot, &mut notes, version).await?,
        };
        if notes.disabled {
            return Ok(None);
        }
        self.take_up_building(slot, building).await
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
        let of_use = building.model.is_ok() && self.is_of_this_log(&building).await?.is_ok();
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
                building.reach.became(state_of(halt));
                Ok(None)
            }
        }
    }

    /// An empty build to be read at once.
    pub(super) async fn begin(&self, slot: &Arc<Slot>, notes: &mut Notes) -> Result<Live, StoreError> {
        let build = notes.next_build(slot.name, slot.newest().version());
        let live = self.open(slot, &build).await?;
        live.model.clone()?;
        (notes.live, notes.previous, notes.building) = (Some(build), None, None);
        self.note(slot, notes).await?;
        slot.set_live(live.clone());
        slot.set_building(None);
        Ok(live)
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
                    StoreError::new(factum_store::ErrorKind::RepairData, what)
                })
            }),
        };
        if let Err(cause) = &model
            && cause.kind() == factum_store::ErrorKind::Retry
        {
            return Err(cause.clone());
        }
        let position = match &model {
            Ok(model) => match model.checkpoint().await {
                Ok(checkpoint) => checkpoint.map_or(Position::START, |checkpoint| checkpoint.position),
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

    /// Whether what a build holds follows from this log as it is; if not, why.
    pub(super) async fn is_of_this_log(&self, live: &Live) -> Result<Result<(), String>, StoreError> {
        let Ok(model) = &live.model else { return Ok(Ok(())) };
        let Some(checkpoint) = model.checkpoint().await? else { return Ok(Ok(())) };
        let (log, head) = (self.store().identity(), self.store().head().await?.position);
        Ok(if checkpoint.log.log != log.log {
            Err("it was made from another log".to_owned())
        } else if checkpoint.log.generation != log.generation {
            let (made, now) = (checkpoint.log.generation, log.generation);
            Err(format!("it was made in generation {made} of the log, which is in generation {now} now"))
        } else if checkpoint.position > head {
            let at = checkpoint.position;
            Err(format!("it holds events up to {at}, and the log ends at {head}: the log is an older copy"))
        } else {
            Ok(())
        })
    }

    /// Begins to feed the build that is read, unless somebody said otherwise.
    pub(super) async fn run_live(self: &Arc<Self>, slot: &Arc<Slot>, live: &Live, notes: &Notes) {
        if live.model.is_err() {
            return;
        }
        if notes.paused || notes.disabled {
            live.reach.became(ProjectionState::Paused);
            return;
        }
        if slot.definition(live.build.version).is_none() {
            live.reach.became(ProjectionState::Frozen);
            return;
        }
        if self.at_rest {
            live.reach.became(ProjectionState::Starting);
            return;
        }
        match self.claim(slot, live, Some(notes.told)).await {
            Ok(fed) => self.feed(vec![fed]),
            Err(halt) => live.reach.became(state_of(halt)),
        }
    }
}

/// What a build that could not be claimed is doing.
pub(super) fn state_of(halt: Halt) -> ProjectionState {
    match halt {
        Halt::Retry(cause) => ProjectionState::Stopped(StopReason::Refused(cause)),
        Halt::Stop(reason) => ProjectionState::Stopped(reason),
    }
}
