//! The one loop behind every direct command: find an earlier outcome, load, decide, append, try again.

use crate::{
    Engine, EventPlace, ExecuteError, ExpectedRevision, added,
    attempt::{Attempt, Decided},
    done::Place,
    expected::home,
    load::{self, LoadError},
    observe,
    states::AnyStates,
};
use factum_domain::Context;
use factum_event::{
    Codec, CommandPayload, CommandRecord, Commit, Condition, NewCommit, NewEvent, Outcome, Position,
    RecordedEvent, Token, Tracking,
};
use factum_store::{Append, AppendError, ErrorKind, StoreError, Stored};
use std::panic::{self, AssertUnwindSafe};

/// How a command is asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Its sender chose the id: an earlier outcome may exist.
    pub(crate) id_was_chosen: bool,
    /// The input it comes from.
    pub(crate) tracking: Option<Tracking>,
}

/// How a command ended, before its types are put back on.
pub(crate) enum Ended {
    /// Decided now, with the attempt's last decision.
    Now(Place),
    /// Decided before.
    Earlier(Place, Box<Commit>),
}

/// The inner loop's error: rejections are told by the attempt, or by an earlier commit.
pub(crate) type RunError = ExecuteError<()>;

pub(crate) async fn run(
    engine: &Engine,
    attempt: &mut dyn Attempt,
    command: CommandRecord,
    asked: Asked,
) -> Result<Ended, RunError> {
    if asked.id_was_chosen
        && let Some(ended) = earlier(engine, &command).await?
    {
        return Ok(ended);
    }
    attempt.prepare();
    if !load::resume(engine, attempt.states()) {
        attempt.states().begin();
        load::check(&attempt.states().boundaries())?;
        load::restore(engine, attempt.states()).await;
    }
    let expected = match ExpectedRevision::of(&command.metadata) {
        Some(expected) => {
            let home = home(&attempt.states().boundaries()).cloned();
            Some((expected, home.ok_or(ExecuteError::NoRevision)?))
        }
        None => None,
    };
    let retry = engine.retry();
    let wanted = engine.cache().is_some() && !attempt.states().boundaries().is_empty();
    for attempts in 1..=retry.attempts_max {
        let head = load::load(engine, attempt.states()).await?;
        let mut condition = load::condition(attempt.states(), head);
        condition.tracking = asked.tracking.clone();
        let as_expected =
            expected.as_ref().map_or(Ok(()), |(expected, home)| expected.check(home, &condition));
        let decided = match as_expected {
            Ok(()) => attempt.decide(&Context::new(command.id, command.issued_at, &command.metadata)),
            // One that was accepted has an outcome, whatever it is; of one decided at once nothing is stored.
            Err(stale) if asked.tracking.is_some() => Decided::Rejected(stale.into()),
            Err(stale) => {
                // Another of the same may have been carried out in between, and changed it.
                let twin = if asked.id_was_chosen { earlier(engine, &command).await? } else { None };
                return twin.ok_or(ExecuteError::StaleRevision(stale));
            }
        };
        match append(engine, &command, decided, condition, wanted).await? {
            Appended::Stored(place, added) => {
                settle(engine, attempt.states(), &added);
                return Ok(Ended::Now(place));
            }
            Appended::Rejected => {
                settle(engine, attempt.states(), &[]);
                return Err(ExecuteError::Rejected(()));
            }
            Appended::DecidedElsewhere => {
                return earlier(engine, &command).await?.ok_or_else(|| unreadable(&command));
            }
            Appended::LostRace => {
                let pause = retry.pause_after(attempts, &*engine.ports().entropy);
                observe::lost_race(engine, attempts, pause);
                engine.ports().sleep.sleep(pause).await;
                // The winner's states, if it has left them; else the next load goes on from these.
                load::resume(engine, attempt.states());
            }
        }
    }
    Err(ExecuteError::Conflict { attempts: retry.attempts_max })
}

/// Keeps what was decided on, with what the decision added. The command is stored by now, so a model that
/// cannot take it in only leaves nothing behind: whoever reads it next is told.
fn settle(engine: &Engine, states: &mut dyn AnyStates, added: &[RecordedEvent]) {
    let settled = panic::catch_unwind(AssertUnwindSafe(|| load::settle(engine, states, added)));
    if !matches!(settled, Ok(Ok(()))) {
        tracing::debug!("the models of a stored command could not take in its events");
    }
}

enum Appended {
    /// And the events it added, if anyone is going to need them.
    Stored(Place, Vec<RecordedEvent>),
    Rejected,
    LostRace,
    DecidedElsewhere,
}

/// Appends a decision, whatever it was. The condition goes with rejections and no-ops as well: each
/// outcome is right at its own place in the log. `wanted`: someone will take in what it added.
async fn append(
    engine: &Engine,
    command: &CommandRecord,
    decided: Decided,
    condition: Condition,
    wanted: bool,
) -> Result<Appended, RunError> {
    let (outcome, events) = match decided {
        Decided::Events(events) if events.is_empty() => (Outcome::Nothing, events),
        Decided::Events(events) => (Outcome::Succeeded, events),
        Decided::Rejected(rejection) => (Outcome::Rejected(rejection), Vec::new()),
        Decided::Unreadable(event, cause) => return Err(ExecuteError::Unreadable { event, cause }),
    };
    let rejected = matches!(outcome, Outcome::Rejected(_));
    let commit = NewCommit { command: command.clone(), outcome, events };
    let added = || commit.events.iter().enumerate().map(|(at, event)| (commit.event_id(at), event.clone()));
    let added = if wanted { added().collect() } else { Vec::new() };
    let described = describe(&commit);
    let verdict = engine.store().append(vec![Append { commit, condition }]).await.pop();
    match verdict {
        Some(Ok(_)) if rejected => Ok(Appended::Rejected),
        Some(Ok(stored)) => {
            let place = place(engine, command, described, &stored);
            Ok(Appended::Stored(place, added::recorded(command, added, &stored)))
        }
        Some(Err(AppendError::WrongRevision { .. } | AppendError::Stale { .. })) => Ok(Appended::LostRace),
        Some(Err(AppendError::AlreadyDecided { .. } | AppendError::AlreadyApplied { .. })) => {
            Ok(Appended::DecidedElsewhere)
        }
        Some(Err(AppendError::Invalid(cause))) => Err(ExecuteError::Invalid(cause)),
        Some(Err(AppendError::InvalidCondition(cause))) => Err(ExecuteError::InvalidKey(cause)),
        Some(Err(AppendError::Store(cause))) => Err(ExecuteError::Unavailable(cause)),
        Some(Err(AppendError::Unknown { cause })) => resolve(engine, command, cause).await,
        Some(Err(other)) => Err(bug(format!("appending command {} was refused: {other}", command.id))),
        None => Err(bug(format!("appending command {} gave no verdict", command.id))),
    }
}

/// An append whose fate is unknown is resolved by reading it back, never by appending it again.
async fn resolve(engine: &Engine, command: &CommandRecord, cause: String) -> Result<Appended, RunError> {
    observe::unknown(command, &cause);
    let unknown = ExecuteError::Unknown { command: command.id, cause };
    match engine.store().commits_of(command.id).await {
        Ok(commits) if commits.iter().any(|commit| commit.outcome.is_final()) => {
            Ok(Appended::DecidedElsewhere)
        }
        Ok(_) | Err(_) => Err(unknown),
    }
}

/// What became of the same command before, if anything final did.
async fn earlier(engine: &Engine, command: &CommandRecord) -> Result<Option<Ended>, RunError> {
    let commits = engine.store().commits_of(command.id).await?;
    let Some(commit) = commits.into_iter().find(|commit| commit.outcome.is_final()) else { return Ok(None) };
    let same = match (&commit.payload, &command.payload, engine.command_log()) {
        // What it asked for stands in the command log.
        (CommandPayload::Logged(_), CommandPayload::Inline { .. }, Some(commands)) => {
            let accepted = commands.find(command.id).await?;
            accepted.is_none_or(|accepted| same_payload(&accepted.command.payload, &command.payload))
        }
        (stored, sent, _) => same_payload(stored, sent),
    };
    if commit.header.command_name != command.name || !same {
        return Err(ExecuteError::KeyReused { command: command.id });
    }
    match &commit.outcome {
        Outcome::Rejected(rejection) => return Err(ExecuteError::RejectedEarlier(rejection.clone())),
        Outcome::Failed { cause, .. } => {
            return Err(ExecuteError::FailedEarlier { command: command.id, cause: cause.clone() });
        }
        _ => {}
    }
    let place = Place::of_earlier(&commit, token(engine, commit.position));
    Ok(Some(Ended::Earlier(place, Box::new(commit))))
}

/// Whether two stored forms ask for the same. Those of different schema versions cannot be compared: there
/// the name must do. The order of fields is no difference, since a map may be written in any.
pub(crate) fn same_payload(stored: &CommandPayload, sent: &CommandPayload) -> bool {
    let (
        CommandPayload::Inline { version, data: a, codec },
        CommandPayload::Inline { version: other, data: b, .. },
    ) = (stored, sent)
    else {
        return true;
    };
    let json = |data| serde_json::from_slice::<serde_json::Value>(data).ok();
    version != other || a == b || (*codec == Codec::JSON && json(a).is_some() && json(a) == json(b))
}

/// The parts of the places of a commit's events that are known before it is stored.
fn describe(commit: &NewCommit) -> Vec<EventPlace> {
    let place = |(index, event): (usize, &NewEvent)| EventPlace {
        id: commit.event_id(index),
        event_type: event.event_type.clone(),
        stream: event.stream.clone(),
        revision: Default::default(),
        position: Default::default(),
    };
    commit.events.iter().enumerate().map(place).collect()
}

fn place(engine: &Engine, command: &CommandRecord, mut events: Vec<EventPlace>, stored: &Stored) -> Place {
    let mut position = stored.first;
    for (event, revision) in events.iter_mut().zip(&stored.revisions) {
        (event.position, event.revision) = (position, *revision);
        position = position.next();
    }
    let position = events.last().map_or(stored.first, |event| event.position);
    Place {
        command_id: command.id,
        sequence: stored.sequence,
        recorded_at: stored.recorded_at,
        position,
        events,
        token: token(engine, position),
        replayed: false,
    }
}

fn token(engine: &Engine, position: Position) -> Token {
    Token::new(engine.store().identity(), position)
}

fn unreadable(command: &CommandRecord) -> RunError {
    bug(format!("command {} was decided, but its outcome is not there", command.id))
}

fn bug(what: String) -> RunError {
    ExecuteError::Unavailable(StoreError::new(ErrorKind::ReportBug, format!("{what}: please report this")))
}

impl From<LoadError> for RunError {
    fn from(cause: LoadError) -> Self {
        match cause {
            LoadError::Store(cause) => Self::Unavailable(cause),
            LoadError::Decode(cause) => Self::Corrupt(cause),
        }
    }
}
