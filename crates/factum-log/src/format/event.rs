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
#[inline]
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
    pub(crate) bytes: usize,
}

impl<'a> EventView<'a> {
    /// The event that `bytes` begin with, which must be the one at `position`.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], position: Position) -> Result<Self, Flaw> {
        let (event, revision, _) = summed(bytes, position)?;
        Self::fields(event, position, revision).ok_or_else(|| contradict(position))
    }

    /// Whether [`Self::read`] gives the event, without making it: its length and its checksum.
    #[inline]
    pub(crate) fn verify(bytes: &'a [u8], position: Position) -> Result<(usize, u32), Flaw> {
        let (event, revision, checksum) = summed(bytes, position)?;
        if !is_plain(event) && Self::fields(event, position, revision).is_none() {
            return Err(contradict(position));
        }
        Ok((event.len(), checksum))
    }

    /// As [`Self::read`], for bytes that it has verified before.
    #[inline]
    pub(crate) fn trusted(bytes: &'a [u8], position: Position) -> Self {
        let read = || {
            let event = whole(bytes)?;
            let (_, revision) = bound(event)?;
            Self::fields(event, position, revision)
        };
        read().expect("the event was verified with its commit")
    }

    #[inline]
    fn fields(event: &'a [u8], position: Position, revision: Revision) -> Option<Self> {
        let mut fields = Cursor(event.get(EVENT_REVISION.end..)?);
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
            bytes: event.len(),
        })
    }
}

/// The event that `bytes` begin with, by its own length.
#[inline]
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let length = Cursor(bytes).u32()? as usize;
    bytes.get(..length).filter(|event| event.len() >= EVENT_HEADER_BYTES)
}

/// The checksum and the revision of an event.
#[inline]
fn bound(event: &[u8]) -> Option<(u32, Revision)> {
    let mut fields = Cursor(event.get(EVENT_CHECKSUM.start..)?);
    Some((fields.u32()?, Revision::new(fields.u64()?)))
}

/// The bytes, the revision and the checksum of the event that `bytes` begin with, once that is known to match.
#[inline]
fn summed(bytes: &[u8], position: Position) -> Result<(&[u8], Revision, u32), Flaw> {
    let cut = || Flaw(format!("the event at position {position} is cut off"));
    let event = whole(bytes).ok_or_else(cut)?;
    let (checksum, revision) = bound(event).ok_or_else(cut)?;
    if bind(crc32fast::hash(&event[EVENT_REVISION.end..]), position, revision) != checksum {
        return Err(Flaw(format!("the checksum of the event at position {position} does not match")));
    }
    Ok((event, revision, checksum))
}

fn contradict(position: Position) -> Flaw {
    Flaw(format!("the fields of the event at position {position} contradict each other"))
}

/// Whether the fields of an event fit together and its names are ASCII, as nearly always: what tells it is
/// quick. Where it says no, the event may still be whole.
#[inline]
fn is_plain(event: &[u8]) -> bool {
    let look = || {
        let mut fields = Cursor(event.get(EVENT_REVISION.end..)?);
        let (flags, tags) = (fields.u8()?, fields.u8()?);
        fields.take(2 + 4)?;
        let names = usize::from(fields.u16()?) + usize::from(fields.u16()?);
        let payload = fields.u32()? as usize;
        let given = |flag: u8, bytes: usize| if flags & flag == 0 { 0 } else { bytes };
        fields.take(given(HAS_EFFECTIVE_AT, 8) + given(HAS_ID, 16) + given(HAS_CORRECTS, 16))?;
        // With the lengths of the tags: if those are ASCII too, so is what stands between them.
        let texts = fields.0.get(..fields.0.len().checked_sub(payload)?)?;
        let mut tagged = Cursor(texts.get(names..)?);
        for _ in 0..tags {
            let length = tagged.u16()?;
            tagged.take(usize::from(length))?;
        }
        Some(flags & !FLAGS_READ == 0 && tagged.0.is_empty() && texts.is_ascii())
    };
    look().unwrap_or(false)
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

#[cfg(test)]
mod tests {
    use super::*;
    use factum_event::{EventType, StreamName, Tag};

    fn encoded(stream: &str, tags: &[&str]) -> Vec<u8> {
        let kind = EventType::new("test.done").unwrap();
        let mut event = NewEvent::json(StreamName::unchecked(stream), kind, b"{\"n\":1}".to_vec());
        event.id = Some(EventId::new(uuid::Uuid::from_u128(9)));
        event.tags = tags.iter().copied().map(Tag::unchecked).collect();
        let mut bytes = Vec::new();
        encode_event(&event, &mut bytes, &mut Vec::new());
        bytes
    }

    /// Whether the event reads, once its checksum is made to match; and what it says if it does.
    fn reads(bytes: &mut [u8]) -> bool {
        let position = Position::new(3);
        let checksum = bind(crc32fast::hash(&bytes[EVENT_REVISION.end..]), position, Revision::new(0));
        bytes[EVENT_CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        let (read, verified) = (EventView::read(bytes, position), EventView::verify(bytes, position));
        assert_eq!(
            read.as_ref().map(|view| view.bytes).ok(),
            verified.as_ref().map(|(bytes, _)| *bytes).ok()
        );
        assert!(verified.is_ok() || verified.unwrap_err() == read.clone().unwrap_err());
        read.is_ok_and(|view| view.tags.clone().count() == usize::from(bytes[17]))
    }

    #[test]
    fn what_is_verified_is_what_reads() {
        for (stream, tags) in
            [("a-1", &["x:1", "y:2"][..]), ("käse-1", &["größe:3"]), ("a-1", &[]), ("a", &["t:1"; 9])]
        {
            let whole = encoded(stream, tags);
            assert!(reads(&mut whole.clone()));
            let (mut read, mut refused) = (0, 0);
            for at in EVENT_REVISION.end..whole.len() {
                for bit in 0..8 {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 1 << bit;
                    if reads(&mut bytes) { read += 1 } else { refused += 1 }
                }
            }
            assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
        }
    }
}
