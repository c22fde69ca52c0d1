//! What is where: keys to events, ids to commits, events and commits to their bytes.
//!
//! Kept in memory, rebuilt from the log at open, never trusted over it. It may run ahead of the published
//! head by the group that is being written, so readers cut what it says at the head; [`Index::rollback`]
//! drops that group when it was never stored. Answers are exact: keys are compared byte by byte.

mod ids;
mod keys;
mod postings;
mod query;

pub(crate) use keys::{Key, KeyKind, hash_key};

use crate::{encode::Prepared, segment::Segment, view::CommitView};
use factum_event::{CommandId, CorrelationId, Position, Revision, Sequence, Source, StreamName, Tracking};
use keys::Keys;
use std::{collections::HashMap, fmt, ops::Range};

/// The index of a whole log.
pub(crate) struct Index {
    seed: u64,
    keys: Keys,
    /// Of each event, where it starts in its segment.
    events: Vec<u32>,
    commits: Vec<CommitEntry>,
    segments: Vec<SegmentEntry>,
    /// The events that were given an id, ascending.
    explicit: Vec<u32>,
    sources: HashMap<Source, Vec<Progress>>,
    /// Up to here no reader asks for less: what a source had reached before is forgotten.
    published: Sequence,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (position, sequence) = self.last();
        f.debug_struct("Index")
            .field("position", &position)
            .field("sequence", &sequence)
            .finish_non_exhaustive()
    }
}

/// One commit.
#[derive(Clone, Copy, Debug)]
struct CommitEntry {
    /// Where its frame starts in its segment.
    frame: u32,
    /// The number of its first event, or of the next one to come.
    first: u32,
    /// The last four bytes of its command's mixed id; the others are the key of its family.
    tail: [u8; 4],
    bits: u8,
}

/// The bits of the command's mixed id that its family leaves out: the high half of byte 6, and below it the
/// upper two bits of byte 8.
const BITS_LEFT_OUT: u8 = 0xfc;
const BIT_FINAL: u8 = 1;
/// It was given a correlation of its own.
const BIT_CORRELATED: u8 = 2;

fn left_out(mixed: &[u8; 16]) -> u8 {
    (mixed[6] & 0xf0) | ((mixed[8] & 0xc0) >> 4)
}

#[derive(Debug)]
struct SegmentEntry {
    segment: Segment,
    first_commit: u32,
    /// Where its last frame ends.
    end: u32,
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    progress: u64,
    sequence: Sequence,
}

/// Where the bytes of an event or a commit stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// Which segment, from 0 in the order of the log.
    pub(crate) segment: usize,
    pub(crate) bytes: Range<u32>,
}

/// Where an event stands, and the commit it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct EventLocation {
    pub(crate) position: Position,
    pub(crate) sequence: Sequence,
    pub(crate) segment: usize,
    pub(crate) event: Range<u32>,
    /// The header and the commit part of its frame.
    pub(crate) commit: Range<u32>,
}

impl Index {
    /// An empty index. `seed` keeps clients from choosing keys that collide.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            keys: Keys::default(),
            events: Vec::new(),
            commits: Vec::new(),
            segments: Vec::new(),
            explicit: Vec::new(),
            sources: HashMap::new(),
            published: Sequence::START,
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The last position and sequence it knows, published or not.
    pub(crate) fn last(&self) -> (Position, Sequence) {
        (Position::new(self.events.len() as u64), Sequence::new(self.commits.len() as u64))
    }

    /// What follows stands in `segment`.
    pub(crate) fn begin_segment(&mut self, segment: Segment) {
        let first_commit = number(self.commits.len());
        self.segments.push(SegmentEntry { segment, first_commit, end: 0 });
    }

    /// All segments, in order.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.segments.iter().map(|entry| entry.segment.clone()).collect()
    }

    /// The segment with this number.
    pub(crate) fn segment(&self, segment: usize) -> &Segment {
        &self.segments[segment].segment
    }

    /// Takes in a commit that comes to stand at `frame`, and fills in the revisions of its events.
    pub(crate) fn add(&mut self, commit: &mut Prepared, frame: u64) {
        let mut revisions = std::mem::take(&mut commit.revisions);
        self.begin_commit(commit.command, commit.is_final, frame, commit.frame.len());
        for (index, event) in commit.events.iter().enumerate() {
            let number = number(self.events.len());
            self.events.push(narrow(frame) + event.start);
            for key in commit.keys_of(index) {
                let postings = self.keys.add(key.kind, key.hash, commit.text(key), number);
                if key.kind == KeyKind::Stream {
                    revisions.push(Revision::new(postings as u64 - 1));
                }
            }
            if let Some(id) = event.id {
                self.add_id(KeyKind::Event, id.get().as_bytes(), number);
                self.explicit.push(number);
            }
        }
        self.end_commit(commit.correlation, commit.condition.tracking.as_ref());
        commit.revisions = revisions;
    }

    /// Takes in a commit read from the log.
    ///
    /// # Errors
    /// When a revision is not the one that is due, or the fields cannot be read.
    pub(crate) fn add_stored(&mut self, view: &CommitView<'_>, frame: u64) -> Result<(), String> {
        self.begin_commit(view.command_id(), view.is_final(), frame, view.header.length());
        let mut start = frame + crate::format::FRAME_HEADER_BYTES as u64 + u64::from(view.header.commit);
        for event in view.events() {
            let number = number(self.events.len());
            self.events.push(narrow(start));
            start += event.bytes as u64;
            let revision = self.add_text(KeyKind::Stream, event.stream, number) as u64 - 1;
            if revision != event.revision.get() {
                let (position, stored) = (event.position, event.revision);
                return Err(format!(
                    "the event at position {position} has revision {stored}, and {revision} is due"
                ));
            }
            let category = event.stream.split_once('-').map_or(event.stream, |(category, _)| category);
            self.add_text(KeyKind::Category, category, number);
            self.add_text(KeyKind::Type, event.event_type, number);
            for tag in event.tags.clone() {
                self.add_text(KeyKind::Tag, tag, number);
            }
            if let Some(id) = event.explicit_id {
                self.add_id(KeyKind::Event, id.get().as_bytes(), number);
                self.explicit.push(number);
            }
        }
        if view.part.has_index_fields() {
            let fields = view.part.fields().map_err(|flaw| flaw.0)?;
            self.end_commit(fields.metadata.correlation, fields.tracking.as_ref());
        }
        self.keep(view.sequence());
        Ok(())
    }

    fn begin_commit(&mut self, command: CommandId, is_final: bool, frame: u64, bytes: usize) {
        let mixed = command.mixed();
        let [.., a, b, c, d] = mixed;
        let bits = left_out(&mixed) | if is_final { BIT_FINAL } else { 0 };
        let (commit, first) = (number(self.commits.len()), number(self.events.len()));
        self.commits.push(CommitEntry { frame: narrow(frame), first, tail: [a, b, c, d], bits });
        self.add_id(KeyKind::Family, &command.family(), commit);
        let segment = self.segments.last_mut().expect("a commit is added to a segment");
        segment.end = narrow(frame + bytes as u64);
    }

    fn end_commit(&mut self, correlation: Option<CorrelationId>, tracking: Option<&Tracking>) {
        let commit = number(self.commits.len() - 1);
        if let Some(correlation) = correlation {
            self.add_id(KeyKind::Correlation, correlation.get().as_bytes(), commit);
            self.commits[commit as usize].bits |= BIT_CORRELATED;
        }
        if let Some(Tracking { source, progress }) = tracking {
            let (_, sequence) = self.last();
            let steps = match self.sources.get_mut(source) {
                Some(steps) => steps,
                None => self.sources.entry(source.clone()).or_default(),
            };
            let older = steps.partition_point(|step| step.sequence <= self.published);
            steps.drain(..older.saturating_sub(1));
            steps.push(Progress { progress: *progress, sequence });
        }
    }

    fn add_text(&mut self, kind: KeyKind, text: &str, number: u32) -> usize {
        self.add_id(kind, text.as_bytes(), number)
    }

    fn add_id(&mut self, kind: KeyKind, key: &[u8], number: u32) -> usize {
        self.keys.add(kind, hash_key(self.seed, kind, key), key, number)
    }

    /// What was added up to now is stored and published: it is not rolled back any more.
    pub(crate) fn keep(&mut self, published: Sequence) {
        self.keys.keep();
        self.published = published;
    }

    /// Drops every commit after `sequence`, the last one kept.
    pub(crate) fn rollback(&mut self, sequence: Sequence) {
        let commits = usize::try_from(sequence.get()).expect("a kept commit is in memory");
        let Some(first_dropped) = self.commits.get(commits).copied() else { return };
        let events = first_dropped.first as usize;
        self.keys.rollback(|kind| if kind.numbers_commits() { commits } else { events });
        self.explicit.truncate(self.explicit.partition_point(|event| (*event as usize) < events));
        for steps in self.sources.values_mut() {
            steps.truncate(steps.partition_point(|step| step.sequence <= sequence));
        }
        self.sources.retain(|_, steps| !steps.is_empty());
        self.events.truncate(events);
        self.commits.truncate(commits);
        let segment = self.segments.last_mut().expect("what is dropped stood in a segment");
        segment.end = first_dropped.frame;
    }

    /// The last revision of `stream` when the head stood at `at`.
    pub(crate) fn revision(&self, stream: &StreamName, at: Position) -> Option<Revision> {
        let postings = self.postings(KeyKind::Stream, stream.as_str().as_bytes());
        let count = postings.partition_point(|event| u64::from(*event) < at.get());
        count.checked_sub(1).map(|last| Revision::new(last as u64))
    }

    /// How far `source` had come, and by which commit, when the head stood at `at`.
    pub(crate) fn progress(&self, source: &Source, at: Sequence) -> Option<(u64, Sequence)> {
        let steps = self.sources.get(source)?;
        let count = steps.partition_point(|step| step.sequence <= at);
        steps[..count].last().map(|step| (step.progress, step.sequence))
    }

    fn postings(&self, kind: KeyKind, key: &[u8]) -> &[u32] {
        self.keys.postings(kind, hash_key(self.seed, kind, key), key)
    }

    /// Where the event at `position` stands.
    pub(crate) fn locate(&self, position: Position) -> EventLocation {
        let event = narrow(position.get() - 1);
        let commit = self.commit_of(event);
        let Location { segment, bytes } = self.locate_commit(Sequence::new(commit as u64 + 1));
        let first = self.events[self.commits[commit].first as usize];
        let start = self.events[event as usize];
        let after = self.events.get(event as usize + 1).copied();
        let is_last = self.commits.get(commit + 1).is_none_or(|next| next.first == event + 1);
        let end = if is_last { bytes.end } else { after.expect("an event follows in the same commit") };
        let sequence = Sequence::new(commit as u64 + 1);
        EventLocation { position, sequence, segment, event: start..end, commit: bytes.start..first }
    }

    /// The commit that an event belongs to. Commits hold about as many events each, so it stands near where
    /// its share of the log ends; from there the steps double. A search over all commits misses the caches at
    /// every step.
    fn commit_of(&self, event: u32) -> usize {
        let begins_up_to = |commit: &CommitEntry| commit.first <= event;
        let share = u64::from(event) * self.commits.len() as u64 / self.events.len().max(1) as u64;
        let guess = usize::try_from(share).expect("it is at most the number of commits");
        let (mut low, mut high, mut step) = (guess, guess, 1);
        while low > 0 && self.commits.get(low).is_none_or(|commit| !begins_up_to(commit)) {
            (high, low) = (low, low.saturating_sub(step));
            step *= 2;
        }
        while self.commits.get(high).is_some_and(begins_up_to) {
            (low, high) = (high, high + step);
            step *= 2;
        }
        let high = high.min(self.commits.len());
        low + self.commits[low..high].partition_point(begins_up_to) - 1
    }

    /// Where the frame of a commit stands.
    pub(crate) fn locate_commit(&self, sequence: Sequence) -> Location {
        let commit = narrow(sequence.get() - 1);
        let segment = self.segments.partition_point(|segment| segment.first_commit <= commit) - 1;
        let next = self.segments.get(segment + 1).map(|next| next.first_commit);
        let end = match self.commits.get(commit as usize + 1) {
            Some(after) if next != Some(commit + 1) => after.frame,
            _ => self.segments[segment].end,
        };
        Location { segment, bytes: self.commits[commit as usize].frame..end }
    }
}

/// An event or a commit, numbered from 0. The writer refuses what would go beyond `LOG_EVENTS_MAX`.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a log holds fewer than 2^32 events and commits")
}

/// A place within a segment, or a number. Both fit: `SEGMENT_BYTES_MAX`, `LOG_EVENTS_MAX`.
fn narrow(value: u64) -> u32 {
    u32::try_from(value).expect("places in a segment and numbers of events fit 32 bits")
}
