//! What is said of an application before it starts, whatever it starts on.

use super::App;
#[cfg(feature = "embedded")]
use super::Backend;
use factum_domain::{Commands, View};
#[cfg(feature = "embedded")]
use factum_runtime::SqlProjection;
use factum_runtime::{
    CACHE_ENTRIES_DEFAULT, CommandObserver, Engine, Handlers, LaneBounds, LaneLayout, Lanes, NoSpawn, Ports,
    ProjectionBounds, ProjectionSet, Projections, Retry, Sleep, Spawn, SystemSpawn,
};
use factum_store::{AppendObserver, Clock, Entropy, ReadModels, SnapshotStore, Store};
use std::sync::Arc;

/// An application about to start, on the backend `B`.
#[must_use = "nothing is opened until it is started"]
#[derive(Clone, Debug)]
pub struct Builder<B> {
    pub(super) backend: B,
    pub(super) ports: Ports,
    retry: Retry,
    handlers: Handlers,
    layout: LaneLayout,
    bounds: LaneBounds,
    spawn: Arc<dyn Spawn>,
    pub(super) appends: Option<Arc<dyn AppendObserver>>,
    cache: usize,
    pub(super) snapshots: Option<Arc<dyn SnapshotStore>>,
    pub(super) projections: ProjectionSet,
    projection_bounds: ProjectionBounds,
    pub(super) decides: bool,
}

impl<B> Builder<B> {
    pub(super) fn new(backend: B) -> Self {
        Self {
            backend,
            ports: Ports::default(),
            retry: Retry::default(),
            handlers: Handlers::default(),
            layout: LaneLayout::default(),
            bounds: LaneBounds::default(),
            spawn: Arc::new(SystemSpawn),
            appends: None,
            cache: CACHE_ENTRIES_DEFAULT,
            snapshots: None,
            projections: ProjectionSet::default(),
            projection_bounds: ProjectionBounds::default(),
            decides: true,
        }
    }

    /// Keeps the documents of the view `V`.
    ///
    /// # Panics
    /// When its name, version or indexes are not as they should be, or it is there already.
    pub fn view<V: View>(mut self) -> Self {
        self.projections.view::<V>();
        self
    }

    /// Keeps the tables of `projection`.
    ///
    /// # Panics
    /// As [`Self::view`].
    #[cfg(feature = "embedded")]
    pub fn project<P: SqlProjection<B::Db>>(mut self, projection: P) -> Self
    where
        B: Backend,
    {
        self.projections.project::<B::Db, P>(projection);
        self
    }

    /// How much projections take in at once, and how they try again.
    pub fn projection_bounds(mut self, bounds: ProjectionBounds) -> Self {
        self.projection_bounds = bounds;
        self
    }

    /// Decides these commands when they are submitted: `.commands::<(Enrol, Withdraw)>()`.
    ///
    /// # Panics
    /// When two of them are stored under one name.
    pub fn commands<C: Commands>(mut self) -> Self {
        self.handlers.add::<C>();
        self
    }

    /// Spreads submitted commands over lanes like this. Stored: a change takes effect once all commands
    /// before it are decided.
    pub fn lanes(mut self, layout: LaneLayout) -> Self {
        self.layout = layout;
        self
    }

    /// How much the lanes hold in memory, and how often they write down how far they are.
    pub fn lane_bounds(mut self, bounds: LaneBounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Decides no command that was accepted: those wait for the next start. For work on the data of a service that
    /// does not run.
    pub fn lanes_at_rest(mut self) -> Self {
        self.decides = false;
        self
    }

    /// The lanes' work runs by `spawn`.
    pub fn spawn(mut self, spawn: Arc<dyn Spawn>) -> Self {
        self.spawn = spawn;
        self
    }

    /// Time comes from `clock`.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.ports.clock = clock;
        self
    }

    /// Random bytes come from `entropy`.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.ports.entropy = entropy;
        self
    }

    /// Pauses are waited for by `sleep`.
    pub fn sleep(mut self, sleep: Arc<dyn Sleep>) -> Self {
        self.ports.sleep = sleep;
        self
    }

    /// A lost race is decided again within these bounds.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Keeps so many folded states at hand, [`CACHE_ENTRIES_DEFAULT`] if not said; 0: none. A command on a
    /// state that is at hand reads only what came after it. One entry holds the models of one decision under
    /// one set of keys, and costs about 300 bytes beside them; the bound is rounded up to a multiple of 16.
    pub fn cache(mut self, entries: usize) -> Self {
        self.cache = entries;
        self
    }

    /// How commands end and what appends cost is told to `observer`; the latter by a backend that this
    /// builder opens, of the log of events. Of the command log it is told to what
    /// [`CommandObserver::command_log`] gives.
    pub fn observer<O: CommandObserver + AppendObserver>(mut self, observer: Arc<O>) -> Self {
        self.ports.observer = Some(Arc::clone(&observer) as Arc<dyn CommandObserver>);
        self.appends = Some(observer);
        self
    }

    pub(super) fn over(
        self,
        store: Arc<dyn Store>,
        commands: Option<Arc<dyn Store>>,
        models: Arc<dyn ReadModels>,
    ) -> App {
        let mut engine = Engine::new(store, self.ports, self.retry).with_cache(self.cache);
        let (store, ports) = (Arc::clone(engine.store()), engine.ports().clone());
        let (set, spawn, bounds) = (self.projections, Arc::clone(&self.spawn), self.projection_bounds);
        let projections = Projections::start(store, ports, models, set, spawn, bounds);
        engine = engine.with_projections(projections.clone());
        if let Some(snapshots) = self.snapshots {
            engine = engine.with_snapshots(snapshots);
        }
        if let Some(commands) = &commands {
            engine = engine.with_command_log(Arc::clone(commands));
        }
        let spawn: &dyn Spawn = if self.decides { &*self.spawn } else { &NoSpawn };
        let lanes = commands.map(|commands| {
            Lanes::start(engine.clone(), commands, self.handlers, self.layout, self.bounds, spawn)
        });
        App { engine, lanes, projections }
    }

    /// Whether there is anything to submit.
    pub(super) fn submits(&self) -> bool {
        !self.handlers.is_empty()
    }
}
