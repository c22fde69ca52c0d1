//! Owns how a model's state is kept between reads. Serde is asked only of models that use it.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// Whether and how often the state of a model is kept, so that a later read starts from there.
///
/// A snapshot is a cache: one that is missing, of another fold version or unreadable is made again from
/// the events. Raise the version when `apply` or the fields change.
pub struct Snapshot<M> {
    kept: Option<Kept<M>>,
}

struct Kept<M> {
    name: &'static str,
    fold_version: u32,
    every: u32,
    save: fn(&M) -> Result<Vec<u8>, serde_json::Error>,
    load: fn(&[u8]) -> Option<M>,
}

impl<M> Snapshot<M> {
    /// No snapshot: every read folds from the first event.
    pub const NONE: Self = Self { kept: None };

    /// The stored name, if there are snapshots.
    pub const fn name(&self) -> Option<&'static str> {
        match &self.kept {
            Some(kept) => Some(kept.name),
            None => None,
        }
    }

    /// The version of the fold; 0 without snapshots.
    pub const fn fold_version(&self) -> u32 {
        match &self.kept {
            Some(kept) => kept.fold_version,
            None => 0,
        }
    }

    /// How many events are folded between two snapshots; `None` without snapshots.
    pub const fn events(&self) -> Option<u32> {
        match &self.kept {
            Some(kept) => Some(kept.every),
            None => None,
        }
    }

    /// The state to be kept, in JSON. `None` without snapshots, or when the state does not serialise.
    pub fn save(&self, model: &M) -> Option<Bytes> {
        let kept = self.kept.as_ref()?;
        (kept.save)(model).ok().map(Bytes::from)
    }

    /// The state that was kept. `None` when it cannot be read: fold from the events then.
    pub fn load(&self, saved: &[u8]) -> Option<M> {
        (self.kept.as_ref()?.load)(saved)
    }
}

impl<M: Serialize + DeserializeOwned> Snapshot<M> {
    /// A snapshot each `events` events, under a stored name that no other model has.
    ///
    /// # Panics
    /// While compiling, when `events` is 0 or `name` is empty.
    pub const fn every(events: u32, name: &'static str, fold_version: u32) -> Self {
        assert!(events > 0, "a snapshot each 0 events is none: write Snapshot::NONE");
        assert!(!name.is_empty(), "a snapshot is stored under a name: \"campus.seats\"");
        Self {
            kept: Some(Kept {
                name,
                fold_version,
                every: events,
                save: |model| serde_json::to_vec(model),
                load: |saved| serde_json::from_slice(saved).ok(),
            }),
        }
    }
}

impl<M> fmt::Debug for Snapshot<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kept {
            None => f.write_str("Snapshot::NONE"),
            Some(kept) => {
                write!(f, "Snapshot::every({}, {:?}, {})", kept.every, kept.name, kept.fold_version)
            }
        }
    }
}
