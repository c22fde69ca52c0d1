//! The models of one decision or view, with how far each is folded. Their types are put away behind
//! [`AnyStates`], so that loading is compiled once. Never reads a store.

use crate::cache::{Shared, Slot};
use factum_domain::{Boundary, DecodeError, Models, SnapshotPlan};
use factum_event::{EventId, Position, RecordedEvent, Revision};
use std::{
    any::TypeId,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// How far the model behind one boundary is folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Everything in the boundary up to here is in the state.
    pub(crate) at: Position,
    /// How many events are in the state.
    pub(crate) events: u64,
    /// The last revision of the home stream at that place.
    pub(crate) revision: Option<Revision>,
    /// The last event in the state.
    pub(crate) last: Option<(Position, EventId)>,
    /// After how many events a snapshot is due; 0: never.
    pub(crate) every: u32,
    /// How many events were in the state when it was last put away.
    pub(crate) kept: u64,
    /// The state was taken from a snapshot: this event must stand at `at`, or the state is worth nothing.
    pub(crate) unproven: Option<EventId>,
}

impl Progress {
    /// Whether the state should be put away.
    pub(crate) fn is_due(&self) -> bool {
        self.every > 0 && self.events >= self.kept.saturating_add(u64::from(self.every))
    }

    /// After which place the log is read on: a state that is to be proven begins with its own last event.
    pub(crate) fn after(&self) -> Position {
        match self.unproven {
            Some(_) => Position::new(self.at.get().saturating_sub(1)),
            None => self.at,
        }
    }
}

/// Models being loaded.
pub(crate) trait AnyStates: Send + Sync {
    /// Where they are kept between commands; none if there is nothing worth keeping.
    fn slot(&self) -> Option<Slot>;
    /// Begins before any event.
    fn begin(&mut self);
    /// Goes on from what was kept, if it is theirs and not behind what they have.
    fn resume(&mut self, kept: Shared) -> bool;
    /// What they must read.
    fn boundaries(&self) -> Arc<[Boundary]>;
    /// How far each boundary is folded.
    fn progress(&self) -> &[Progress];
    /// Folds one record into the model behind a boundary; where only the last counts, in place of what it
    /// had. After an error the states are worth nothing.
    fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError>;
    /// All boundaries are folded up to here, where their home streams had these revisions.
    fn reached(&mut self, at: Position, revisions: &[Option<Revision>]);
    /// As it is kept.
    fn shared(&self) -> Shared;
    /// How each model is kept on disk, with its boundary; nothing if none is.
    fn plans(&self) -> Vec<(Boundary, Option<SnapshotPlan>)>;
    /// The model behind a boundary as it is kept on disk.
    fn save(&self, boundary: usize) -> Result<Vec<u8>, String>;
    /// Puts the model behind a boundary to what was kept on disk, with how far that is folded.
    fn restore(&mut self, boundary: usize, stored: &[u8], progress: Progress) -> Result<(), String>;
    /// The model behind a boundary was put away.
    fn kept(&mut self, boundary: usize);
}

/// Folded models of known types.
#[derive(Clone)]
struct Folded<M: Models> {
    keys: M::Keys,
    models: M,
    /// They follow from the keys; kept, so that they are drawn once.
    boundaries: Arc<[Boundary]>,
    progress: Vec<Progress>,
}

/// The typed side.
pub(crate) struct States<M: Models> {
    keys: M::Keys,
    /// Shared with the cache until something is folded: then it is copied.
    folded: Option<Arc<Folded<M>>>,
}

impl<M: Models> States<M> {
    pub(crate) fn new(keys: M::Keys) -> Self {
        Self { keys, folded: None }
    }

    /// The models as they are folded.
    pub(crate) fn models(&self) -> &M {
        &self.folded().models
    }

    /// The models, taken out.
    pub(crate) fn into_models(self) -> M {
        let folded = self.folded.expect("states begin before they are used");
        Arc::try_unwrap(folded).map_or_else(|shared| shared.models.clone(), |folded| folded.models)
    }

    fn folded(&self) -> &Arc<Folded<M>> {
        self.folded.as_ref().expect("states begin before they are used")
    }

    fn folded_mut(&mut self) -> &mut Folded<M> {
        Arc::make_mut(self.folded.as_mut().expect("states begin before they are used"))
    }
}

impl<M: Models> AnyStates for States<M> {
    fn slot(&self) -> Option<Slot> {
        if TypeId::of::<M>() == TypeId::of::<()>() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (TypeId::of::<M>(), &self.keys).hash(&mut hasher);
        Some(Slot(hasher.finish()))
    }

    fn begin(&mut self) {
        let mut boundaries = Vec::new();
        M::boundaries(&self.keys, &mut boundaries);
        let mut progress = vec![Progress::default(); boundaries.len()];
        if M::SNAPSHOTS {
            let mut plans = Vec::new();
            M::snapshots(&self.keys, &mut plans);
            // Of the last event alone there is nothing to put away.
            let plans = plans.iter().zip(&boundaries).map(|(plan, boundary)| match plan {
                Some(plan) if !boundary.last_only => plan.every,
                _ => 0,
            });
            progress.iter_mut().zip(plans).for_each(|(progress, every)| progress.every = every);
        }
        self.folded = Some(Arc::new(Folded {
            keys: self.keys.clone(),
            models: M::start(&self.keys),
            progress,
            boundaries: boundaries.into(),
        }));
    }

    fn resume(&mut self, kept: Shared) -> bool {
        let Ok(kept) = kept.downcast::<Folded<M>>() else { return false };
        let behind = |own: &Arc<Folded<M>>| {
            kept.progress.iter().zip(&own.progress).any(|(kept, own)| kept.at < own.at)
        };
        if kept.keys != self.keys || self.folded.as_ref().is_some_and(behind) {
            return false;
        }
        self.folded = Some(kept);
        true
    }

    fn boundaries(&self) -> Arc<[Boundary]> {
        Arc::clone(&self.folded().boundaries)
    }

    fn progress(&self) -> &[Progress] {
        &self.folded().progress
    }

    fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError> {
        let Folded { keys, models, boundaries, progress } = self.folded_mut();
        if boundaries[boundary].last_only {
            models.restart(boundary, keys);
            progress[boundary].events = 0;
        }
        models.fold(boundary, record)?;
        progress[boundary].events += 1;
        progress[boundary].last = Some((record.position, record.id));
        Ok(())
    }

    fn reached(&mut self, at: Position, revisions: &[Option<Revision>]) {
        for (progress, revision) in self.folded_mut().progress.iter_mut().zip(revisions) {
            (progress.at, progress.revision, progress.unproven) = (at, *revision, None);
        }
    }

    fn shared(&self) -> Shared {
        Arc::clone(self.folded()) as Shared
    }

    fn plans(&self) -> Vec<(Boundary, Option<SnapshotPlan>)> {
        let mut plans = Vec::new();
        if M::SNAPSHOTS {
            M::snapshots(&self.keys, &mut plans);
        }
        self.folded().boundaries.iter().cloned().zip(plans).collect()
    }

    fn save(&self, boundary: usize) -> Result<Vec<u8>, String> {
        self.folded().models.save(boundary)
    }

    fn restore(&mut self, boundary: usize, stored: &[u8], restored: Progress) -> Result<(), String> {
        let Folded { models, progress, .. } = self.folded_mut();
        models.restore(boundary, stored)?;
        progress[boundary] = restored;
        Ok(())
    }

    fn kept(&mut self, boundary: usize) {
        let progress = &mut self.folded_mut().progress[boundary];
        progress.kept = progress.events;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum_domain::{EventDescriptor, EventSet, Everything, Last, Model};

    /// The number of events, by whose key.
    #[derive(Clone, Debug, Default)]
    struct Count<const WHICH: u8>;

    struct Any;

    impl EventSet for Any {
        const TYPES: &'static [EventDescriptor] = &[EventDescriptor { name: "a", earlier: &[], version: 1 }];

        fn decode(_: &RecordedEvent) -> Result<Option<Self>, DecodeError> {
            Ok(Some(Self))
        }
    }

    impl<const WHICH: u8> Model for Count<WHICH> {
        type Scope = Last<Everything>;
        type Event = Any;
        fn apply(&mut self, Any: Any) {}
    }

    fn begun<M: Models>(keys: M::Keys, at: u64) -> States<M> {
        let mut states = States::<M>::new(keys);
        states.begin();
        states.reached(Position::new(at), &[None, None]);
        states
    }

    #[test]
    fn only_states_of_the_same_models_under_the_same_keys_are_taken() {
        let mut states = begun::<Vec<Count<1>>>(vec![(), ()], 5);
        assert!(states.resume(begun::<Vec<Count<1>>>(vec![(), ()], 5).shared()));
        assert!(!states.resume(begun::<Vec<Count<1>>>(vec![()], 5).shared()), "other keys");
        assert!(!states.resume(begun::<Vec<Count<2>>>(vec![(), ()], 5).shared()), "another model");
        assert_eq!(states.progress().len(), 2);
    }

    #[test]
    fn states_are_not_given_up_for_older_ones() {
        let mut states = begun::<Count<1>>((), 5);
        assert!(!states.resume(begun::<Count<1>>((), 4).shared()));
        assert!(states.resume(begun::<Count<1>>((), 6).shared()));
        assert_eq!(states.progress()[0].at, Position::new(6));
    }

    #[test]
    fn slots_differ_by_model_and_by_keys() {
        let one = States::<Vec<Count<1>>>::new(vec![()]).slot();
        assert_eq!(one, States::<Vec<Count<1>>>::new(vec![()]).slot());
        assert_ne!(one, States::<Vec<Count<1>>>::new(vec![]).slot());
        assert_ne!(one, States::<Vec<Count<2>>>::new(vec![()]).slot());
        assert_eq!(States::<()>::new(()).slot(), None, "nothing is not worth keeping");
    }
}
