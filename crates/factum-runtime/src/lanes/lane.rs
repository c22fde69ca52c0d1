//! One step of one lane: a command, and what becomes of it. Every step forward is a commit, so that after a
//! crash the lane goes on from its own last one.

use super::{
    command_log::Entry,
    driver::Shared,
    parked::parking,
    record::{Accepted, PARKING, Rest, Verdict, mark},
    release::go_on,
};
use crate::{
    ExecuteError,
    observe::{self, Underway},
    run::{Asked, Ended, run},
};
use factum_event::{
    CommandPayload, CommandRecord, Condition, Metadata, NewCommit, Outcome, Position, Source, StreamName,
    Timestamp, Tracking, limits::REASON_BYTES_MAX,
};
use factum_store::{Append, AppendError, ErrorKind, StoreError};
use futures_util::FutureExt;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};
use tracing::Instrument;

/// The first pause after a store said that trying again may help; it doubles.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);
/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Why a lane cannot go on, nor any other.
#[derive(Clone, Debug)]
pub(crate) struct Halt(pub(crate) StoreError);

/// What a lane works through.
#[derive(Debug)]
pub(crate) enum Work {
    Command(Accepted),
    Released { position: Position, key: StreamName, verdict: Verdict, discarded: bool },
    Held { position: Position, key: StreamName, rest: Rest },
}

impl Work {
    pub(crate) fn new(position: Position, entry: Entry) -> Option<Self> {
        match entry {
            Entry::Command(accepted) => Some(Self::Command(accepted)),
            Entry::Released { key, verdict, discarded } => {
                Some(Self::Released { position, key, verdict, discarded })
            }
            Entry::Held { key, rest } => Some(Self::Held { position, key, rest }),
            Entry::Resumed { .. } | Entry::Layout(_) | Entry::Mark | Entry::Unreadable(_) => None,
        }
    }

    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Command(accepted) => accepted.position,
            Self::Released { position, .. } | Self::Held { position, .. } => *position,
        }
    }

    /// The name and the key of the command that it is about: its lane follows from them.
    pub(crate) fn about(&self) -> (&str, &StreamName) {
        match self {
            Self::Command(accepted) => (accepted.command.name.as_str(), &accepted.key),
            Self::Released { key, verdict, .. } => (&verdict.name, key),
            Self::Held { key, rest, .. } => (&rest.name, key),
        }
    }

    /// When a command was accepted.
    pub(crate) fn accepted_at(&self) -> Option<Timestamp> {
        match self {
            Self::Command(accepted) => Some(accepted.accepted_at),
            Self::Released { .. } | Self::Held { .. } => None,
        }
    }
}

/// Works one entry off. Comes back when a commit says so, or when no lane can go on. `apart_since` is from where
/// on kinds have lanes of their own.
pub(crate) async fn step(
    shared: &Shared,
    apart_since: Position,
    lane: Source,
    work: Work,
) -> Result<(), Halt> {
    let tracking = Tracking { source: lane, progress: work.position().get() };
    match work {
        Work::Command(accepted) => command(shared, apart_since, accepted, tracking).await,
        Work::Released { position, key, verdict, discarded } => {
            if shared.parked.holds(&key, verdict.command, position) {
                if discarded {
                    give_up(shared, &verdict, tracking).await?;
                }
                shared.parked.release(&key, verdict.command, position);
            }
            Ok(())
        }
        Work::Held { position, key, rest } => go_on(shared, &key, &rest, position).await,
    }
}

async fn command(
    shared: &Shared,
    apart_since: Position,
    accepted: Accepted,
    tracking: Tracking,
) -> Result<(), Halt> {
    let Accepted { position, ref command, ref key, .. } = accepted;
    let id = command.id;
    if shared.parked.holds(key, id, position) {
        // It came again with those behind another one, and was parked meanwhile: its own release is to come.
        return Ok(());
    }
    if let Some(behind) = shared.parked.behind(apart_since, key, command.name.as_str(), position) {
        settle(shared, &accepted, Outcome::SetAside { behind }, tracking).await?;
    } else {
        if let Err(cause) = decide(shared, &accepted, &tracking).await? {
            park(shared, &accepted, cause, tracking).await?;
        }
        tell_settled(shared, &accepted);
    }
    shared.engine.outcomes().tell(id);
    Ok(())
}

/// Decides, again and again while the cause may pass. The inner error is why the command must be parked.
async fn decide(
    shared: &Shared,
    accepted: &Accepted,
    tracking: &Tracking,
) -> Result<Result<(), String>, Halt> {
    let name = accepted.command.name.as_str();
    let Some((name, handler)) = shared.handlers.get(name) else {
        return Ok(Err(format!(
            "no command `{name}` is registered: start a build that has it, then redrive"
        )));
    };
    let CommandPayload::Inline { data, .. } = &accepted.command.payload else {
        return Ok(Err("the command has no content".to_owned()));
    };
    let mut pause = PAUSE;
    loop {
        let mut attempt = match catch_unwind(AssertUnwindSafe(|| handler.attempt(data))) {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(cause)) => return Ok(Err(cause.to_string())),
            Err(panic) => return Ok(Err(format!("reading the command panicked: {}", text_of(&*panic)))),
        };
        let asked = Asked { id_was_chosen: true, tracking: Some(tracking.clone()) };
        let underway = Underway::begin(&shared.engine, name, &accepted.command);
        let running = run(&shared.engine, &mut *attempt, logged(accepted), asked).instrument(underway.span());
        let ended = match AssertUnwindSafe(running).catch_unwind().await {
            Ok(ended) => {
                underway.end(&ended);
                ended
            }
            Err(panic) => return Ok(Err(format!("the decision panicked: {}", text_of(&*panic)))),
        };
        match ended {
            Ok(Ended::Now(_) | Ended::Earlier(..))
            | Err(
                ExecuteError::Rejected(())
                | ExecuteError::RejectedEarlier(_)
                | ExecuteError::FailedEarlier { .. },
            ) => {
                return Ok(Ok(()));
            }
            Err(ExecuteError::Unavailable(cause)) if may_pass(&cause) => wait(shared, &mut pause).await,
            Err(ExecuteError::Conflict { .. }) => wait(shared, &mut pause).await,
            Err(ExecuteError::Unavailable(cause)) if cause.kind() == ErrorKind::Reopen => {
                return Err(Halt(cause));
            }
            Err(ExecuteError::Unknown { cause, .. }) => {
                return Err(Halt(StoreError::new(
                    ErrorKind::Reopen,
                    format!("the log of events failed: {cause}"),
                )));
            }
            Err(other) => return Ok(Err(other.map_rejection(|()| "rejected").to_string())),
        }
    }
}

/// First a mark in the command log, by which a restart finds the key, then the commit that counts.
async fn park(shared: &Shared, accepted: &Accepted, cause: String, tracking: Tracking) -> Result<(), Halt> {
    let cause = shortened(cause);
    let CommandRecord { id, name, .. } = &accepted.command;
    let (name, by) = (name.to_string(), "factum".to_owned());
    let verdict = Verdict { command: *id, name: name.clone(), by, cause: cause.clone() };
    let mut pause = PAUSE;
    loop {
        let events = vec![mark(PARKING, Some(&accepted.key), &verdict)];
        let id = shared.engine.fresh_command_id();
        let marked = shared
            .commands
            .mark(id, shared.engine.now(), Metadata::default(), events, Condition::none())
            .await;
        match marked {
            Ok(_) => break,
            Err(AppendError::Store(cause)) if may_pass(&cause) => wait(shared, &mut pause).await,
            Err(cause) => return Err(halt("the command log", &cause)),
        }
    }
    settle(shared, accepted, Outcome::Parked { cause }, tracking).await?;
    // One that was decided meanwhile, at once under the same id, was not parked and holds nobody back.
    let commits = retrying(shared, || shared.engine.store().commits_of(accepted.command.id)).await?;
    if parking(&commits).is_some_and(|(place, _)| place == accepted.position) {
        shared.parked.park(accepted.key.clone(), accepted.position, accepted.command.id, name);
    }
    Ok(())
}

async fn give_up(shared: &Shared, verdict: &Verdict, tracking: Tracking) -> Result<(), Halt> {
    let found = retrying(shared, || shared.commands.find(verdict.command)).await?;
    let Some(accepted) = found else { return Ok(()) };
    let outcome = Outcome::Failed { cause: shortened(verdict.cause.clone()), by: verdict.by.clone() };
    settle(shared, &accepted, outcome, tracking).await?;
    tell_settled(shared, &accepted);
    shared.engine.outcomes().tell(verdict.command);
    Ok(())
}

/// To whoever measures: the command is decided, parked or given up.
fn tell_settled(shared: &Shared, accepted: &Accepted) {
    let name = shared.handlers.get(accepted.command.name.as_str()).map(|(name, _)| name);
    observe::settled(&shared.engine, name, accepted.accepted_at);
}

/// Stores an outcome without events. What was stored before, by an attempt whose answer was lost, is fine.
async fn settle(
    shared: &Shared,
    accepted: &Accepted,
    outcome: Outcome,
    tracking: Tracking,
) -> Result<(), Halt> {
    let mut pause = PAUSE;
    loop {
        let commit = NewCommit { command: logged(accepted), outcome: outcome.clone(), events: Vec::new() };
        let condition = Condition::none().tracking(tracking.clone());
        let verdict = shared.engine.store().append(vec![Append { commit, condition }]).await.pop();
        match verdict.expect("a store gives a verdict for each commit") {
            Ok(_) | Err(AppendError::AlreadyApplied { .. } | AppendError::AlreadyDecided { .. }) => {
                return Ok(());
            }
            Err(AppendError::Store(cause)) if may_pass(&cause) => wait(shared, &mut pause).await,
            Err(cause) => return Err(halt("the log of events", &cause)),
        }
    }
}

/// Reads until the store answers.
pub(crate) async fn retrying<T, F>(shared: &Shared, mut read: impl FnMut() -> F) -> Result<T, Halt>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = PAUSE;
    loop {
        match read().await {
            Ok(value) => return Ok(value),
            Err(cause) if may_pass(&cause) => wait(shared, &mut pause).await,
            Err(cause) => return Err(Halt(cause)),
        }
    }
}

pub(crate) async fn wait(shared: &Shared, pause: &mut Duration) {
    shared.engine.ports().sleep.sleep(*pause).await;
    *pause = (*pause * 2).min(PAUSE_MAX);
}

pub(crate) fn may_pass(cause: &StoreError) -> bool {
    cause.kind() == ErrorKind::Retry
}

pub(crate) fn halt(which: &str, cause: &AppendError) -> Halt {
    Halt(StoreError::new(ErrorKind::Reopen, format!("{which} failed: {cause}")))
}

/// The command as its commit keeps it: what it asked for stands in the command log.
pub(crate) fn logged(accepted: &Accepted) -> CommandRecord {
    CommandRecord { payload: CommandPayload::Logged(accepted.position), ..accepted.command.clone() }
}

fn shortened(mut text: String) -> String {
    while text.len() > REASON_BYTES_MAX {
        text.pop();
    }
    text
}

pub(crate) fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// The lane's name among tracked sources: the label of its command log, its layout's place there, then its number.
pub(crate) fn source(label: &str, layout: Position, lane: u16) -> Source {
    Source::unchecked(format!("lane/{label}/{layout}/{lane}"))
}
