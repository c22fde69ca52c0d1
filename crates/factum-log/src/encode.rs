//! Turns a commit into the bytes of its frame, in the thread of its caller: everything that does not depend
//! on where the commit will stand. What does (revisions, positions, the checksums bound to them) is patched
//! in by [`Prepared::place`] under the writer's lock.

use crate::{
    format::{
        EVENT_CHECKSUM, EVENT_REVISION, FRAME_HEADER_BYTES, FrameHeader, bind, encode_commit, encode_event,
        length,
    },
    index::{Key, KeyKind, hash_key},
};
use factum_event::{
    CommandId, Condition, CorrelationId, EventId, InvalidCommit, NewCommit, Position, Revision, Sequence,
    Timestamp,
};

/// So many checksums of events are summed at once.
const WORDS_SUMMED: usize = 32;

/// A commit that has been checked and encoded.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) condition: Condition,
    /// The whole frame; its header and what depends on the place are still open.
    pub(crate) frame: Vec<u8>,
    pub(crate) command: CommandId,
    pub(crate) is_final: bool,
    pub(crate) correlation: Option<CorrelationId>,
    pub(crate) events: Vec<PreparedEvent>,
    /// The index keys of all events; the text of each stands in `frame`.
    pub(crate) keys: Vec<Key>,
    /// Of each event, once the index has taken it in.
    pub(crate) revisions: Vec<Revision>,
    commit: u32,
    commit_checksum: u32,
}

/// One event of a prepared commit.
#[derive(Debug)]
pub(crate) struct PreparedEvent {
    pub(crate) start: u32,
    /// Where its keys end in [`Prepared::keys`]. The first of them is its stream.
    pub(crate) keys: u32,
    pub(crate) id: Option<EventId>,
    checksum: u32,
}

/// Where a commit comes to stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) salt: u32,
    pub(crate) synced_up_to: Sequence,
    pub(crate) sequence: Sequence,
    pub(crate) base_position: Position,
    pub(crate) recorded_at: Timestamp,
}

impl Prepared {
    /// Checks and encodes a commit. `seed` is the one of the index.
    pub(crate) fn new(commit: &NewCommit, condition: Condition, seed: u64) -> Result<Self, InvalidCommit> {
        commit.check()?;
        let estimate: usize = commit.events.iter().map(|event| event.payload.len() + 160).sum();
        let mut frame = Vec::with_capacity(estimate + 512);
        frame.resize(FRAME_HEADER_BYTES, 0);
        encode_commit(&commit.command, &commit.outcome, condition.tracking.as_ref(), &mut frame);
        let commit_end = frame.len();
        let commit_checksum = crc32fast::hash(&frame[FRAME_HEADER_BYTES..]);
        let mut prepared = Self {
            condition,
            frame,
            command: commit.command.id,
            is_final: commit.outcome.is_final(),
            correlation: commit.command.metadata.correlation,
            events: Vec::with_capacity(commit.events.len()),
            keys: Vec::with_capacity(commit.events.len() * 4),
            revisions: Vec::with_capacity(commit.events.len()),
            commit: length(commit_end - FRAME_HEADER_BYTES),
            commit_checksum,
        };
        let mut tags = Vec::new();
        for event in &commit.events {
            tags.clear();
            let encoded = encode_event(event, &mut prepared.frame, &mut tags);
            let category = event.stream.category_str();
            prepared.key(seed, KeyKind::Stream, encoded.stream, event.stream.as_str());
            prepared.key(seed, KeyKind::Category, encoded.stream, category);
            prepared.key(seed, KeyKind::Type, encoded.event_type, event.event_type.as_str());
            for start in &tags {
                prepared.tag(seed, *start);
            }
            prepared.events.push(PreparedEvent {
                start: encoded.start,
                keys: length(prepared.keys.len()),
                id: event.id,
                checksum: encoded.checksum,
            });
        }
        Ok(prepared)
    }

    fn key(&mut self, seed: u64, kind: KeyKind, start: u32, text: &str) {
        let bytes = u16::try_from(text.len()).expect("names of a checked commit are short");
        self.keys.push(Key { hash: hash_key(seed, kind, text.as_bytes()), start, length: bytes, kind });
    }

    /// A tag whose text starts at `start`, its length in the two bytes before.
    fn tag(&mut self, seed: u64, start: u32) {
        let at = start as usize;
        let length = u16::from_le_bytes([self.frame[at - 2], self.frame[at - 1]]);
        let text = &self.frame[at..at + usize::from(length)];
        self.keys.push(Key { hash: hash_key(seed, KeyKind::Tag, text), start, length, kind: KeyKind::Tag });
    }

    /// The keys of the event at `index`.
    pub(crate) fn keys_of(&self, index: usize) -> &[Key] {
        let start = index.checked_sub(1).map_or(0, |before| self.events[before].keys as usize);
        &self.keys[start..self.events[index].keys as usize]
    }

    /// The bytes a key stands for.
    pub(crate) fn text(&self, key: &Key) -> &[u8] {
        &self.frame[key.start as usize..][..usize::from(key.length)]
    }

    /// The id of the event at `index`, given or derived.
    pub(crate) fn event_id(&self, index: usize) -> EventId {
        self.events[index].id.unwrap_or_else(|| EventId::derived(self.command, length(index)))
    }

    /// Fills in what depends on the place. After this the frame is what is written.
    pub(crate) fn place(&mut self, place: &Place) {
        let mut words = crc32fast::Hasher::new();
        let mut position = place.base_position;
        // Summed some at a time: a call for four bytes costs as much as one for a hundred.
        let mut some = [0; 4 * WORDS_SUMMED];
        for (events, revisions) in self.events.chunks(WORDS_SUMMED).zip(self.revisions.chunks(WORDS_SUMMED)) {
            let (chunks, _) = some.as_chunks_mut::<4>();
            for ((event, revision), word) in events.iter().zip(revisions).zip(chunks) {
                let bytes = &mut self.frame[event.start as usize..];
                *word = bind(event.checksum, position, *revision).to_le_bytes();
                bytes[EVENT_CHECKSUM].copy_from_slice(word);
                bytes[EVENT_REVISION].copy_from_slice(&revision.get().to_le_bytes());
                position = position.next();
            }
            words.update(&some[..4 * events.len()]);
        }
        let header = FrameHeader {
            segment: place.segment,
            synced_up_to: place.synced_up_to,
            body: length(self.frame.len() - FRAME_HEADER_BYTES),
            commit: self.commit,
            events: length(self.events.len()),
            commit_checksum: self.commit_checksum,
            events_checksum: words.finalize(),
            sequence: place.sequence,
            base_position: place.base_position,
            recorded_at: place.recorded_at,
        };
        header.encode(place.salt, &mut self.frame);
    }
}
