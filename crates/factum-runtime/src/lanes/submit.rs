//! The typed face of a command for later: a builder to await.

use super::{
    Lanes, Ticket,
    record::{Accepted, key_of},
};
use crate::{Intake, intake::stamped, run::same_payload};
use factum_domain::{Command, Models};
use factum_event::{CommandId, CommandRecord, InvalidCommit, InvalidName, StreamName};
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
        name: &'static str,
    },
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
        let lanes = lanes.ok_or(SubmitError::NotRegistered { name: C::NAME })?;
        let (record, _) = intake.record(&lanes.shared.engine, &command)?;
        let mut boundaries = Vec::new();
        C::Models::boundaries(&command.keys(), &mut boundaries);
        let key = key_of(record.id, &boundaries);
        store(lanes, record, key).await
    }
}

/// Thin generics end here.
async fn store(lanes: &Lanes, record: CommandRecord, key: StreamName) -> Result<Ticket<'_>, SubmitError> {
    key.check()?;
    let commands = &lanes.shared.commands;
    let repeated = match commands.accept(&record, &key).await {
        Ok(_) => false,
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
    Ok(Ticket::new(lanes, record.id, repeated))
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
