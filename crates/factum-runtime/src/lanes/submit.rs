//! The typed face of a command for later: a builder to await.

use super::{
    LaneState, Lanes, Ticket,
    handler::Sent,
    record::{Accepted, key_of},
};
use crate::{Intake, StaleRevision, expected::home, intake::stamped, observe, run::same_payload};
use factum_domain::{Command, CommandDecodeError};
use factum_event::{CommandId, CommandPayload, CommandRecord, Commit, InvalidCommit, InvalidName};
use factum_store::{AppendError, BoxFuture, ErrorKind, StoreError};

/// Why a command was not accepted. Nothing was stored, except that after [`SubmitError::Unknown`] it may be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The application does not decide such commands.
    #[error(
        "command `{name}` is not registered: add it to `.commands::<(..)>()` where the application is built"
    )]
    NotRegistered {
        /// Its stored name.
        name: String,
    },
    /// What was sent is not the stored form of the command it is said to be.
    #[error(transparent)]
    Undecodable(#[from] CommandDecodeError),
    /// The stream is not where the sender believed it to be.
    #[error(transparent)]
    StaleRevision(#[from] StaleRevision),
    /// A revision was expected, and no model of the command has a stream to have one.
    #[error("the command reads no stream, so that no revision can be expected of it: send it without")]
    NoRevision,
    /// The id or idempotency key was used for another command.
    #[error("command {command} was sent before with other content: use a new idempotency key")]
    KeyReused {
        /// The command that has it.
        command: CommandId,
    },
    /// A limit is broken, see [`factum_event::limits`].
    #[error(transparent)]
    Invalid(#[from] InvalidCommit),
    /// The command's sender, its idempotency key or its own key cannot be stored.
    #[error("the command's keys are not valid: {0}")]
    InvalidKey(#[from] InvalidName),
    /// The command log could not take it.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// It may or may not have been accepted. Ask for its status before sending it again.
    #[error(
        "it is not known whether command {command} was accepted ({cause}): ask for its status, or send it again under the same id"
    )]
    Unknown {
        /// The command.
        command: CommandId,
        /// What went wrong.
        cause: String,
    },
}

/// A command about to be accepted.
#[must_use = "nothing is stored until it is awaited"]
#[derive(Debug)]
pub struct Submit<'a, C> {
    lanes: Option<&'a Lanes>,
    command: C,
    intake: Intake,
}

impl<'a, C: Command> Submit<'a, C> {
    /// For these lanes; without any the command is refused as not registered.
    pub fn new(lanes: Option<&'a Lanes>, command: C) -> Self {
        Self { lanes, command, intake: Intake::default() }
    }

    stamped!();

    async fn accept(self) -> Result<Ticket<'a>, SubmitError> {
        let Self { lanes, command, intake } = self;
        let lanes = lanes.filter(|lanes| lanes.shared.handlers.get(C::NAME).is_some());
        let lanes = lanes.ok_or_else(|| SubmitError::NotRegistered { name: C::NAME.to_owned() })?;
        store(lanes, C::NAME, Sent::of(&command), intake).await
    }
}

impl Lanes {
    /// The stored names of the commands that are decided here, in order.
    pub fn command_names(&self) -> Vec<&'static str> {
        self.shared.handlers.names()
    }

    /// Accepts a command by its stored name, `data` being its stored form in JSON, for later.
    ///
    /// # Errors
    /// As for a typed one; [`SubmitError::Undecodable`] when `data` is not of its form.
    pub async fn submit_named(
        &self,
        name: &str,
        data: &[u8],
        intake: Intake,
    ) -> Result<Ticket<'_>, SubmitError> {
        let (name, handler) = self
            .shared
            .handlers
            .get(name)
            .ok_or_else(|| SubmitError::NotRegistered { name: name.to_owned() })?;
        store(self, name, handler.sent(data)?, intake).await
    }
}

/// Thin generics end here.
async fn store<'a>(
    lanes: &'a Lanes,
    name: &'static str,
    sent: Sent,
    intake: Intake,
) -> Result<Ticket<'a>, SubmitError> {
    if let LaneState::Failed(cause) = lanes.state()
        && cause.kind() == ErrorKind::RepairData
    {
        // What were stored now could be taken for what was decided before.
        return Err(SubmitError::Unavailable(cause));
    }
    let Sent { version, data, boundaries } = sent;
    let expected = intake.expected.clone();
    let (record, id_was_chosen) = intake.record_of(&lanes.shared.engine, name, version, data)?;
    let key = key_of(record.id, &boundaries);
    key.check()?;
    if let Some(expected) = expected {
        let home = home(&boundaries).ok_or(SubmitError::NoRevision)?;
        let before = id_was_chosen && was_sent(lanes, record.id).await?;
        // What was accepted before is not judged again.
        if !before {
            let store = lanes.shared.engine.store();
            let revision = store.revision(home, store.head().await?.position).await?;
            let as_expected = expected.check_at(home, revision);
            // Another of the same may have been carried out in between, and changed it.
            if as_expected.is_err() && !(id_was_chosen && was_sent(lanes, record.id).await?) {
                as_expected?;
            }
        }
    }
    if id_was_chosen && decided_at_once(lanes, &record).await? {
        return Ok(Ticket::new(lanes, record.id, true));
    }
    let commands = &lanes.shared.commands;
    let repeated = match commands.accept(&record, &key).await {
        Ok(stored) => {
            observe::accepted(&record, &key, stored.first);
            false
        }
        Err(AppendError::AlreadyDecided { .. }) => {
            same_as_before(lanes, &record).await?;
            true
        }
        Err(AppendError::Invalid(cause)) => return Err(SubmitError::Invalid(cause)),
        Err(AppendError::Store(cause)) => return Err(SubmitError::Unavailable(cause)),
        Err(AppendError::Unknown { cause }) => {
            let unknown = SubmitError::Unknown { command: record.id, cause };
            match commands.find(record.id).await {
                Ok(Some(accepted)) if is_same(&accepted, &record) => false,
                Ok(Some(_)) => return Err(SubmitError::KeyReused { command: record.id }),
                Ok(None) | Err(_) => return Err(unknown),
            }
        }
        Err(other) => {
            let what = format!("accepting command {} was refused: {other}: please report this", record.id);
            return Err(SubmitError::Unavailable(StoreError::new(ErrorKind::ReportBug, what)));
        }
    };
    if !repeated {
        observe::taken_in(&lanes.shared.engine, name);
    }
    Ok(Ticket::new(lanes, record.id, repeated))
}

/// Whether the command came before, either way.
async fn was_sent(lanes: &Lanes, command: CommandId) -> Result<bool, StoreError> {
    let accepted = lanes.shared.commands.find(command).await?.is_some();
    Ok(accepted || !lanes.shared.engine.store().commits_of(command).await?.is_empty())
}

/// Whether the command was decided before without standing in the command log: it need not stand there now.
async fn decided_at_once(lanes: &Lanes, record: &CommandRecord) -> Result<bool, SubmitError> {
    let commits = lanes.shared.engine.store().commits_of(record.id).await?;
    let at_once = |commit: &&Commit| matches!(commit.payload, CommandPayload::Inline { .. });
    let Some(commit) = commits.iter().filter(at_once).find(|commit| commit.outcome.is_final()) else {
        return Ok(false);
    };
    if commit.header.command_name != record.name || !same_payload(&commit.payload, &record.payload) {
        return Err(SubmitError::KeyReused { command: record.id });
    }
    Ok(true)
}

async fn same_as_before(lanes: &Lanes, record: &CommandRecord) -> Result<(), SubmitError> {
    match lanes.shared.commands.find(record.id).await? {
        Some(accepted) if is_same(&accepted, record) => Ok(()),
        _ => Err(SubmitError::KeyReused { command: record.id }),
    }
}

/// Whether what was accepted before asks for the same.
fn is_same(before: &Accepted, record: &CommandRecord) -> bool {
    before.command.name == record.name && same_payload(&before.command.payload, &record.payload)
}

impl<'a, C: Command> IntoFuture for Submit<'a, C> {
    type Output = Result<Ticket<'a>, SubmitError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.accept())
    }
}
