//! What the runtime tells about a command while it is carried out: one span from intake to outcome, one event
//! at its end, and one measure. Never anything of its content: payloads and models stay out of logs.

use crate::{
    Engine,
    run::{Ended, RunError},
};
use factum_event::{CommandId, CommandRecord, Position, StreamName, Timestamp};
use factum_store::{AppendObserver, Monotonic};
use std::{sync::Arc, time::Duration};
use tracing::{Span, field::Empty};

/// The header of a command that says which trace it belongs to.
const TRACEPARENT: &str = "traceparent";

/// Hears how commands end. It must neither block nor panic: the command's sender waits behind it.
pub trait CommandObserver: Monotonic {
    /// A command ended.
    fn command(&self, command: &CommandMeasure);

    /// A command lost a race, and is decided again if it may.
    fn conflict(&self);

    /// A command was stored, to be decided later.
    fn accepted(&self, _name: &'static str) {}

    /// A command that was stored to be decided later was decided, parked or given up, so long after it was
    /// accepted, by the clock: that may have been in another process. A name that the code does not know is
    /// [`UNREGISTERED`].
    fn settled(&self, _name: &'static str, _took: Duration) {}

    /// What hears how much appends to the command log cost; without one they are not measured.
    fn command_log(&self) -> Option<Arc<dyn AppendObserver>> {
        None
    }
}

/// Stands in measures for the name of a stored command that the code does not know.
pub const UNREGISTERED: &str = "unregistered";

/// How one command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandMeasure {
    /// Its stored name: one of those that the code knows.
    pub name: &'static str,
    /// How it ended.
    pub ending: Ending,
    /// From intake to outcome.
    pub took: Duration,
}

/// How a command ended, as it is logged and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Decided now, with events.
    Succeeded,
    /// Decided now: there was nothing to do.
    Nothing,
    /// Decided now: the domain said no.
    Rejected,
    /// Decided when it was sent before.
    Replayed,
    /// The id or key was used for another command.
    KeyReused,
    /// The stream was not where the sender believed it to be.
    Stale,
    /// Others were faster every time.
    Conflict,
    /// Over a limit, or not a name.
    Invalid,
    /// A decided event could not be read back: the domain's code is wrong.
    Unreadable,
    /// A stored event cannot be read.
    Corrupt,
    /// The store could not do it.
    Unavailable,
    /// It may or may not have been stored.
    Unknown,
    /// Its sender stopped waiting before it ended; it may or may not have been stored.
    Abandoned,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Succeeded,
        Self::Nothing,
        Self::Rejected,
        Self::Replayed,
        Self::KeyReused,
        Self::Stale,
        Self::Conflict,
        Self::Invalid,
        Self::Unreadable,
        Self::Corrupt,
        Self::Unavailable,
        Self::Unknown,
        Self::Abandoned,
    ];

    /// The word for it in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Nothing => "nothing",
            Self::Rejected => "rejected",
            Self::Replayed => "replayed",
            Self::KeyReused => "key-reused",
            Self::Stale => "stale",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
            Self::Corrupt => "corrupt",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether an operator should look: the platform or the domain's code failed, not the sender.
    const fn needs_attention(self) -> bool {
        matches!(self, Self::Unreadable | Self::Corrupt | Self::Unavailable | Self::Unknown)
    }

    fn of(ended: &Result<Ended, RunError>) -> Self {
        use crate::ExecuteError as Error;
        match ended {
            Ok(Ended::Now(place)) if place.events.is_empty() => Self::Nothing,
            Ok(Ended::Now(_)) => Self::Succeeded,
            Ok(Ended::Earlier(..)) | Err(Error::RejectedEarlier(_) | Error::FailedEarlier { .. }) => {
                Self::Replayed
            }
            Err(Error::Rejected(())) => Self::Rejected,
            Err(Error::KeyReused { .. }) => Self::KeyReused,
            Err(Error::StaleRevision(_)) => Self::Stale,
            Err(Error::Conflict { .. }) => Self::Conflict,
            Err(Error::Invalid(_) | Error::InvalidKey(_) | Error::NoRevision) => Self::Invalid,
            Err(Error::Unreadable { .. }) => Self::Unreadable,
            Err(Error::Corrupt(_)) => Self::Corrupt,
            Err(Error::Unavailable(_)) => Self::Unavailable,
            Err(Error::Unknown { .. }) => Self::Unknown,
        }
    }
}

/// A command under way. Dropped before [`Self::end`], it was abandoned.
pub(crate) struct Underway<'a> {
    engine: &'a Engine,
    name: &'static str,
    command_id: CommandId,
    since: Option<Duration>,
    span: Span,
    ended: bool,
}

impl<'a> Underway<'a> {
    pub(crate) fn begin(engine: &'a Engine, name: &'static str, command: &CommandRecord) -> Self {
        let span = tracing::info_span!(
            "command",
            command_id = %command.id,
            name,
            actor = command.metadata.actor.as_deref(),
            outcome = Empty,
            stream = Empty,
            position = Empty,
            traceparent = traceparent(command),
        );
        let since = engine.ports().observer.as_ref().map(|observer| observer.elapsed());
        Self { engine, name, command_id: command.id, since, span, ended: false }
    }

    /// What everything done for the command happens in.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Tells how it ended.
    pub(crate) fn end(mut self, ended: &Result<Ended, RunError>) {
        if let Ok(Ended::Now(place) | Ended::Earlier(place, _)) = ended {
            if let Some(first) = place.events.first() {
                self.span.record("stream", first.stream.as_str());
            }
            self.span.record("position", place.position.get());
        }
        let ending = Ending::of(ended);
        self.tell(ending);
        let _entered = self.span.enter();
        match ended {
            Err(error) if ending.needs_attention() => {
                let error = error.clone().map_rejection(|()| "rejected");
                // Where only warnings are logged, spans are not: the event says itself what it is about.
                tracing::warn!(command_id = %self.command_id, name = self.name, %error, "command ended");
            }
            _ => tracing::info!("command ended"),
        }
    }

    fn tell(&mut self, ending: Ending) {
        self.ended = true;
        self.span.record("outcome", ending.as_str());
        if let (Some(observer), Some(since)) = (&self.engine.ports().observer, self.since) {
            let took = observer.elapsed().saturating_sub(since);
            observer.command(&CommandMeasure { name: self.name, ending, took });
        }
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(Ending::Abandoned);
            self.span.in_scope(|| tracing::info!("command ended"));
        }
    }
}

/// The trace that the command belongs to, as its sender gave it (W3C Trace Context).
fn traceparent(command: &CommandRecord) -> Option<&str> {
    let (_, parent) = command.metadata.headers.iter().find(|(name, _)| &**name == TRACEPARENT)?;
    Some(parent)
}

/// A command was stored, to be decided later.
pub(crate) fn accepted(command: &CommandRecord, key: &StreamName, position: Position) {
    let traceparent = traceparent(command);
    let (actor, name) = (command.metadata.actor.as_deref(), command.name.as_str());
    // `stream` is where its outcome will be, as far as its key tells.
    tracing::info!(command_id = %command.id, name, actor, stream = key.as_str(), position = position.get(), traceparent, "command accepted");
}

/// Counts a command that was stored, to be decided later.
pub(crate) fn taken_in(engine: &Engine, name: &'static str) {
    if let Some(observer) = &engine.ports().observer {
        observer.accepted(name);
    }
}

/// Measures a stored command that was decided, parked or given up.
pub(crate) fn settled(engine: &Engine, name: Option<&'static str>, accepted_at: Timestamp) {
    if let Some(observer) = &engine.ports().observer {
        observer.settled(name.unwrap_or(UNREGISTERED), engine.now().since(accepted_at));
    }
}

/// A race was lost, and the command pauses before it is decided again.
pub(crate) fn lost_race(engine: &Engine, attempt: u32, pause: Duration) {
    let pause_micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
    tracing::debug!(attempt, pause_micros, "lost the race");
    if let Some(observer) = &engine.ports().observer {
        observer.conflict();
    }
}

/// An append gave no answer, and is read back.
pub(crate) fn unknown(command: &CommandRecord, cause: &str) {
    tracing::warn!(command_id = %command.id, cause, "it is not known whether the command was stored: reading it back");
}
