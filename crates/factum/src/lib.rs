//! Event sourcing and CQRS: decisions are sync and pure, over one log.
//!
//! This is what applications depend on: everything in it is named here and nothing is made here. Domain
//! crates take it with `default-features = false`, which is pure: no I/O, no clock, no runtime.
//!
//! ```
//! use factum::prelude::*;
//!
//! #[derive(Id)]
//! struct AccountId(u64);
//!
//! #[derive(Event, Debug, Clone, PartialEq)]
//! #[event(context = "bank", stream = account)]
//! enum BankEvent {
//!     Deposited { account: AccountId, cents: u64 },
//!     Withdrawn { account: AccountId, cents: u64 },
//! }
//!
//! #[derive(Default, Debug, Clone)]
//! struct Balance(u64);
//! #[model]
//! impl Model for Balance {
//!     type Scope = Stream<AccountId>;
//!     fn apply(&mut self, event: BankEvent) {
//!         match event {
//!             BankEvent::Deposited { cents, .. } => self.0 = self.0.saturating_add(cents),
//!             BankEvent::Withdrawn { cents, .. } => self.0 = self.0.saturating_sub(cents),
//!         }
//!     }
//! }
//!
//! #[derive(Command)]
//! #[command(name = "bank.withdraw")]
//! struct Withdraw(AccountId, u64);
//! impl Decide for Withdraw {
//!     type Event = BankEvent;
//!     type Models = Balance;
//!     type Rejection = Refused;
//!     fn keys(&self) -> Keys<Self> {
//!         self.0
//!     }
//!     fn decide(&self, balance: &Balance, _: &Context) -> Decision<Self> {
//!         ensure!(self.1 <= balance.0, "overdrawn");
//!         emit(BankEvent::Withdrawn { account: self.0, cents: self.1 })
//!     }
//! }
//!
//! let account = AccountId(1);
//! given([BankEvent::Deposited { account, cents: 5 }])
//!     .when(Withdraw(account, 7))
//!     .then_rejected("overdrawn".into());
//! ```

mod derives;
mod representation;

pub use derives::{Command, Event, Id, Reject, Subset, model};
pub use factum_domain::*;
pub use factum_event::*;
pub use representation::diff;

#[doc(hidden)]
pub use factum_domain::__private;
pub use uuid::Uuid;

#[cfg(feature = "runtime")]
mod app;
#[cfg(feature = "embedded")]
pub mod log;
pub mod prelude;
#[cfg(feature = "runtime")]
pub mod store;

#[cfg(feature = "runtime")]
pub use app::{App, Builder, InMemory, On};
#[cfg(feature = "embedded")]
pub use app::{Backend, Embedded};
#[cfg(feature = "runtime")]
pub use factum_runtime::{
    ARRIVALS_READ_MAX, Arrival, Arrivals, At, CACHE_ENTRIES_DEFAULT, CommandHistory, CommandMeasure,
    CommandObserver, CommandPlace, CommandStatus, CommandUpdate, CommandUpdates, Done, Ending, EventFeed,
    EventPlace, Execute, ExecuteError, ExpectedRevision, Feeds, Intake, LaneBounds, LaneLayout, LaneLoad,
    LaneMode, LaneState, Lanes, Live, OperateError, Parking, Ports, RESTORED, ReadError, RestoreError,
    RestoredLogs, Retry, Sleep, Spawn, StaleRevision, Status, Submit, SubmitError, SystemSpawn, Ticket,
    UNREGISTERED, WAITING_MAX, Watch,
};
#[cfg(feature = "runtime")]
pub use factum_runtime::{
    ApplyError, BuildProgress, DISCARDED_MAX, DOCUMENTS_AT_HAND_MAX, DiscardedEvent, Documents, Found, Keyed,
    List, Lister, ParkedEvent, ProjectionBounds, ProjectionError, ProjectionState, ProjectionStatus,
    Projections, QueryError, Rows, STALLED_AFTER, SqlProjection, StopReason, TablesOf, restored_notes,
};
#[cfg(feature = "embedded")]
pub use factum_sqlite::{Sqlite, SqliteReadModels};
#[cfg(feature = "runtime")]
pub use factum_store::{Build, Clock, Entropy, ErrorKind, Monotonic, Row, Sql, StoreError, Tx, block_on};

/// The program that the README shows.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
