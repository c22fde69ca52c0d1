//! Applications in memory, and on stores that are open already.

use super::{App, Builder};
use factum_store::{MemoryReadModels, MemorySnapshots, MemoryStore, ReadModels, SnapshotStore, Store};
use std::sync::Arc;

/// In memory: for tests and tries. What it holds ends with it.
#[derive(Clone, Copy, Debug)]
pub struct InMemory;

/// On a store that is already open.
#[derive(Clone, Debug)]
pub struct On {
    events: Arc<dyn Store>,
    commands: Option<Arc<dyn Store>>,
    models: Option<Arc<dyn ReadModels>>,
}

impl On {
    pub(super) fn store(events: Arc<dyn Store>) -> Self {
        Self { events, commands: None, models: None }
    }
}

impl Builder<InMemory> {
    /// Starts with an empty log.
    pub fn start(mut self) -> App {
        self.snapshots = Some(Arc::new(MemorySnapshots::new()));
        let store = || -> Arc<dyn Store> {
            Arc::new(MemoryStore::with_ports(Arc::clone(&self.ports.clock), &*self.ports.entropy))
        };
        let (events, commands) = (store(), self.submits().then(store));
        self.over(events, commands, memory())
    }
}

impl Builder<On> {
    /// Keeps submitted commands in this store. Without one they are refused.
    pub fn command_log(mut self, store: Arc<dyn Store>) -> Self {
        self.backend.commands = Some(store);
        self
    }

    /// Keeps the states of models that ask for it in `snapshots`. Without it none are kept.
    pub fn snapshots(mut self, snapshots: Arc<dyn SnapshotStore>) -> Self {
        self.snapshots = Some(snapshots);
        self
    }

    /// Keeps read models in `models`. Without it they are in memory.
    pub fn read_models(mut self, models: Arc<dyn ReadModels>) -> Self {
        self.backend.models = Some(models);
        self
    }

    /// Starts on the store.
    pub fn start(self) -> App {
        let (events, commands) = (Arc::clone(&self.backend.events), self.backend.commands.clone());
        let commands = commands.filter(|_| self.submits());
        let models = self.backend.models.clone().unwrap_or_else(memory);
        self.over(events, commands, models)
    }
}

/// Read models that live as long as the application.
fn memory() -> Arc<dyn ReadModels> {
    #[cfg(feature = "embedded")]
    return Arc::new(MemoryReadModels::with_sql(Arc::new(factum_sqlite::SqliteReadModels::in_memory())));
    #[cfg(not(feature = "embedded"))]
    Arc::new(MemoryReadModels::new())
}
