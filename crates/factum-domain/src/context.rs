//! Owns what a decision may know of the world. It is the same at every attempt, the time included.

use factum_event::{CommandId, CorrelationId, Metadata, Timestamp};
use std::{
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering},
};
use uuid::Uuid;

/// What a decision may know beside its command and its models.
#[derive(Debug)]
pub struct Context {
    now: Timestamp,
    actor: Option<Arc<str>>,
    tenant: Option<Arc<str>>,
    command_id: CommandId,
    correlation: CorrelationId,
    minted: AtomicU32,
}

impl Context {
    /// For one attempt at one command.
    #[doc(hidden)]
    pub fn new(command_id: CommandId, now: Timestamp, metadata: &Metadata) -> Self {
        Self {
            now,
            actor: metadata.actor.clone(),
            tenant: metadata.tenant.clone(),
            command_id,
            correlation: metadata.correlation.unwrap_or(CorrelationId::of(command_id)),
            minted: AtomicU32::new(0),
        }
    }

    /// The time when the command came in, the same at every attempt. So what must not be late, such as an
    /// expiry, is judged by when it was asked for, and deciding again gives the same answer.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who asks.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }

    /// For whom, where one log serves several.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The command.
    pub fn command_id(&self) -> CommandId {
        self.command_id
    }

    /// What the command belongs to.
    pub fn correlation(&self) -> CorrelationId {
        self.correlation
    }

    /// An id that nothing else has. It follows from the command's id and from how many were taken before
    /// it in this decision, so that deciding the command again gives the same ids. An id that is minted
    /// wraps a [`Uuid`], or is made from one.
    pub fn fresh_id<K: Minted>(&self) -> K {
        K::from(self.command_id.fresh(self.minted.fetch_add(1, Ordering::Relaxed)))
    }
}

/// What a decision can mint: made from a [`Uuid`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be minted: it is not made from a Uuid",
    label = "not made from a Uuid",
    note = "an id that decisions mint wraps one: `#[derive(Id)] struct OrderId(Uuid);`",
    note = "a number that counts up is no `fresh_id`: a model of the last one given out has it, \
            `type Scope = Last<Everything>`"
)]
pub trait Minted: From<Uuid> {}

#[diagnostic::do_not_recommend]
impl<K: From<Uuid>> Minted for K {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_repeat_with_the_attempt_and_differ_within_it() {
        let command = CommandId::new(Uuid::from_u128(7));
        let attempt = || {
            let context = Context::new(command, Timestamp::EPOCH, &Metadata::default());
            (context.fresh_id::<Uuid>(), context.fresh_id::<Uuid>())
        };
        assert_eq!(attempt(), attempt());
        assert_eq!(attempt(), (command.fresh(0), command.fresh(1)));
        assert_ne!(attempt().0, attempt().1);
    }

    #[test]
    fn a_command_without_a_correlation_begins_one() {
        let command = CommandId::new(Uuid::from_u128(7));
        let context = Context::new(command, Timestamp::EPOCH, &Metadata::default());
        assert_eq!(context.correlation(), CorrelationId::of(command));
    }
}
