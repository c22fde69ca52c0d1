//! What is remembered of a projection from start to start, beside its builds: which build is read, what an
//! operator asked for, what was given up. Written whole, before anyone acts on it.

use super::DiscardedEvent;
use bytes::Bytes;
use factum_event::Position;
use factum_store::{Build, ErrorKind, ReadModels, StoreError};
use serde::{Deserialize, Serialize};

/// Most discarded events that are remembered; the oldest are forgotten first.
pub const DISCARDED_MAX: usize = 1000;

/// What is to be noted of a projection whose log was restored up to `head` as another life of it, made from what
/// was noted before: no build is there, so one is made from the log. What an operator asked for and what was given
/// up stays; effects hear of no event again.
///
/// # Errors
/// When `stored` is not what this release notes.
pub fn restored_notes(projection: &str, stored: &[u8], head: Position) -> Result<Bytes, StoreError> {
    let notes = Notes::parse(stored, projection)?.restored(head);
    Ok(serde_json::to_vec(&notes).expect("notes are plain data").into())
}

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
        Self::parse(&stored, projection)
    }

    pub(crate) fn parse(stored: &[u8], projection: &str) -> Result<Self, StoreError> {
        serde_json::from_slice(stored).map_err(|cause| {
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

    /// What is to be noted where the log was restored up to `head`, in another life of it, without any build.
    pub(crate) fn restored(self, head: Position) -> Self {
        let discarded = self.discarded.into_iter().filter(|event| event.position <= head).collect();
        // How far the builds had come when the service ended cannot be known: nothing that happened is told again.
        Self { live: None, previous: None, building: None, told: head, discarded, ..self }
    }

    pub(crate) fn discard(&mut self, event: DiscardedEvent) {
        self.discarded.retain(|before| (before.position, &before.key) != (event.position, &event.key));
        self.discarded.insert(0, event);
        self.discarded.truncate(DISCARDED_MAX);
    }
}
