//! What is stamped on a command when it comes in. Nothing else from outside enters a decision.

use crate::{Engine, ExpectedRevision};
use bytes::Bytes;
use factum_domain::Command;
use factum_event::{
    CausationId, Codec, CommandId, CommandName, CommandPayload, CommandRecord, CorrelationId, InvalidName,
    Metadata, Timestamp,
};
use std::sync::Arc;

/// The methods of a command about to be sent, now or for later, that stamp its intake.
macro_rules! stamped {
    () => {
        /// Asked by `actor`.
        pub fn actor(mut self, actor: impl Into<::std::sync::Arc<str>>) -> Self {
            self.intake.metadata.actor = Some(actor.into());
            self
        }

        /// For `tenant`.
        pub fn tenant(mut self, tenant: impl Into<::std::sync::Arc<str>>) -> Self {
            self.intake.metadata.tenant = Some(tenant.into());
            self
        }

        /// Under a key of the sender's: the same actor (of the same tenant) sending the same command under the
        /// same key again changes nothing and gets the first outcome, across restarts. An id that is given with
        /// [`Self::command_id`] wins over it.
        pub fn idempotency_key(mut self, key: impl Into<::std::sync::Arc<str>>) -> Self {
            self.intake.idempotency_key = Some(key.into());
            self
        }

        /// Under this id. As with a key, sending it again gets the first outcome.
        pub fn command_id(mut self, id: ::factum_event::CommandId) -> Self {
            self.intake.id = Some(id);
            self
        }

        /// Part of what `correlation` names.
        pub fn correlation(mut self, correlation: ::factum_event::CorrelationId) -> Self {
            self.intake.metadata.correlation = Some(correlation);
            self
        }

        /// Led to by `causation`.
        pub fn causation(mut self, causation: ::factum_event::CausationId) -> Self {
            self.intake.metadata.causation = Some(causation);
            self
        }

        /// With one more header, kept with the commit.
        pub fn header(
            mut self,
            name: impl Into<::std::sync::Arc<str>>,
            value: impl Into<::std::sync::Arc<str>>,
        ) -> Self {
            self.intake.metadata.headers.push((name.into(), value.into()));
            self
        }

        /// As it came in at `time`: what the decision sees as now, at every attempt.
        pub fn issued_at(mut self, time: ::factum_event::Timestamp) -> Self {
            self.intake.issued_at = Some(time);
            self
        }

        /// Only if the stream of the command's first model stands where `expected` says; else nothing is
        /// decided. Without it a command is decided on whatever the stream has become.
        pub fn expecting(mut self, expected: impl Into<$crate::ExpectedRevision>) -> Self {
            self.intake.expected = Some(expected.into());
            self
        }

        /// With what was stamped on it elsewhere, in place of all that was said before.
        pub fn intake(mut self, intake: $crate::Intake) -> Self {
            self.intake = intake;
            self
        }
    };
}
pub(crate) use stamped;

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
    /// Where its sender believes the stream to stand.
    pub expected: Option<ExpectedRevision>,
    /// Who asks, and what it belongs to.
    pub metadata: Metadata,
}

impl Intake {
    /// The command as its commit will remember it, and whether its sender chose the id: then an earlier
    /// outcome may exist.
    pub(crate) fn record<C: Command>(
        self,
        engine: &Engine,
        command: &C,
    ) -> Result<(CommandRecord, bool), InvalidName> {
        self.record_of(engine, C::NAME, C::VERSION, command.encode())
    }

    /// As [`Self::record`], of a command in its stored form.
    pub(crate) fn record_of(
        mut self,
        engine: &Engine,
        name: &'static str,
        version: u32,
        data: Bytes,
    ) -> Result<(CommandRecord, bool), InvalidName> {
        let chosen = self.chosen_id(name)?;
        if let Some(expected) = &self.expected {
            expected.stamp(&mut self.metadata);
        }
        let record = CommandRecord {
            id: chosen.unwrap_or_else(|| engine.fresh_command_id()),
            name: CommandName::unchecked(name),
            payload: CommandPayload::Inline { codec: Codec::JSON, version, data },
            issued_at: self.issued_at.unwrap_or_else(|| engine.now()),
            metadata: self.metadata,
        };
        Ok((record, chosen.is_some()))
    }

    /// The id, if the sender chose it.
    fn chosen_id(&self, command: &str) -> Result<Option<CommandId>, InvalidName> {
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
