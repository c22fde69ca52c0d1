//! Takes states of models out of a store of snapshots, and puts them there. What is taken out is a baseline
//! that must be proven against the log before anything is decided on it; whatever does not fit is as good as
//! nothing. Never an error of a command or a view.

use crate::states::{AnyStates, Progress};
use factum_domain::{Boundary, SnapshotPlan};
use factum_event::{LogIdentity, StreamFilter};
use factum_store::{SnapshotKey, SnapshotStore, StoredSnapshot, snapshots::SNAPSHOT_BYTES_MAX};
use std::{
    any::TypeId,
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

/// The snapshots of one log.
#[derive(Debug)]
pub(crate) struct Snapshots {
    store: Arc<dyn SnapshotStore>,
    log: LogIdentity,
    /// Of each model that was met: its type, by its path, and the fingerprint of its form. As many as there are
    /// models in the code.
    models: Mutex<HashMap<&'static str, (TypeId, u64)>>,
}

/// A state that may be kept, and where.
struct Place {
    key: SnapshotKey,
    shape: u64,
}

impl Snapshots {
    pub(crate) fn new(store: Arc<dyn SnapshotStore>, log: LogIdentity) -> Self {
        Self { store, log, models: Mutex::default() }
    }

    pub(crate) fn store(&self) -> &Arc<dyn SnapshotStore> {
        &self.store
    }

    /// Begins from what is kept, where something fits. It is proven when it is loaded on.
    pub(crate) async fn restore(&self, states: &mut dyn AnyStates) {
        for (index, (boundary, plan)) in states.plans().into_iter().enumerate() {
            let Some(plan) = plan else { continue };
            let Some(place) = self.place(&boundary, &plan) else { continue };
            let found = match self.store.get(&place.key).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(model = plan.model, %error, "a snapshot could not be read");
                    continue;
                }
            };
            let Some(found) = found else { continue };
            if let Some(difference) = self.difference(&found, &place, &plan) {
                tracing::debug!(model = plan.model, difference, "a snapshot does not fit");
                continue;
            }
            if !found.is_whole(&place.key) {
                self.give_up(&plan, place.key, "its checksum does not match");
                continue;
            }
            let progress = Progress {
                at: found.position,
                events: found.events,
                last: Some((found.position, found.event)),
                kept: found.events,
                unproven: Some(found.event),
                ..states.progress()[index].clone()
            };
            if let Err(cause) = states.restore(index, &found.state, progress) {
                self.give_up(&plan, place.key, &cause);
            }
        }
    }

    /// Keeps what is due. The states are right up to where they are folded, and what they were folded from is
    /// stored: this is called after an append or a view, never before.
    pub(crate) fn take(&self, states: &mut dyn AnyStates) {
        if !states.progress().iter().any(Progress::is_due) {
            return;
        }
        for (index, (boundary, plan)) in states.plans().into_iter().enumerate() {
            let progress = &states.progress()[index];
            let (Some(plan), Some((position, event)), true) = (plan, progress.last, progress.is_due()) else {
                continue;
            };
            let events = progress.events;
            if let Some(Place { key, shape }) = self.place(&boundary, &plan) {
                match states.save(index) {
                    Ok(state) if state.len() > SNAPSHOT_BYTES_MAX => {
                        let bytes = state.len();
                        tracing::warn!(model = plan.model, bytes, "a state is too large to be kept");
                    }
                    Ok(state) => {
                        let snapshot = StoredSnapshot {
                            generation: self.log.generation,
                            version: plan.version,
                            shape,
                            event,
                            position,
                            events,
                            state: state.into(),
                            checksum: 0,
                        };
                        self.store.put(key.clone(), snapshot.seal(&key), u64::from(plan.every));
                    }
                    Err(cause) => tracing::warn!(model = plan.model, cause, "a state cannot be kept"),
                }
            }
            // Kept or not: the next try is as many events away.
            states.kept(index);
        }
    }

    /// What was restored is not what the log holds.
    pub(crate) fn disprove(&self, states: &dyn AnyStates, boundary: usize) {
        if let Some((boundary, Some(plan))) = states.plans().into_iter().nth(boundary)
            && let Some(place) = self.place(&boundary, &plan)
        {
            self.give_up(&plan, place.key, "its last event is not there in the log");
        }
    }

    fn give_up(&self, plan: &SnapshotPlan, key: SnapshotKey, cause: &str) {
        tracing::warn!(
            model = plan.model,
            scope = &*key.scope,
            cause,
            "a snapshot is of no use, it is removed"
        );
        self.store.forget(key);
    }

    /// In what the snapshot is another one than is needed.
    fn difference(&self, found: &StoredSnapshot, place: &Place, plan: &SnapshotPlan) -> Option<&'static str> {
        let differs = [
            (found.generation != self.log.generation, "the generation of the log"),
            (found.version != plan.version, "the version of the fold"),
            (found.shape != place.shape, "the form of the model, or its events"),
        ];
        differs.into_iter().find_map(|(differs, what)| differs.then_some(what))
    }

    /// None if the state is not to be kept: of the last event alone there is nothing to keep, and two models of
    /// one path cannot be told apart.
    fn place(&self, boundary: &Boundary, plan: &SnapshotPlan) -> Option<Place> {
        if boundary.last_only {
            return None;
        }
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let (type_id, shape) = *models.entry(plan.model).or_insert_with(|| (plan.type_id, plan.shape()));
        if type_id != plan.type_id {
            tracing::warn!(model = plan.model, "two models have this path: only the first one has snapshots");
            return None;
        }
        let key = SnapshotKey {
            log: self.log.log,
            model: plan.model.into(),
            scope: scope(boundary, &plan.key).into(),
        };
        Some(Place { key, shape })
    }
}

/// The boundary and the key that drew it, in words. Names are quoted, so that no two read alike; the types of
/// the events are part of the shape.
fn scope(boundary: &Boundary, key: &str) -> String {
    let mut text = String::new();
    let mut write = |what: &str, name: &str| {
        write!(text, "{what} {name:?} ").expect("text is in memory");
    };
    match &boundary.item.stream {
        Some(StreamFilter::Name(stream)) => write("stream", stream.as_str()),
        Some(StreamFilter::Category(category)) => write("category", category.as_str()),
        None => {}
    }
    boundary.item.tags.iter().for_each(|tag| write("tag", tag.as_str()));
    text + "key " + key
}
