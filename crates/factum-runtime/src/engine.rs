//! What every operation needs: the store, the ports, and the models kept at hand. Clones share all of it.

use crate::{
    CACHE_ENTRIES_DEFAULT, CommandObserver, CommandStatus, Execute, Intake, Live, Projections, Retry, Sleep,
    SystemSleep,
    cache::ModelCache,
    lanes::{CommandLog, Outcomes},
    snapshots::Snapshots,
};
use factum_domain::{Command, Key, Model};
use factum_event::{CommandId, Position, Timestamp};
use factum_store::{
    Clock, Entropy, SnapshotStore, Store, StoreError, SystemClock, SystemEntropy, fresh_command_id,
};
use std::sync::Arc;

/// Where time, randomness and waiting come from.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes, for ids and for jitter.
    pub entropy: Arc<dyn Entropy>,
    /// Waits.
    pub sleep: Arc<dyn Sleep>,
    /// Hears how commands end. Without one nothing is measured.
    pub observer: Option<Arc<dyn CommandObserver>>,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            sleep: Arc::new(SystemSleep),
            observer: None,
        }
    }
}

/// A store with what it takes to decide over it.
#[derive(Clone, Debug)]
pub struct Engine {
    store: Arc<dyn Store>,
    ports: Ports,
    retry: Retry,
    outcomes: Arc<Outcomes>,
    cache: Option<Arc<ModelCache>>,
    snapshots: Option<Arc<Snapshots>>,
    commands: Option<CommandLog>,
    projections: Option<Projections>,
}

impl Engine {
    /// An engine over `store`, which keeps [`CACHE_ENTRIES_DEFAULT`] folded states at hand.
    pub fn new(store: Arc<dyn Store>, ports: Ports, retry: Retry) -> Self {
        let cache = ModelCache::new(CACHE_ENTRIES_DEFAULT).map(Arc::new);
        Self {
            store,
            ports,
            retry,
            outcomes: Arc::default(),
            cache,
            snapshots: None,
            commands: None,
            projections: None,
        }
    }

    /// Keeps so many folded states at hand; 0: none, and every load reads from the first event on.
    #[must_use]
    pub fn with_cache(mut self, entries: usize) -> Self {
        self.cache = ModelCache::new(entries).map(Arc::new);
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Keeps the states of models that ask for it in `snapshots`.
    #[must_use]
    pub fn with_snapshots(mut self, snapshots: Arc<dyn SnapshotStore>) -> Self {
        self.snapshots = Some(Arc::new(Snapshots::new(snapshots, self.store.identity())));
        self
    }

    /// Looks up in `commands` what a submitted command asked for, when one comes under the same id.
    #[must_use]
    pub fn with_command_log(mut self, commands: Arc<dyn Store>) -> Self {
        self.commands = Some(CommandLog::new(commands));
        self
    }

    /// Lets commands wait for those of these read models that say so.
    #[must_use]
    pub fn with_projections(mut self, projections: Projections) -> Self {
        self.projections = Some(projections);
        self
    }

    /// The read models, where there are any.
    pub fn projections(&self) -> Option<&Projections> {
        self.projections.as_ref()
    }

    /// Waits for the read models that commands wait for, and tells whether all hold `position`.
    pub(crate) async fn seen(&self, position: Position) -> bool {
        match &self.projections {
            Some(projections) => projections.seen(position).await,
            None => true,
        }
    }

    pub(crate) fn command_log(&self) -> Option<&CommandLog> {
        self.commands.as_ref()
    }

    /// Ready once the snapshots that were taken are written, or given up.
    pub async fn snapshots_settled(&self) {
        if let Some(snapshots) = &self.snapshots {
            snapshots.store().settled().await;
        }
    }

    pub(crate) fn snapshots(&self) -> Option<&Snapshots> {
        self.snapshots.as_deref()
    }

    pub(crate) fn cache(&self) -> Option<&ModelCache> {
        self.cache.as_deref()
    }

    /// Where time, randomness and waiting come from.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(crate) fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    pub(crate) fn retry(&self) -> Retry {
        self.retry
    }

    /// Now, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// A command id that was never used.
    pub fn fresh_command_id(&self) -> CommandId {
        fresh_command_id(&*self.ports.clock, &*self.ports.entropy)
    }

    /// Decides `command` now and appends what follows. Nothing happens until it is awaited.
    pub fn execute<C: Command>(&self, command: C) -> Execute<'_, C> {
        Execute::new(self, command, Intake::default())
    }

    /// The state of a model, folded from the log as it stands. Nothing is read until it is awaited.
    pub fn view<M: Model>(&self, key: Key<M>) -> Live<'_, M> {
        Live::new(self, key)
    }

    /// What became of a command; `None` if the log has not heard of it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn status(&self, command: CommandId) -> Result<Option<CommandStatus>, StoreError> {
        Ok(CommandStatus::of(&self.store.commits_of(command).await?))
    }
}
