//! What is stamped on a command when it comes in. Nothing else from outside enters a decision.

use factum_event::{CausationId, CommandId, CorrelationId, InvalidName, Metadata, Timestamp};
use std::sync::Arc;

/// Who asks, when, and under which id.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    /// The command's id; a fresh one if none is given. Sending the same id again finds the first outcome.
    pub id: Option<CommandId>,
    /// A client's key, from which the id follows (with tenant, actor and command name) if no id is given. 1 to
    /// 255 bytes without control characters.
    pub idempotency_key: Option<Arc<str>>,
    /// When it came in; now if not given.
    pub issued_at: Option<Timestamp>,
    /// Who asks, and what it belongs to.
    pub metadata: Metadata,
}

impl Intake {
    /// The id, if it was chosen by the sender: then an earlier outcome may exist.
    pub(crate) fn chosen_id(&self, command: &str) -> Result<Option<CommandId>, InvalidName> {
        let Metadata { actor, tenant, .. } = &self.metadata;
        actor.iter().try_for_each(|actor| InvalidName::check_label("an actor", actor))?;
        tenant.iter().try_for_each(|tenant| InvalidName::check_label("a tenant", tenant))?;
        let Some(key) = self.idempotency_key.as_deref().filter(|_| self.id.is_none()) else {
            return Ok(self.id);
        };
        InvalidName::check_label("an idempotency key", key)?;
        let (tenant, actor) = (tenant.as_deref().unwrap_or_default(), actor.as_deref().unwrap_or_default());
        Ok(Some(CommandId::from_idempotency_key(&[tenant, actor, command], key)))
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
