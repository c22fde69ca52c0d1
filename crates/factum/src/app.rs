//! The application: commands in, models out, over whichever log it was started on.

mod builder;
#[cfg(feature = "embedded")]
mod embedded;
mod memory;

pub use builder::Builder;
#[cfg(feature = "embedded")]
pub use embedded::{Backend, Embedded};
pub use memory::{InMemory, On};

use factum_domain::{Command, Key, Model, Projection, View};
use factum_event::{CommandId, Timestamp};
use factum_runtime::{
    CommandStatus, Documents, Engine, Execute, Feeds, Intake, Lanes, Live, Projections, Submit, SubmitError,
    TablesOf, Ticket, Watch,
};
use factum_store::{Store, StoreError};
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

impl App {
    /// In memory: for tests and tries. What it holds ends with it.
    pub fn in_memory() -> Builder<InMemory> {
        Builder::new(InMemory)
    }

    /// On a log in the folder `events` of `directory`, which is made if it is not there. One process at a time.
    #[cfg(feature = "embedded")]
    pub fn embedded(directory: impl Into<std::path::PathBuf>) -> Builder<Embedded> {
        Builder::new(Embedded::at(directory.into()))
    }

    /// On a store that is already open.
    pub fn on(store: Arc<dyn Store>) -> Builder<On> {
        Builder::new(On::store(store))
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
    pub fn documents<V: View>(&self) -> Documents<'_, V> {
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
