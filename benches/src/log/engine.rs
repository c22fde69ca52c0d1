//! What is asked of a system, the same of all. Each answers in its own file with its own API, used as its
//! makers mean it to be used.

use super::{
    events::{Account, Digest, Event},
    work::Durability,
};
use crate::Failure;
use std::path::Path;

/// Something that events can be appended to and read from again. What is appended is durable when the call
/// returns.
pub(crate) trait Engine: Sized + Send + Sync + 'static {
    /// What it calls before it acknowledges.
    const DURABILITY: Durability;

    /// Opens what is in `dir`, or begins there. `dir` exists.
    fn open(dir: &Path) -> Result<Self, Failure>;

    /// Appends all of them as one commit, whole or not at all.
    fn append(&self, events: Vec<Event<'_>>) -> Result<(), Failure>;

    /// Reads every event, in order.
    fn replay(&self, read: &mut Digest) -> Result<(), Failure>;

    /// Ends, so that another may open it.
    fn close(self) -> Result<(), Failure>;
}

/// One that knows streams and conditions.
pub(crate) trait Conditional: Engine {
    /// Appends one event if there is nothing with its tag after the position `after`; its own position.
    fn append_next(&self, event: Event<'_>, after: u64) -> Result<u64, Failure>;

    /// Reads every event of an account, in order.
    fn stream(&self, account: &Account, read: &mut Digest) -> Result<(), Failure>;
}

/// One that can wait without a thread.
pub(crate) trait Asynchronous: Conditional {
    /// As [`Conditional::append_next`].
    fn append_next_async(
        &self,
        event: Event<'_>,
        after: u64,
    ) -> impl Future<Output = Result<u64, Failure>> + Send;
}
