//! The commit part of a frame: what was asked, by whom, and what became of it.

use super::{Cursor, Flaw, length, put_text};
use factum_event::{
    CausationId, Codec, CommandId, CommandName, CommandPayload, CommandRecord, CorrelationId, Metadata,
    Outcome, Position, Rejection, Source, Timestamp, Tracking,
};
use uuid::Uuid;

const HAS_ACTOR: u8 = 1;
const HAS_TENANT: u8 = 2;
const HAS_CORRELATION: u8 = 4;
const HAS_CAUSATION: u8 = 8;
const HAS_TRACKING: u8 = 16;
const FLAGS_READ: u8 = HAS_ACTOR | HAS_TENANT | HAS_CORRELATION | HAS_CAUSATION | HAS_TRACKING;

const PAYLOAD_NONE: u8 = 0;
const PAYLOAD_INLINE: u8 = 1;
const PAYLOAD_LOGGED: u8 = 2;

const OUTCOME_SUCCEEDED: u8 = 0;
const OUTCOME_NOTHING: u8 = 1;
const OUTCOME_REJECTED: u8 = 2;
const OUTCOME_FAILED: u8 = 3;
const OUTCOME_PARKED: u8 = 4;
const OUTCOME_SET_ASIDE: u8 = 5;

/// Appends the commit part.
pub(crate) fn encode_commit(
    command: &CommandRecord,
    outcome: &Outcome,
    tracking: Option<&Tracking>,
    to: &mut Vec<u8>,
) {
    let Metadata { actor, tenant, correlation, causation, headers } = &command.metadata;
    let flag = |given: bool, flag: u8| if given { flag } else { 0 };
    to.extend_from_slice(command.id.get().as_bytes());
    to.extend_from_slice(&command.issued_at.as_micros().to_le_bytes());
    to.push(
        flag(actor.is_some(), HAS_ACTOR)
            | flag(tenant.is_some(), HAS_TENANT)
            | flag(correlation.is_some(), HAS_CORRELATION)
            | flag(causation.is_some(), HAS_CAUSATION)
            | flag(tracking.is_some(), HAS_TRACKING),
    );
    to.push(match command.payload {
        CommandPayload::None => PAYLOAD_NONE,
        CommandPayload::Inline { .. } => PAYLOAD_INLINE,
        CommandPayload::Logged(_) => PAYLOAD_LOGGED,
    });
    to.push(outcome_code(outcome));
    to.push(u8::try_from(headers.len()).expect("a checked command has at most 32 headers"));
    put_text(to, command.name.as_str());
    match &command.payload {
        CommandPayload::None => {}
        CommandPayload::Inline { codec, version, data } => {
            to.extend_from_slice(&codec.0.to_le_bytes());
            to.extend_from_slice(&version.to_le_bytes());
            to.extend_from_slice(&length(data.len()).to_le_bytes());
            to.extend_from_slice(data);
        }
        CommandPayload::Logged(position) => to.extend_from_slice(&position.get().to_le_bytes()),
    }
    [actor, tenant].into_iter().flatten().for_each(|text| put_text(to, text));
    for id in [correlation.map(CorrelationId::get), causation.map(CausationId::get)].into_iter().flatten() {
        to.extend_from_slice(id.as_bytes());
    }
    for (name, value) in headers {
        put_text(to, name);
        put_text(to, value);
    }
    encode_outcome(outcome, to);
    if let Some(Tracking { source, progress }) = tracking {
        put_text(to, source.as_str());
        to.extend_from_slice(&progress.to_le_bytes());
    }
}

fn outcome_code(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded => OUTCOME_SUCCEEDED,
        Outcome::Nothing => OUTCOME_NOTHING,
        Outcome::Rejected(_) => OUTCOME_REJECTED,
        Outcome::Failed { .. } => OUTCOME_FAILED,
        Outcome::Parked { .. } => OUTCOME_PARKED,
        Outcome::SetAside { .. } => OUTCOME_SET_ASIDE,
        other => unreachable!("the format has a code for every outcome that is checked, not {other:?}"),
    }
}

fn encode_outcome(outcome: &Outcome, to: &mut Vec<u8>) {
    match outcome {
        Outcome::Rejected(Rejection { code, reason, status }) => {
            to.extend_from_slice(&status.to_le_bytes());
            put_text(to, code);
            put_text(to, reason);
        }
        Outcome::Failed { cause, by } => {
            put_text(to, cause);
            put_text(to, by);
        }
        Outcome::Parked { cause } => put_text(to, cause),
        Outcome::SetAside { behind } => to.extend_from_slice(behind.get().as_bytes()),
        _ => {}
    }
}

/// The commit part, its place in the frame verified. The cheap fields are read at once, the rest on demand.
#[derive(Clone, Debug)]
pub(crate) struct CommitPart<'a> {
    pub(crate) command_id: CommandId,
    pub(crate) issued_at: Timestamp,
    pub(crate) command_name: &'a str,
    flags: u8,
    payload: u8,
    outcome: u8,
    headers: u8,
    rest: Cursor<'a>,
}

/// The fields of a commit part that take an allocation.
#[derive(Clone, Debug)]
pub(crate) struct CommitFields {
    pub(crate) payload: CommandPayload,
    pub(crate) metadata: Metadata,
    pub(crate) outcome: Outcome,
    pub(crate) tracking: Option<Tracking>,
}

impl<'a> CommitPart<'a> {
    #[inline(always)]
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Flaw> {
        let mut fields = Cursor(bytes);
        let mut read = || {
            let (id, issued_at) = (CommandId::new(fields.uuid()?), Timestamp::from_micros(fields.i64()?));
            let (flags, payload, outcome, headers) = (fields.u8()?, fields.u8()?, fields.u8()?, fields.u8()?);
            let command_name = fields.text()?;
            (flags & !FLAGS_READ == 0).then(|| Self {
                command_id: id,
                issued_at,
                command_name,
                flags,
                payload,
                outcome,
                headers,
                rest: fields.clone(),
            })
        };
        read().ok_or_else(|| "the fields of the commit contradict each other".into())
    }

    /// Whether nothing else can become of the command.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self.outcome, OUTCOME_PARKED | OUTCOME_SET_ASIDE)
    }

    /// Whether [`Self::fields`] is worth reading for an index.
    pub(crate) fn has_index_fields(&self) -> bool {
        self.flags & (HAS_CORRELATION | HAS_TRACKING) != 0
    }

    pub(crate) fn fields(&self) -> Result<CommitFields, Flaw> {
        self.read_fields().ok_or_else(|| "the fields of the commit contradict each other".into())
    }

    fn read_fields(&self) -> Option<CommitFields> {
        let mut rest = self.rest.clone();
        let payload = match self.payload {
            PAYLOAD_NONE => CommandPayload::None,
            PAYLOAD_INLINE => {
                let (codec, version, bytes) = (Codec(rest.u16()?), rest.u32()?, rest.u32()?);
                let data = bytes::Bytes::copy_from_slice(rest.take(bytes as usize)?);
                CommandPayload::Inline { codec, version, data }
            }
            PAYLOAD_LOGGED => CommandPayload::Logged(Position::new(rest.u64()?)),
            _ => return None,
        };
        let metadata = self.read_metadata(&mut rest)?;
        let outcome = self.read_outcome(&mut rest)?;
        let tracking = match self.flags & HAS_TRACKING {
            0 => None,
            _ => Some(Tracking { source: Source::unchecked(rest.text()?), progress: rest.u64()? }),
        };
        rest.0.is_empty().then_some(CommitFields { payload, metadata, outcome, tracking })
    }

    fn read_metadata(&self, rest: &mut Cursor<'a>) -> Option<Metadata> {
        let text = |rest: &mut Cursor<'a>, flag: u8| match self.flags & flag {
            0 => Some(None),
            _ => rest.text().map(|text| Some(text.into())),
        };
        let id = |rest: &mut Cursor<'a>, flag: u8| match self.flags & flag {
            0 => Some(None::<Uuid>),
            _ => rest.uuid().map(Some),
        };
        let (actor, tenant) = (text(rest, HAS_ACTOR)?, text(rest, HAS_TENANT)?);
        let (correlation, causation) = (id(rest, HAS_CORRELATION)?, id(rest, HAS_CAUSATION)?);
        let mut headers = Vec::with_capacity(usize::from(self.headers));
        for _ in 0..self.headers {
            headers.push((rest.text()?.into(), rest.text()?.into()));
        }
        Some(Metadata {
            actor,
            tenant,
            correlation: correlation.map(CorrelationId::new),
            causation: causation.map(CausationId::new),
            headers,
        })
    }

    fn read_outcome(&self, rest: &mut Cursor<'a>) -> Option<Outcome> {
        Some(match self.outcome {
            OUTCOME_SUCCEEDED => Outcome::Succeeded,
            OUTCOME_NOTHING => Outcome::Nothing,
            OUTCOME_REJECTED => {
                let status = rest.u16()?;
                Outcome::Rejected(Rejection {
                    status,
                    code: rest.text()?.into(),
                    reason: rest.text()?.into(),
                })
            }
            OUTCOME_FAILED => Outcome::Failed { cause: rest.text()?.into(), by: rest.text()?.into() },
            OUTCOME_PARKED => Outcome::Parked { cause: rest.text()?.into() },
            OUTCOME_SET_ASIDE => Outcome::SetAside { behind: CommandId::new(rest.uuid()?) },
            _ => return None,
        })
    }

    pub(crate) fn name(&self) -> CommandName {
        CommandName::unchecked(self.command_name)
    }
}
