//! Commands by their stored names: what turns bytes of the command log into something to decide.

use crate::attempt::{Attempt, Typed};
use bytes::Bytes;
use factum_domain::{Boundary, Command, CommandDecodeError, CommandVisitor, Commands, Models};
use std::{collections::HashMap, fmt, marker::PhantomData, sync::Arc};

/// A command that was sent in its stored form, as its type has it.
pub(crate) struct Sent {
    pub(crate) version: u32,
    pub(crate) data: Bytes,
    pub(crate) boundaries: Vec<Boundary>,
}

impl Sent {
    pub(crate) fn of<C: Command>(command: &C) -> Self {
        let mut boundaries = Vec::new();
        C::Models::boundaries(&command.keys(), &mut boundaries);
        Self { version: C::VERSION, data: command.encode(), boundaries }
    }
}

/// What the lanes know of one kind of command.
pub(crate) trait Handler: Send + Sync {
    /// The stored command, ready to be decided.
    fn attempt(&self, stored: &[u8]) -> Result<Box<dyn Attempt>, CommandDecodeError>;

    /// What was sent, read and written again: what goes into the log is what this build means by it.
    fn sent(&self, data: &[u8]) -> Result<Sent, CommandDecodeError>;
}

struct Of<C>(PhantomData<fn() -> C>);

impl<C: Command> Handler for Of<C> {
    fn attempt(&self, stored: &[u8]) -> Result<Box<dyn Attempt>, CommandDecodeError> {
        Ok(Box::new(Typed::new(C::decode(stored)?)))
    }

    fn sent(&self, data: &[u8]) -> Result<Sent, CommandDecodeError> {
        Ok(Sent::of(&C::decode(data)?))
    }
}

/// The commands that an application decides from its command log.
#[derive(Clone, Default)]
pub struct Handlers(HashMap<&'static str, Arc<dyn Handler>>);

impl Handlers {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one command, or each of a tuple.
    ///
    /// # Panics
    /// When two of them are stored under one name.
    pub fn add<C: Commands>(&mut self) {
        C::visit(self);
    }

    /// The stored names, in order.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.keys().copied().collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn get(&self, name: &str) -> Option<(&'static str, &dyn Handler)> {
        self.0.get_key_value(name).map(|(name, handler)| (*name, &**handler))
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl CommandVisitor for Handlers {
    fn command<C: Command>(&mut self) {
        let before = self.0.insert(C::NAME, Arc::new(Of::<C>(PhantomData)));
        assert!(before.is_none(), "two commands are stored as `{}`: rename one", C::NAME);
    }
}
