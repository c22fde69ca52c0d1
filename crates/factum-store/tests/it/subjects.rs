//! What the suite is run on.

use factum_store::{Clock, MemoryStore, Store, SystemEntropy, conformance::Subject};
use std::sync::Arc;

/// The reference.
pub(crate) struct InMemory;

impl Subject for InMemory {
    fn name(&self) -> &str {
        "memory"
    }

    fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        Arc::new(MemoryStore::with_ports(clock, &SystemEntropy))
    }
}
