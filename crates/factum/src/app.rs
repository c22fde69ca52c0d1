//! The application: commands in, models out, over whichever log it was started on.

use factum_domain::{Command, Key, Model};
use factum_event::{CommandId, Timestamp};
use factum_runtime::{CommandStatus, Engine, Execute, Ports, Retry, Sleep, View};
use factum_store::{Clock, Entropy, MemoryStore, Store, StoreError};
use std::sync::Arc;

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
}

/// An application about to start, on the backend `B`.
#[must_use = "nothing is opened until it is started"]
#[derive(Clone, Debug)]
pub struct Builder<B> {
    backend: B,
    ports: Ports,
    retry: Retry,
}

/// In memory: for tests and tries. What it holds ends with it.
#[derive(Clone, Copy, Debug)]
pub struct InMemory;

/// On a store that is already open.
#[derive(Clone, Debug)]
pub struct On(Arc<dyn Store>);

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
        Builder::new(On(store))
    }

    /// Decides `command` now and appends what follows, with its outcome, in one durable write. A lost race
    /// is decided again. Nothing happens until it is awaited.
    pub fn execute<C: Command>(&self, command: C) -> Execute<'_, C> {
        self.engine.execute(command)
    }

    /// The state of a model, folded from the log as it stands. Nothing is read until it is awaited.
    pub fn view<M: Model>(&self, key: Key<M>) -> View<'_, M> {
        self.engine.view(key)
    }

    /// What became of a command; `None` if the log has not heard of it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn status(&self, command: CommandId) -> Result<Option<CommandStatus>, StoreError> {
        self.engine.status(command).await
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
        Self { backend, ports: Ports::default(), retry: Retry::default() }
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

    fn over(self, store: Arc<dyn Store>) -> App {
        App { engine: Engine::new(store, self.ports, self.retry) }
    }
}

impl Builder<InMemory> {
    /// Starts with an empty log.
    pub fn start(self) -> App {
        let store = MemoryStore::with_ports(Arc::clone(&self.ports.clock), &*self.ports.entropy);
        self.over(Arc::new(store))
    }
}

impl Builder<On> {
    /// Starts on the store.
    pub fn start(self) -> App {
        let store = Arc::clone(&self.backend.0);
        self.over(store)
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
        for warning in report.warnings() {
            tracing::warn!(directory, "{warning}");
        }
        Ok(app)
    }

    /// Opens the log and starts, and tells what opening found.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_reporting(self) -> Result<(App, factum_log::OpenReport), factum_log::OpenError> {
        let mut options = self.backend.options.clone();
        options.clock = Arc::clone(&self.ports.clock);
        options.entropy = Arc::clone(&self.ports.entropy);
        let (store, report) = factum_log::Log::open(self.backend.directory.join(EVENTS), options)?;
        Ok((self.over(Arc::new(store)), report))
    }
}
