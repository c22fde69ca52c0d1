//! What is stamped on a command when it comes in. Nothing else from outside enters a decision.

use factum_event::{CausationId, CommandId, CorrelationId, Metadata, Timestamp};
use std::sync::Arc;

/// Who asks, when, and under which id.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    /// The command's id; a fresh one if none is given. Sending the same id again finds the first outcome.
    pub id: Option<CommandId>,
    /// A client's key, from which the id follows (with actor and command name) if no id is given.
    pub idempotency_key: Option<Arc<str>>,
    /// When it came in; now if not given.
    pub issued_at: Option<Timestamp>,
    /// Who asks, and what it belongs to.
    pub metadata: Metadata,
}

impl Intake {
    /// The id, if it was chosen by the sender: then an earlier outcome may exist.
    pub(crate) fn chosen_id(&self, command: &str) -> Option<CommandId> {
        let keyed = |key: &Arc<str>| {
            CommandId::from_idempotency_key(
                &[self.metadata.actor.as_deref().unwrap_or_default(), command],
                key,
            )
        };
        self.id.or_else(|| self.idempotency_key.as_ref().map(keyed))
    }

    /// Asked by `actor`.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<Arc<str>>) -> Self {
        self.metadata.actor = Some(actor.into());
        self
    }

    /// Part of what `correlation` names.
    #[must_use]
    pub fn correlation(mut self, correlation: CorrelationId) -> Self {
        self.metadata.correlation = Some(correlation);
        self
    }

    /// Led to by `causation`.
    #[must_use]
    pub fn causation(mut self, causation: CausationId) -> Self {
        self.metadata.causation = Some(causation);
        self
    }
}
