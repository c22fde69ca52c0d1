//! Owns what one model is: a scope, the events it reads, and a fold that cannot fail.

use crate::{EventSet, ReachedBy, Scope, Snapshot};
use std::fmt::Debug;

/// State folded from events, just as much of it as a decision needs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "a model names its scope and its events and folds them: `impl Model for {Self} {{ type Scope = \
            Tagged<CourseId>; type Event = ..; fn apply(&mut self, event: ..) {{ .. }} }}`",
    note = "several models are a tuple of up to four, `Vec<Model>` is one for each of a list of keys, `()` \
            is none; tuples nest: `((A, B, C, D), E)`"
)]
pub trait Model: Default + Clone + Debug + Send + Sync + 'static {
    /// How its events are selected.
    type Scope: Scope;
    /// The events it reads.
    type Event: EventSet + ReachedBy<Self::Scope>;

    /// Whether its states are kept on disk, so that a long history need not be read again after a restart.
    /// `Snapshot::every(500, 1)` asks serde of the model; without it a model needs none.
    const SNAPSHOT: Snapshot<Self> = Snapshot::NONE;

    /// The state before any event. Override it to remember whose state it is.
    fn start(key: &Key<Self>) -> Self {
        let _ = key;
        Self::default()
    }

    /// Takes in one event. Events come in the order of the log.
    fn apply(&mut self, event: Self::Event);
}

/// What a command names to pick the events of a model.
pub type Key<M> = <<M as Model>::Scope as Scope>::Key;
