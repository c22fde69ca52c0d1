//! Projections that nobody feeds: looked at as they were left, and told what to do from the next start on. Applies
//! no event, claims no build, and makes nothing unless it is asked to.

use super::{
    ProjectionBounds, ProjectionSet, ProjectionState, Projections, Running, StopReason,
    host::Host,
    notes::Notes,
    slot::{Live, Slot},
};
use crate::{NoSpawn, Ports};
use factum_event::Position;
use factum_store::{Build, ErrorKind, ReadModels, Store, StoreError};
use std::sync::Arc;

impl Projections {
    /// Those of `set` as they were left in `models`. What is asked of them is written down, for the next start; what
    /// takes a runner, such as driving a parked event again, is refused.
    pub async fn at_rest(
        store: Arc<dyn Store>,
        ports: Ports,
        models: Arc<dyn ReadModels>,
        set: ProjectionSet,
    ) -> Self {
        let bounds = ProjectionBounds::default();
        let mut host = Host::new(store, ports, models, set.into_slots(), Arc::new(NoSpawn), bounds);
        host.at_rest = true;
        for slot in host.slots.values() {
            if let Err(cause) = host.look(slot).await {
                slot.set_failed(Some(cause));
            }
        }
        host.started.send_replace(true);
        let host = Arc::new(host);
        Self { _running: Arc::new(Running(Arc::clone(&host))), host }
    }
}

impl Host {
    /// Finds the builds of a projection.
    async fn look(&self, slot: &Slot) -> Result<(), StoreError> {
        let notes = Notes::read(&*self.models, slot.name).await?;
        slot.noted(notes.clone());
        if let Some(build) = notes.live {
            let live = self.found(slot, build).await?;
            if notes.paused && live.model.is_ok() {
                live.reach.became(ProjectionState::Paused);
            }
            slot.set_live(live);
        }
        if let Some(build) = notes.building {
            slot.set_building(Some(self.found(slot, build).await?));
        }
        Ok(())
    }

    /// A build as it is kept.
    async fn found(&self, slot: &Slot, build: Build) -> Result<Live, StoreError> {
        let model = self.models.find(&build).await.and_then(|found| {
            let what = || format!("open build {build}: it is not there any more: rebuild `{}`", slot.name);
            found.ok_or_else(|| StoreError::new(ErrorKind::RepairData, what()))
        });
        let checkpoint = match &model {
            Ok(model) => model.checkpoint().await,
            Err(cause) => Err(cause.clone()),
        };
        let refused = |cause| ProjectionState::Stopped(StopReason::Refused(cause));
        let (model, position, state) = match (model, checkpoint) {
            (Ok(model), Ok(checkpoint)) => {
                let position = checkpoint.map_or(Position::START, |checkpoint| checkpoint.position);
                let frozen = slot.definition(build.version).is_none();
                let head = self.store().head().await?.position;
                let state = match position {
                    _ if frozen => ProjectionState::Frozen,
                    position if position == head => ProjectionState::CaughtUp,
                    _ => ProjectionState::Starting,
                };
                (Ok(model), position, state)
            }
            (_, Err(cause)) | (Err(cause), _) => (Err(cause.clone()), Position::START, refused(cause)),
        };
        let live = self.shown(build, model, position, state);
        if let Some((_, why)) = self.not_of_this_log(&live).await? {
            let what = format!("read build {}: {why}: it is made anew at the next start", live.build);
            live.reach.became(refused(StoreError::new(ErrorKind::Reopen, what)));
        }
        Ok(live)
    }
}
