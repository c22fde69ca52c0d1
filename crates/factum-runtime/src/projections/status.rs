//! What is told of a projection: how far it is, whether it moves, and why not.

use factum_domain::Mode;
use factum_event::{Position, Timestamp};
use factum_store::{Build, StoreError};
use std::{fmt, time::Duration};

/// A projection that is behind and has not moved for so long is stalled.
pub const STALLED_AFTER: Duration = Duration::from_secs(10);

/// How a projection stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectionStatus {
    /// Its name.
    pub name: &'static str,
    /// The version that this build of the application has the code of.
    pub version: u32,
    /// Whether commands wait for it.
    pub mode: Mode,
    /// What it is doing.
    pub state: ProjectionState,
    /// The build that is read; none before there is one.
    pub build: Option<Build>,
    /// Up to where that holds: every event up to here was applied, or is parked.
    pub position: Position,
    /// The last event of the log.
    pub head: Position,
    /// How many events of the log are not considered yet, of interest or not.
    pub lag_events: u64,
    /// How long ago the first of them was recorded; nothing if there is none.
    pub lag: Duration,
    /// Behind, told to run, and yet has not moved for [`STALLED_AFTER`]. One that is idle has nothing to do.
    pub stalled: bool,
    /// Events that could not be applied.
    pub parked: u64,
    /// Events that wait behind one that could not be applied.
    pub waiting: u64,
    /// The build that is made beside it.
    pub building: Option<BuildProgress>,
    /// The build before the one that is read, kept to go back to.
    pub previous: Option<Build>,
    /// What was discarded of it, the last first.
    pub discarded: Vec<DiscardedEvent>,
}

impl ProjectionStatus {
    /// Whether it holds everything up to the head.
    pub fn caught_up(&self) -> bool {
        self.state == ProjectionState::CaughtUp
    }
}

/// What a projection is doing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ProjectionState {
    /// Its build is being opened.
    Starting,
    /// It is behind, and applies what came.
    CatchingUp,
    /// It holds everything up to the head, and waits for more.
    CaughtUp,
    /// Something outside of it failed, and it tries again.
    Retrying(StoreError),
    /// Somebody paused it. What it holds is read as before.
    Paused,
    /// Somebody disabled it: it is neither run nor read.
    Disabled,
    /// This build of the application does not have the code of the version that is read; another build is made
    /// beside it.
    Frozen,
    /// It has stopped, for this reason.
    Stopped(StopReason),
}

impl ProjectionState {
    /// In one word, for interfaces.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::CatchingUp => "catching-up",
            Self::CaughtUp => "caught-up",
            Self::Retrying(_) => "retrying",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Frozen => "frozen",
            Self::Stopped(_) => "stopped",
        }
    }

    /// Every word that [`Self::as_str`] gives.
    pub const WORDS: [&'static str; 8] =
        ["starting", "catching-up", "caught-up", "retrying", "paused", "disabled", "frozen", "stopped"];

    /// Why it does not go on by itself, if there is a cause.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::Retrying(cause) => Some(cause.to_string()),
            Self::Stopped(reason) => Some(reason.to_string()),
            _ => None,
        }
    }
}

/// Why a projection has stopped. It goes on when it is resumed, rebuilt or reset, or at the next start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StopReason {
    /// An event could not be applied, and it is declared to stop at one.
    Event {
        /// Which.
        position: Position,
        /// Why.
        cause: String,
    },
    /// Another runner has taken it over.
    Fenced,
    /// What it keeps is damaged, or was made for other tables.
    Refused(StoreError),
    /// Events of more keys are parked than it can hold in mind.
    TooManyParked {
        /// How many keys it holds in mind at the most.
        max: usize,
    },
    /// Its code panicked outside of an event.
    Panicked(String),
    /// The log cannot be read.
    Log(StoreError),
    /// The application was stopped.
    Ended,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { position, cause } => write!(
                f,
                "the event at {position} could not be applied, and it is declared to stop there: {cause}: mend \
                 the cause and resume it"
            ),
            Self::Fenced => f.write_str("another runner has taken it over: look for a second process"),
            Self::Refused(cause) => cause.fmt(f),
            Self::TooManyParked { max } => write!(
                f,
                "events of more than {max} keys are parked: mend the cause, then resume it and redrive them, \
                 or rebuild it"
            ),
            Self::Panicked(what) => write!(f, "it panicked: {what}: please report this"),
            Self::Log(cause) => write!(f, "the log cannot be read: {cause}"),
            Self::Ended => f.write_str("the application was stopped"),
        }
    }
}

/// A build that is made beside the one that is read.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildProgress {
    /// Which.
    pub build: Build,
    /// What it is doing.
    pub state: ProjectionState,
    /// How far it has come.
    pub position: Position,
    /// The last event of the log.
    pub head: Position,
    /// When it was begun by this process.
    pub began: Timestamp,
    /// How many events it considers in a second, on average since then.
    pub events_per_second: f64,
    /// How long it will take to the head at that rate; none before there is a rate.
    pub time_left: Option<Duration>,
}

/// An event that was not applied, and what waits behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct ParkedEvent {
    /// The event.
    pub position: Position,
    /// What later events wait by: `key/...` of the projection, or `stream/...` where the event's keys cannot be
    /// told since it cannot be read.
    pub key: String,
    /// Its id; none if the log cannot tell at the moment.
    pub event_id: Option<factum_event::EventId>,
    /// Its stored name.
    pub event_type: Option<factum_event::EventType>,
    /// Why it could not be applied.
    pub cause: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was parked.
    pub at: Timestamp,
    /// How many events wait by the same key.
    pub waiting: u64,
}

/// An event that was given up, and by whom: it stands for every later build that cannot apply it either.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DiscardedEvent {
    /// The event.
    pub position: Position,
    /// What it was parked under.
    pub key: String,
    /// Who gave it up.
    pub actor: String,
    /// Why.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}
