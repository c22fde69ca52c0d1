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
