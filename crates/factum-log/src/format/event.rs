//! One event within a frame. Its checksum covers its bytes, then its position and its revision: an event
//! that is intact but stands in the wrong place does not pass.

use super::{Cursor, Flaw, length, put_text};
use factum_event::{Codec, EventId, NewEvent, Position, Revision, Timestamp};

/// The fixed part of an event.
pub(crate) const EVENT_HEADER_BYTES: usize = 32;
/// Where its checksum stands.
pub(crate) const EVENT_CHECKSUM: std::ops::Range<usize> = 4..8;
/// Where its revision stands; the bytes that are summed begin after it.
pub(crate) const EVENT_REVISION: std::ops::Range<usize> = 8..16;

const HAS_EFFECTIVE_AT: u8 = 1;
const HAS_ID: u8 = 2;
const HAS_CORRECTS: u8 = 4;
const FLAGS_READ: u8 = HAS_EFFECTIVE_AT | HAS_ID | HAS_CORRECTS;

/// Where an event came to stand in the bytes of its frame, and its checksum before it is bound to a place.
#[derive(Clone, Debug)]
pub(crate) struct EncodedEvent {
    pub(crate) start: u32,
    pub(crate) checksum: u32,
    pub(crate) stream: u32,
    pub(crate) event_type: u32,
}

/// Appends `event`, its revision and checksum still open, and to `tags` where the text of each tag starts.
pub(crate) fn encode_event(event: &NewEvent, to: &mut Vec<u8>, tags: &mut Vec<u32>) -> EncodedEvent {
    let start = to.len();
    let kept = || event.tags.iter().enumerate().filter(|(at, tag)| !event.tags[..*at].contains(tag));
    let flag = |given: bool, flag: u8| if given { flag } else { 0 };
    let flags = flag(event.effective_at.is_some(), HAS_EFFECTIVE_AT)
        | flag(event.id.is_some(), HAS_ID)
        | flag(event.corrects.is_some(), HAS_CORRECTS);
    let short = |bytes: usize| u16::try_from(bytes).expect("names of a checked commit are short");
    let mut header = [0; EVENT_HEADER_BYTES];
    header[16] = flags;
    header[17] = u8::try_from(kept().count()).expect("a checked event has at most 64 tags");
    header[18..20].copy_from_slice(&event.codec.0.to_le_bytes());
    header[20..24].copy_from_slice(&event.version.to_le_bytes());
    header[24..26].copy_from_slice(&short(event.stream.as_str().len()).to_le_bytes());
    header[26..28].copy_from_slice(&short(event.event_type.as_str().len()).to_le_bytes());
    header[28..32].copy_from_slice(&length(event.payload.len()).to_le_bytes());
    to.extend_from_slice(&header);
    if let Some(at) = event.effective_at {
        to.extend_from_slice(&at.as_micros().to_le_bytes());
    }
    for id in [event.id, event.corrects].into_iter().flatten() {
        to.extend_from_slice(id.get().as_bytes());
    }
    let stream = length(to.len());
    to.extend_from_slice(event.stream.as_str().as_bytes());
    let event_type = length(to.len());
    to.extend_from_slice(event.event_type.as_str().as_bytes());
    for (_, tag) in kept() {
        tags.push(length(to.len() + 2));
        put_text(to, tag.as_str());
    }
    to.extend_from_slice(&event.payload);
    let whole = length(to.len() - start);
    to[start..start + 4].copy_from_slice(&whole.to_le_bytes());
    let checksum = crc32fast::hash(&to[start + EVENT_REVISION.end..]);
    EncodedEvent { start: length(start), checksum, stream, event_type }
}

/// The stored checksum of an event whose bytes sum up to `checksum`, at this place.
pub(crate) fn bind(checksum: u32, position: Position, revision: Revision) -> u32 {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&position.get().to_le_bytes());
    place[8..].copy_from_slice(&revision.get().to_le_bytes());
    let mut hasher = crc32fast::Hasher::new_with_initial(checksum);
    hasher.update(&place);
    hasher.finalize()
}

/// A stored event, borrowed from the bytes it was read into. Its checksum has been verified.
#[derive(Clone, Debug)]
pub struct EventView<'a> {
    /// Where it stands in the log.
    pub position: Position,
    /// Where it stands in its stream.
    pub revision: Revision,
    /// Its home.
    pub stream: &'a str,
    /// Its stored name.
    pub event_type: &'a str,
    /// The version of its schema.
    pub version: u32,
    /// How `payload` is encoded.
    pub codec: Codec,
    /// What it is about.
    pub tags: Tags<'a>,
    /// The encoded fact.
    pub payload: &'a [u8],
    /// When it became true, if not when it was recorded.
    pub effective_at: Option<Timestamp>,
    /// Its id, if it was given one; else `EventId::derived` names it.
    pub explicit_id: Option<EventId>,
    /// The event it supersedes.
    pub corrects: Option<EventId>,
    pub(crate) checksum: u32,
    pub(crate) bytes: usize,
}

impl<'a> EventView<'a> {
    /// The event that `bytes` begin with, which must be the one at `position`.
    pub(crate) fn read(bytes: &'a [u8], position: Position) -> Result<Self, Flaw> {
        let cut = || Flaw(format!("the event at position {position} is cut off"));
        let whole = Cursor(bytes).u32().ok_or_else(cut)? as usize;
        let event = bytes.get(..whole).filter(|event| event.len() >= EVENT_HEADER_BYTES).ok_or_else(cut)?;
        let mut fields = Cursor(&event[4..]);
        let (checksum, revision) = (fields.u32().ok_or_else(cut)?, fields.u64().ok_or_else(cut)?);
        let revision = Revision::new(revision);
        let actual = crc32fast::hash(&event[EVENT_REVISION.end..]);
        if bind(actual, position, revision) != checksum {
            return Err(Flaw(format!("the checksum of the event at position {position} does not match")));
        }
        Self::fields(fields, position, revision, checksum, whole).ok_or_else(|| {
            Flaw(format!("the fields of the event at position {position} contradict each other"))
        })
    }

    /// As [`Self::read`], for bytes that it has verified before.
    pub(crate) fn trusted(bytes: &'a [u8], position: Position) -> Self {
        let read = || {
            let mut fields = Cursor(bytes);
            let whole = fields.u32()? as usize;
            let event = bytes.get(4..whole)?;
            let mut fields = Cursor(event);
            let (checksum, revision) = (fields.u32()?, Revision::new(fields.u64()?));
            Self::fields(fields, position, revision, checksum, whole)
        };
        read().expect("the event was verified with its commit")
    }

    fn fields(
        mut fields: Cursor<'a>,
        position: Position,
        revision: Revision,
        checksum: u32,
        bytes: usize,
    ) -> Option<Self> {
        let (flags, tags) = (fields.u8()?, fields.u8()?);
        if flags & !FLAGS_READ != 0 {
            return None;
        }
        let (codec, version) = (Codec(fields.u16()?), fields.u32()?);
        let (stream, event_type) = (fields.u16()?, fields.u16()?);
        let payload = fields.u32()? as usize;
        let effective_at = match flags & HAS_EFFECTIVE_AT {
            0 => None,
            _ => Some(Timestamp::from_micros(fields.i64()?)),
        };
        let explicit_id = if flags & HAS_ID == 0 { None } else { Some(EventId::new(fields.uuid()?)) };
        let corrects = if flags & HAS_CORRECTS == 0 { None } else { Some(EventId::new(fields.uuid()?)) };
        let stream = fields.text_of(usize::from(stream))?;
        let event_type = fields.text_of(usize::from(event_type))?;
        let tagged = fields.clone();
        for _ in 0..tags {
            fields.text()?;
        }
        let tags = Tags { left: tags, rest: tagged };
        (fields.0.len() == payload).then_some(Self {
            position,
            revision,
            stream,
            event_type,
            version,
            codec,
            tags,
            payload: fields.0,
            effective_at,
            explicit_id,
            corrects,
            checksum,
            bytes,
        })
    }
}

/// The tags of a stored event, in order.
#[derive(Clone, Debug)]
pub struct Tags<'a> {
    left: u8,
    rest: Cursor<'a>,
}

impl<'a> Iterator for Tags<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        self.rest.text()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}
