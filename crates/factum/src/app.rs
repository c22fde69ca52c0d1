//! The application: commands in, models out, over whichever log it was started on.

use factum_domain::{self as domain, Command, Commands, Key, Model, Projection};
use factum_event::{CommandId, Timestamp};
#[cfg(feature = "embedded")]
use factum_runtime::SqlProjection;
use factum_runtime::{
    CACHE_ENTRIES_DEFAULT, CommandObserver, CommandStatus, Documents, Engine, Execute, Feeds, Handlers,
    Intake, LaneBounds, LaneLayout, Lanes, Live, NoSpawn, Ports, ProjectionBounds, ProjectionSet,
    Projections, Retry, Sleep, Spawn, Submit, SubmitError, SystemSpawn, TablesOf, Ticket, Watch,
};
#[cfg(feature = "embedded")]
use factum_store::Sql;
use factum_store::{
    AppendObserver, Clock, Entropy, MemoryReadModels, MemorySnapshots, MemoryStore, ReadModels,
    SnapshotStore, Store, StoreError,
};
use std::{sync::Arc, time::Duration};

/// An event-sourced application. Cheap to clone: clones share the log.
///
/// ```
/// # use factum::prelude::*;
/// # #[derive(Id)]
/// # struct AccountId(u64);
/// # #[derive(Event, Debug, Clone, PartialEq)]
/// # #[event(context = "bank", stream = account)]
/// # enum BankEvent { Deposited { account: AccountId, cents: u64 } }
/// # #[derive(Default, Debug, Clone)]
/// # struct Balance(u64);
/// # #[model]
/// # impl Model for Balance {
/// #     type Scope = Stream<AccountId>;
/// #     fn apply(&mut self, event: BankEvent) {
/// #         match event { BankEvent::Deposited { cents, .. } => self.0 += cents }
/// #     }
/// # }
/// # #[derive(Command)]
/// # #[command(name = "bank.deposit")]
/// # struct Deposit(AccountId, u64);
/// # impl Decide for Deposit {
/// #     type Event = BankEvent;
/// #     type Models = ();
/// #     type Rejection = Never;
/// #     fn keys(&self) {}
/// #     fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
/// #         emit(BankEvent::Deposited { account: self.0, cents: self.1 })
/// #     }
/// # }
/// # factum::block_on(async {
/// let app = App::in_memory().start();
/// let done = app.execute(Deposit(AccountId(1), 500)).actor("ann").await?;
/// assert_eq!(done.position().get(), 1);
/// assert_eq!(app.view::<Balance>(AccountId(1)).await.unwrap().state.0, 500);
/// # Ok::<_, ExecuteError<Never>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct App {
    engine: Engine,
    lanes: Option<Lanes>,
    projections: Projections,
}

/// An application about to start, on the backend `B`.
#[must_use = "nothing is opened until it is started"]
#[derive(Clone, Debug)]
pub struct Builder<B> {
    backend: B,
    ports: Ports,
    retry: Retry,
    handlers: Handlers,
    layout: LaneLayout,
    bounds: LaneBounds,
    spawn: Arc<dyn Spawn>,
    appends: Option<Arc<dyn AppendObserver>>,
    cache: usize,
    snapshots: Option<Arc<dyn SnapshotStore>>,
    projections: ProjectionSet,
    projection_bounds: ProjectionBounds,
    decides: bool,
}

/// What an application can be started on, and the database that its SQL tables are in.
#[cfg(feature = "embedded")]
pub trait Backend {
    /// The database.
    type Db: Sql;
}

#[cfg(feature = "embedded")]
impl Backend for InMemory {
    type Db = factum_sqlite::Sqlite;
}

#[cfg(feature = "embedded")]
impl Backend for On {
    type Db = factum_sqlite::Sqlite;
}

#[cfg(feature = "embedded")]
impl Backend for Embedded {
    type Db = factum_sqlite::Sqlite;
}

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

/// On a log in a directory.
#[cfg(feature = "embedded")]
#[derive(Clone, Debug)]
pub struct Embedded {
    directory: std::path::PathBuf,
    options: factum_log::Options,
}

/// Where an application keeps its log of events, below its directory.
#[cfg(feature = "embedded")]
const EVENTS: &str = "events";
/// Where it keeps its log of accepted commands.
#[cfg(feature = "embedded")]
const COMMANDS: &str = "commands";
/// Where it keeps the states of models that ask for it. The file is made by the first one, and may be deleted
/// between two starts.
#[cfg(feature = "embedded")]
const SNAPSHOTS: &str = "snapshots.sqlite";
/// Where it keeps its read models, a file for each build.
#[cfg(feature = "embedded")]
const VIEWS: &str = "views";

impl App {
    /// In memory: for tests and tries. What it holds ends with it.
    pub fn in_memory() -> Builder<InMemory> {
        Builder::new(InMemory)
    }

    /// On a log in the folder `events` of `directory`, which is made if it is not there. One process at a time.
    #[cfg(feature = "embedded")]
    pub fn embedded(directory: impl Into<std::path::PathBuf>) -> Builder<Embedded> {
        Builder::new(Embedded { directory: directory.into(), options: factum_log::Options::default() })
    }

    /// On a store that is already open.
    pub fn on(store: Arc<dyn Store>) -> Builder<On> {
        Builder::new(On { events: store, commands: None, models: None })
    }

    /// Decides `command` now and appends what follows, with its outcome, in one durable write. A lost race
    /// is decided again. Nothing happens until it is awaited.
    pub fn execute<C: Command>(&self, command: C) -> Execute<'_, C> {
        self.engine.execute(command)
    }

    /// Stores `command` to be decided soon, in the order of its key. Its ticket tells what becomes of it.
    /// Nothing is stored until it is awaited.
    pub fn submit<C: Command>(&self, command: C) -> Submit<'_, C> {
        Submit::new(self.lanes.as_ref(), command)
    }

    /// What decides submitted commands; none if no command was registered.
    pub fn lanes(&self) -> Option<&Lanes> {
        self.lanes.as_ref()
    }

    /// Ends the lanes and projections after what they are at, and writes the snapshots that were taken. Commands
    /// that wait stay in the command log, for the next start.
    pub async fn stop(&self) {
        if let Some(lanes) = &self.lanes {
            lanes.stop().await;
        }
        self.projections.stop().await;
        self.engine.snapshots_settled().await;
    }

    /// The state of a model, folded from the log as it stands. Nothing is read until it is awaited.
    pub fn view<M: Model>(&self, key: Key<M>) -> Live<'_, M> {
        self.engine.view(key)
    }

    /// Stores a command, by its stored name and in its stored form, to be decided soon. As [`Self::submit`].
    ///
    /// # Errors
    /// [`SubmitError::Undecodable`] when `data` is not of its form; otherwise as for a typed one.
    pub async fn submit_named(
        &self,
        name: &str,
        data: &[u8],
        intake: Intake,
    ) -> Result<Ticket<'_>, SubmitError> {
        let lanes = self.lanes().ok_or_else(|| SubmitError::NotRegistered { name: name.to_owned() })?;
        lanes.submit_named(name, data, intake).await
    }

    /// Whether a submitted command whose first model is `M` under `key` has no final outcome: it waits, or is
    /// parked.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn pending<M: Model>(&self, key: &Key<M>) -> Result<bool, StoreError> {
        match &self.lanes {
            Some(lanes) => lanes.pending::<M>(key).await,
            None => Ok(false),
        }
    }

    /// Waits until the commands submitted so far whose first model is `M` under `key` are decided, for `max`
    /// at most, and tells whether they are: then what is read shows what they did. Those behind a parked one
    /// are not waited for.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn settled<M: Model>(&self, key: &Key<M>, max: Duration) -> Result<bool, StoreError> {
        match &self.lanes {
            Some(lanes) => lanes.settled::<M>(key, max).await,
            None => Ok(true),
        }
    }

    /// What became of a command; `None` if the application has not heard of it.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn status(&self, command: CommandId) -> Result<Option<CommandStatus>, StoreError> {
        self.feeds().status(command).await
    }

    /// Watches a command: what it went through, then what it goes through, up to the final status. One that
    /// nobody has sent yet is waited for.
    ///
    /// ```
    /// # use factum::{prelude::*, Status};
    /// # #[derive(Event, Debug, Clone, PartialEq)]
    /// # #[event(context = "bell")]
    /// # enum BellEvent { Rung }
    /// # #[derive(Command)]
    /// # #[command(name = "bell.ring")]
    /// # struct Ring {}
    /// # impl Decide for Ring {
    /// #     type Event = BellEvent;
    /// #     type Models = ();
    /// #     type Rejection = Never;
    /// #     fn keys(&self) {}
    /// #     fn decide(&self, _: &(), _: &Context) -> Decision<Self> { emit(BellEvent::Rung) }
    /// # }
    /// # factum::block_on(async {
    /// let app = App::in_memory().commands::<Ring>().start();
    /// let ticket = app.submit(Ring {}).await.unwrap();
    /// let mut watch = app.watch(ticket.command_id());
    /// assert_eq!(watch.next().await?.unwrap().status, Status::Accepted);
    /// assert_eq!(watch.next().await?.unwrap().status, Status::Succeeded);
    /// assert_eq!(watch.next().await?, None);
    /// # Ok::<_, factum::StoreError>(())
    /// # }).unwrap();
    /// ```
    pub fn watch(&self, command: CommandId) -> Watch<'_> {
        Watch::new(&self.engine, self.lanes.as_ref(), command)
    }

    /// What happens in the application, to be followed and listed: its logs, read from any place on.
    pub fn feeds(&self) -> Feeds {
        match &self.lanes {
            Some(lanes) => lanes.feeds(),
            None => Feeds::new(Arc::clone(self.store()), None),
        }
    }

    /// The read models: how they stand, and what can be asked of them.
    pub fn projections(&self) -> &Projections {
        &self.projections
    }

    /// The documents of a view.
    pub fn documents<V: domain::View>(&self) -> Documents<'_, V> {
        self.projections.documents()
    }

    /// The tables of a projection.
    pub fn tables<P: Projection>(&self) -> TablesOf<'_, P> {
        self.projections.tables()
    }

    /// The log.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.engine.store()
    }

    /// Now, by the application's clock.
    pub fn now(&self) -> Timestamp {
        self.engine.now()
    }

    /// A command id that was never used.
    pub fn fresh_command_id(&self) -> CommandId {
        self.engine.fresh_command_id()
    }
}

impl<B> Builder<B> {
    fn new(backend: B) -> Self {
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
    pub fn view<V: domain::View>(mut self) -> Self {
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

    fn over(
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
    fn submits(&self) -> bool {
        !self.handlers.is_empty()
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

#[cfg(feature = "embedded")]
impl Builder<Embedded> {
    /// With these options of the log; its ports are the application's.
    pub fn options(mut self, options: factum_log::Options) -> Self {
        self.backend.options = options;
        self
    }

    /// Opens the log and starts. What recovery cut off, and what it could not check, is logged as a warning.
    ///
    /// # Errors
    /// When the directory cannot be used, another process has it, or acknowledged data is damaged.
    pub fn start(self) -> Result<App, factum_log::OpenError> {
        let directory = self.backend.directory.display().to_string();
        let (app, report) = self.start_reporting()?;
        warn(&directory, &report);
        Ok(app)
    }

    /// Opens the log and starts, and tells what opening the log of events found. What is to be said of the
    /// command log is logged.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_reporting(mut self) -> Result<(App, factum_log::OpenReport), factum_log::OpenError> {
        let (events, report) = self.open_events()?;
        let (commands, models) = (self.open_commands()?, self.read_models());
        let snapshots = self.backend.directory.join(SNAPSHOTS);
        self.snapshots = Some(Arc::new(factum_sqlite::SqliteSnapshots::at(snapshots)));
        Ok((self.over(events, commands, models), report))
    }

    /// Opens the application to look at how its projections and commands stand, and to say what is to become of them
    /// from the next start on: nothing is applied, and accepted commands are not decided.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_at_rest(mut self) -> Result<App, factum_log::OpenError> {
        let (events, report) = self.open_events()?;
        warn(&self.backend.directory.display().to_string(), &report);
        let (commands, models) = (self.open_commands()?, self.read_models());
        self.decides = false;
        let (set, ports) = (std::mem::take(&mut self.projections), self.ports.clone());
        let app = self.over(Arc::clone(&events), commands, Arc::clone(&models));
        Ok(App { projections: Projections::at_rest(events, ports, models, set).await, ..app })
    }

    fn log_options(&self) -> factum_log::Options {
        let mut options = self.backend.options.clone();
        options.clock = Arc::clone(&self.ports.clock);
        options.entropy = Arc::clone(&self.ports.entropy);
        options.observer = self.appends.clone().or(options.observer);
        options
    }

    fn open_events(&self) -> Result<(Arc<dyn Store>, factum_log::OpenReport), factum_log::OpenError> {
        let directory = self.backend.directory.join(EVENTS);
        let (events, report) = factum_log::Log::open(directory, self.log_options())?;
        Ok((Arc::new(events), report))
    }

    /// The command log, if there is anything to submit.
    fn open_commands(&self) -> Result<Option<Arc<dyn Store>>, factum_log::OpenError> {
        if !self.submits() {
            return Ok(None);
        }
        let observer = self.ports.observer.as_ref().and_then(|observer| observer.command_log());
        let options = factum_log::Options { observer, ..self.log_options() };
        let directory = self.backend.directory.join(COMMANDS);
        let (commands, report) = factum_log::Log::open(&directory, options)?;
        warn(&directory.display().to_string(), &report);
        Ok(Some(Arc::new(commands)))
    }

    fn read_models(&self) -> Arc<dyn ReadModels> {
        Arc::new(factum_sqlite::SqliteReadModels::at(self.backend.directory.join(VIEWS)))
    }
}

/// Read models that live as long as the application.
fn memory() -> Arc<dyn ReadModels> {
    #[cfg(feature = "embedded")]
    return Arc::new(MemoryReadModels::with_sql(Arc::new(factum_sqlite::SqliteReadModels::in_memory())));
    #[cfg(not(feature = "embedded"))]
    Arc::new(MemoryReadModels::new())
}

#[cfg(feature = "embedded")]
fn warn(directory: &str, report: &factum_log::OpenReport) {
    for warning in report.warnings() {
        tracing::warn!(directory, "{warning}");
    }
}
