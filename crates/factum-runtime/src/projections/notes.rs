//! What is remembered of a projection from start to start, beside its builds: which build is read, what an
//! operator asked for, what was given up. Written whole, before anyone acts on it.

use super::DiscardedEvent;
use factum_event::Position;
use factum_store::{Build, ErrorKind, ReadModels, StoreError};
use serde::{Deserialize, Serialize};

/// Most discarded events that are remembered; the oldest are forgotten first.
pub const DISCARDED_MAX: usize = 1000;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// The build that is read.
    pub(crate) live: Option<Build>,
    /// The one before, kept to go back to.
    pub(crate) previous: Option<Build>,
    /// The one that is made beside.
    pub(crate) building: Option<Build>,
    /// The number of the last build that was begun.
    pub(crate) last_number: u32,
    pub(crate) paused: bool,
    pub(crate) disabled: bool,
    /// Up to here no build tells of events any more: one before it has.
    #[serde(default)]
    pub(crate) told: Position,
    /// The version that an operator went back from: it is not taken up again by itself.
    #[serde(default)]
    pub(crate) gone_back_from: Option<u32>,
    /// The last first.
    #[serde(default)]
    pub(crate) discarded: Vec<DiscardedEvent>,
}

impl Notes {
    pub(crate) async fn read(models: &dyn ReadModels, projection: &str) -> Result<Self, StoreError> {
        let Some(stored) = models.notes(projection).await? else { return Ok(Self::default()) };
        serde_json::from_slice(&stored).map_err(|cause| {
            let what = format!(
                "read what is noted of projection `{projection}`: {cause}: a later build of the application \
                 wrote it, or it is damaged and `reset` begins again"
            );
            StoreError::new(ErrorKind::RepairData, what)
        })
    }

    pub(crate) async fn write(&self, models: &dyn ReadModels, projection: &str) -> Result<(), StoreError> {
        let stored = serde_json::to_vec(self).expect("notes are plain data");
        models.note(projection, stored.into()).await
    }

    /// A build that is none of those before.
    pub(crate) fn next_build(&mut self, projection: &str, version: u32) -> Build {
        self.last_number += 1;
        Build { projection: projection.into(), version, number: self.last_number }
    }

    pub(crate) fn discard(&mut self, event: DiscardedEvent) {
        self.discarded.retain(|before| (before.position, &before.key) != (event.position, &event.key));
        self.discarded.insert(0, event);
        self.discarded.truncate(DISCARDED_MAX);
    }
}
