//! A stored commit as a borrowed view: every checksum verified, nothing allocated.

use crate::format::{
    CommitPart, EventView, FRAME_CANONICAL, FRAME_HEADER_BYTES, Flaw, FrameHeader, Record, record_at,
};
use factum_event::{CommandId, Outcome, Position, Sequence, Timestamp};

/// So many bytes of the words of events are summed at once.
const WORDS_BYTES: usize = 128;

/// A stored commit, borrowed from the bytes it was read into.
#[derive(Clone, Debug)]
pub struct CommitView<'a> {
    pub(crate) header: FrameHeader,
    pub(crate) part: CommitPart<'a>,
    events: &'a [u8],
    canonical: &'a [u8],
}

impl<'a> CommitView<'a> {
    /// Verifies the frame that `bytes` hold, whole: header, commit part, each event, and that nothing is
    /// left over. `bytes` may be longer than the frame.
    #[inline(always)]
    pub(crate) fn read(header: FrameHeader, bytes: &'a [u8]) -> Result<Self, Flaw> {
        let body = bytes
            .get(FRAME_HEADER_BYTES..header.length())
            .ok_or_else(|| Flaw("the frame is cut off".to_owned()))?;
        let (part, events) = body
            .split_at_checked(header.commit as usize)
            .ok_or_else(|| Flaw("the lengths of the frame contradict each other".to_owned()))?;
        if crc32fast::hash(part) != header.commit_checksum {
            return Err("the checksum of the commit does not match".into());
        }
        let canonical = &bytes[FRAME_CANONICAL..header.length()];
        let view = Self { header, part: CommitPart::read(part)?, events, canonical };
        view.verify_events()?;
        Ok(view)
    }

    #[inline]
    fn verify_events(&self) -> Result<(), Flaw> {
        let (mut rest, mut position, mut left) = (self.events, self.header.base_position, self.header.events);
        let mut sum = crc32fast::Hasher::new();
        while left > 0 {
            // A few bytes cost a checksum as much as many, so its words are taken many at a time.
            let (mut words, mut filled) = ([0; WORDS_BYTES], 0);
            for word in words.chunks_exact_mut(4).take(left as usize) {
                let (bytes, checksum) = EventView::verify(rest, position)?;
                word.copy_from_slice(&checksum.to_le_bytes());
                rest = &rest[bytes..];
                position = position.next();
                (filled, left) = (filled + word.len(), left - 1);
            }
            sum.update(&words[..filled]);
        }
        if !rest.is_empty() {
            return Err("the frame holds bytes after its last event".into());
        }
        if sum.finalize() != self.header.events_checksum {
            return Err("the checksum over the events does not match".into());
        }
        Ok(())
    }

    /// The bytes that a leaf of the integrity tree is hashed from.
    pub(crate) fn canonical(&self) -> &'a [u8] {
        self.canonical
    }

    /// Where it stands among commits.
    pub fn sequence(&self) -> Sequence {
        self.header.sequence
    }

    /// When it was stored.
    pub fn recorded_at(&self) -> Timestamp {
        self.header.recorded_at
    }

    /// The command it answers.
    pub fn command_id(&self) -> CommandId {
        self.part.command_id
    }

    /// The stored name of the command.
    pub fn command_name(&self) -> &'a str {
        self.part.command_name
    }

    /// Whether nothing else can become of the command.
    pub fn is_final(&self) -> bool {
        self.part.is_final()
    }

    /// What became of the command; none if this release has no word for it.
    pub fn outcome(&self) -> Option<Outcome> {
        self.part.fields().ok().map(|fields| fields.outcome)
    }

    /// The position of its first event, or of the next event to come if it has none.
    pub fn base_position(&self) -> Position {
        self.header.base_position
    }

    /// The head after it.
    pub(crate) fn last_position(&self) -> Position {
        Position::new(self.header.base_position.get() + u64::from(self.header.events) - 1)
    }

    /// How many events it holds.
    pub fn event_count(&self) -> usize {
        self.header.events as usize
    }

    /// What happened, in order.
    pub fn events(&self) -> Events<'a> {
        Events { left: self.header.events, position: self.header.base_position, rest: self.events }
    }
}

/// The events of a stored commit, in order.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    left: u32,
    position: Position,
    rest: &'a [u8],
}

impl<'a> Iterator for Events<'a> {
    type Item = EventView<'a>;

    #[inline]
    fn next(&mut self) -> Option<EventView<'a>> {
        self.left = self.left.checked_sub(1)?;
        let event = EventView::trusted(self.rest, self.position);
        self.rest = &self.rest[event.bytes..];
        self.position = self.position.next();
        Some(event)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// The frame that `bytes` begin with, verified whole; none if a footer stands there.
pub(crate) fn commit_at(bytes: &[u8], salt: u32) -> Result<Option<CommitView<'_>>, Flaw> {
    match record_at(bytes, salt)? {
        Record::Frame(header) => CommitView::read(header, bytes).map(Some),
        Record::Footer { .. } => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{EVENT_CHECKSUM, EVENT_REVISION, bind, encode_commit, encode_event, length};
    use factum_event::{
        CommandName, CommandPayload, CommandRecord, EventType, Metadata, NewEvent, Revision, StreamName,
    };
    use std::ops::Range;
    use uuid::Uuid;

    const SALT: u32 = 7;

    /// A frame of so many events that say `text`, and where each of them stands.
    fn frame(events: u64, text: &str) -> (Vec<u8>, Vec<Range<usize>>) {
        let command = CommandRecord {
            id: CommandId::new(Uuid::from_u128(1)),
            name: CommandName::new("test.do").unwrap(),
            payload: CommandPayload::None,
            issued_at: Timestamp::from_micros(5),
            metadata: Metadata::default(),
        };
        let mut bytes = vec![0; FRAME_HEADER_BYTES];
        encode_commit(&command, &Outcome::Succeeded, None, &mut bytes);
        let (commit, mut places, mut words) = (bytes.len(), Vec::new(), Vec::new());
        for number in 0..events {
            let kind = EventType::new("test.done").unwrap();
            let event = NewEvent::json(StreamName::new("a-1").unwrap(), kind, text.as_bytes().to_vec());
            let start = bytes.len();
            encode_event(&event, &mut bytes, &mut Vec::new());
            let event = &mut bytes[start..];
            event[EVENT_REVISION].copy_from_slice(&number.to_le_bytes());
            let checksum = crc32fast::hash(&event[EVENT_REVISION.end..]);
            let checksum = bind(checksum, Position::new(3 + number), Revision::new(number)).to_le_bytes();
            event[EVENT_CHECKSUM].copy_from_slice(&checksum);
            words.extend(checksum);
            places.push(start..bytes.len());
        }
        let header = FrameHeader {
            segment: 1,
            synced_up_to: Sequence::START,
            body: length(bytes.len() - FRAME_HEADER_BYTES),
            commit: length(commit - FRAME_HEADER_BYTES),
            events: u32::try_from(events).unwrap(),
            commit_checksum: crc32fast::hash(&bytes[FRAME_HEADER_BYTES..commit]),
            events_checksum: crc32fast::hash(&words),
            sequence: Sequence::new(1),
            base_position: Position::new(3),
            recorded_at: Timestamp::from_micros(6),
        };
        header.encode(SALT, &mut bytes);
        (bytes, places)
    }

    #[test]
    fn an_event_that_is_whole_but_not_of_the_commit_does_not_pass() {
        for events in [1, 31, 32, 33, 64, 70] {
            let ((whole, places), (other, _)) = (frame(events, "[1]"), frame(events, "[2]"));
            let view = commit_at(&whole, SALT).unwrap().unwrap();
            let revisions: Vec<_> = view.events().map(|event| event.revision.get()).collect();
            assert_eq!(revisions, (0..events).collect::<Vec<_>>());
            for place in places {
                let mut bytes = whole.clone();
                bytes[place.clone()].copy_from_slice(&other[place]);
                let flaw = commit_at(&bytes, SALT).unwrap_err();
                assert_eq!(flaw, "the checksum over the events does not match".into());
            }
        }
    }
}
