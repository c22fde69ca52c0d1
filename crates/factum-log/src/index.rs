//! What is where: keys to events, ids to commits, events and commits to their bytes.
//!
//! It is kept in parts: one in memory, which grows with the last segment, and before it those of the
//! segments that ended, sealed into immutable files and mapped. Rebuilt from the log where a file is missing
//! or not right, never trusted over it. It may run ahead of the published head by the group that is being
//! written, so readers cut what it says at the head; [`Index::rollback`] drops that group when it was never
//! stored. Answers are exact: keys are compared byte by byte.

mod active;
mod build;
mod checked;
mod ids;
mod keys;
mod list;
mod merge;
mod part;
mod postings;
mod probed;
mod query;
mod sealed;

pub(crate) use active::Active;
pub(crate) use build::{Sink, sealed_in_memory, write_active};
pub(crate) use checked::Checked;
pub(crate) use keys::{Key, KeyKind, hash_key};
pub(crate) use merge::write_merged;
use part::Probe;
pub(crate) use part::{Part, PartRef};
pub(crate) use probed::probe_everything;
pub(crate) use sealed::{Covered, Sealed};

use crate::{
    encode::Prepared,
    limits::{ACTIVE_INDEX_BYTES_MAX, PREFETCH_PLACES},
    segment::Segment,
    view::CommitView,
};
use factum_event::{Position, Revision, Sequence, Source, StreamName};
use std::{fmt, mem, ops::Range, sync::Arc};

/// The index of a whole log.
pub(crate) struct Index {
    seed: u64,
    segments: Vec<SegmentEntry>,
    /// Those that do not grow any more, in order.
    parts: Vec<Part>,
    active: Active,
    /// Up to here no reader asks for less: what a source had reached before is forgotten.
    published: Sequence,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (position, sequence) = self.last();
        f.debug_struct("Index")
            .field("position", &position)
            .field("sequence", &sequence)
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct SegmentEntry {
    segment: Segment,
    /// Where its last frame ends.
    end: u32,
}

/// How far a source had come by a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) progress: u64,
    pub(crate) sequence: Sequence,
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
}

impl Index {
    /// An empty index. `seed` keeps clients from choosing keys that collide.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            segments: Vec::new(),
            parts: Vec::new(),
            active: Active::new(seed, Position::START.next().get(), Sequence::START.next().get()),
            published: Sequence::START,
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The last position and sequence it knows, published or not.
    pub(crate) fn last(&self) -> (Position, Sequence) {
        let (events, commits) = (self.active.events.len() as u64, self.active.commits.len() as u64);
        (
            Position::new(self.active.base_position + events - 1),
            Sequence::new(self.active.base_sequence + commits - 1),
        )
    }

    /// Whether the part in memory has grown so far that the next commit belongs into the next segment.
    pub(crate) fn is_full(&self) -> bool {
        self.active.bytes() >= ACTIVE_INDEX_BYTES_MAX
    }

    /// What follows stands in `segment`; what came before waits to be sealed.
    pub(crate) fn begin_segment(&mut self, segment: Segment) {
        self.end_active();
        let end = crate::format::length(crate::format::SEGMENT_HEADER_BYTES);
        self.segments.push(SegmentEntry { segment, end });
    }

    fn end_active(&mut self) {
        if !self.active.commits.is_empty() {
            let next = self.active.next();
            let ended = mem::replace(&mut self.active, next);
            self.parts.push(Part::Memory(Arc::new(ended)));
        }
    }

    /// Packs the part that ended last as a file would hold it, in memory alone.
    pub(crate) fn pack(&mut self) {
        let Some(Part::Memory(active)) = self.parts.last().cloned() else { return };
        let numbers = self.segments_of(PartRef::Memory(&active).sequences());
        let Some(last) = numbers.clone().last() else { return };
        let identity = self.segment(last).header.identity;
        let covered: Vec<_> = numbers.map(|number| self.covered(number)).collect();
        let sealed = sealed_in_memory(&active, identity, &covered);
        self.replace(vec![Part::Sealed(Arc::new(sealed))]);
    }

    /// These segments, up to where their frames end, are what `sealed` covers. What was read before them, for
    /// want of an index file, waits to be sealed.
    pub(crate) fn begin_sealed(&mut self, segments: Vec<(Segment, u64)>, sealed: Arc<Sealed>) {
        self.end_active();
        let header = &sealed.header;
        let position = header.base_position.get() + u64::from(header.events);
        let sequence = header.base_sequence.get() + u64::from(header.commits);
        self.active = Active::new(self.seed, position, sequence);
        self.active.sources = sealed.last_steps();
        let entry = |(segment, end)| SegmentEntry { segment, end: narrow(end) };
        self.segments.extend(segments.into_iter().map(entry));
        self.parts.push(Part::Sealed(sealed));
    }

    /// All segments, in order.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.segments.iter().map(|entry| entry.segment.clone()).collect()
    }

    /// The segment with this number.
    pub(crate) fn segment(&self, segment: usize) -> &Segment {
        &self.segments[segment].segment
    }

    /// Where the last frame ends in the segment with this number.
    pub(crate) fn segment_end(&self, segment: usize) -> u32 {
        self.segments[segment].end
    }

    /// The segment with this number as an index file knows it.
    pub(crate) fn covered(&self, segment: usize) -> Covered {
        let SegmentEntry { segment, end } = &self.segments[segment];
        Covered::new(&segment.header, u64::from(*end))
    }

    /// The parts that do not grow any more, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The index files that are used.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Sealed(sealed) => sealed.file.as_deref(),
            Part::Memory(_) => None,
        })
    }

    /// The segments of these commits.
    pub(crate) fn segments_of(&self, Range { start, end }: Range<u64>) -> Range<usize> {
        let base = |entry: &SegmentEntry| entry.segment.header.base_sequence.get();
        let from = self.segments.partition_point(|entry| base(entry) < start);
        from..self.segments.partition_point(|entry| base(entry) < end)
    }

    /// Puts `with` in the place of the parts that cover the same commits; whether there were such.
    pub(crate) fn replace(&mut self, with: Vec<Part>) -> bool {
        let (Some(first), Some(last)) = (with.first(), with.last()) else { return false };
        let (start, end) = (first.get().base_sequence(), last.get().sequences().end);
        let from = self.parts.partition_point(|part| part.get().base_sequence() < start);
        let to = self.parts.partition_point(|part| part.get().base_sequence() < end);
        let old = self.parts.get(from..to).unwrap_or_default();
        let covers = old.first().is_some_and(|part| part.get().base_sequence() == start)
            && old.last().is_some_and(|part| part.get().sequences().end == end);
        if covers {
            drop(self.parts.splice(from..to, with));
        }
        covers
    }

    /// Takes in a commit that comes to stand at `frame`, and fills in the revisions of its events.
    pub(crate) fn add(&mut self, commit: &mut Prepared, frame: u64) {
        let mut revisions = mem::take(&mut commit.revisions);
        let start = narrow(frame);
        self.active.begin_commit(commit.command, commit.is_final, start);
        for (index, event) in commit.events.iter().enumerate() {
            let number = self.active.begin_event(start + event.start, event.id);
            for key in commit.keys_of(index) {
                let text = commit.text(key);
                let added = self.active.keys.add(key.kind, key.hash, text, number);
                if key.kind == KeyKind::Stream {
                    revisions.push(self.settle(added, text));
                }
            }
        }
        self.active.end_commit(commit.correlation, commit.condition.tracking.as_ref(), self.published);
        commit.revisions = revisions;
        self.ends_at(start + crate::format::length(commit.frame.len()));
    }

    /// Takes in a commit read from the log.
    ///
    /// # Errors
    /// When a revision is not the one that is due, or the fields cannot be read.
    pub(crate) fn add_stored(&mut self, view: &CommitView<'_>, frame: u64) -> Result<(), String> {
        let start = narrow(frame);
        self.active.begin_commit(view.command_id(), view.is_final(), start);
        let mut at = start + crate::format::length(crate::format::FRAME_HEADER_BYTES) + view.header.commit;
        for event in view.events() {
            let number = self.active.begin_event(at, event.explicit_id);
            at += crate::format::length(event.bytes);
            let stream = event.stream.as_bytes();
            let added = self.active.add(KeyKind::Stream, stream, number);
            let revision = self.settle(added, stream);
            if revision != event.revision {
                let (position, stored) = (event.position, event.revision);
                return Err(format!(
                    "the event at position {position} has revision {stored}, and {revision} is due"
                ));
            }
            let category = event.stream.split_once('-').map_or(event.stream, |(category, _)| category);
            self.active.add(KeyKind::Category, category.as_bytes(), number);
            self.active.add(KeyKind::Type, event.event_type.as_bytes(), number);
            for tag in event.tags.clone() {
                self.active.add(KeyKind::Tag, tag.as_bytes(), number);
            }
        }
        let fields = if view.part.has_index_fields() {
            let fields = view.part.fields().map_err(|flaw| flaw.0)?;
            (fields.metadata.correlation, fields.tracking)
        } else {
            (None, None)
        };
        self.active.end_commit(fields.0, fields.1.as_ref(), self.published);
        self.ends_at(start + crate::format::length(view.header.length()));
        self.keep(view.sequence());
        Ok(())
    }

    /// The revision of the event that was added last to a stream.
    fn settle(&mut self, added: keys::Added, stream: &[u8]) -> Revision {
        let before = if added.is_new {
            let before = count_in(&self.parts, &Probe::new(self.seed, KeyKind::Stream, stream));
            if before > 0 {
                self.active.keys.set_before(added.entry, before);
            }
            before
        } else {
            self.active.keys.before(added.entry)
        };
        Revision::new(u64::from(before) + u64::from(added.count) - 1)
    }

    fn ends_at(&mut self, end: u32) {
        self.segments.last_mut().expect("a commit is added to a segment").end = end;
    }

    /// What was added up to now is stored and published: it is not rolled back any more.
    pub(crate) fn keep(&mut self, published: Sequence) {
        self.published = published;
    }

    /// Drops every commit after `sequence`, the last one kept.
    pub(crate) fn rollback(&mut self, sequence: Sequence) {
        let kept = sequence.next().get().saturating_sub(self.active.base_sequence);
        if let Some(frame) = self.active.rollback(narrow(kept)) {
            self.ends_at(frame);
        }
    }

    /// The last revision of `stream` when the head stood at `at`.
    pub(crate) fn revision(&self, stream: &StreamName, at: Position) -> Option<Revision> {
        let probe = self.probe(KeyKind::Stream, stream.as_str().as_bytes());
        for part in self.newest_first().filter(|part| part.base_position() <= at.get()) {
            if let Some((before, list)) = part.find(&probe) {
                let reached = u32::try_from(at.get() + 1 - part.base_position()).unwrap_or(u32::MAX);
                let count = u64::from(before) + list.below(reached) as u64;
                return count.checked_sub(1).map(Revision::new);
            }
        }
        None
    }

    /// How far `source` had come, and by which commit, when the head stood at `at`, which was published last
    /// or is later.
    pub(crate) fn progress(&self, source: &Source, at: Sequence) -> Option<(u64, Sequence)> {
        let steps = self.active.sources.get(source)?;
        let count = steps.partition_point(|step| step.sequence <= at);
        steps[..count].last().map(|step| (step.progress, step.sequence))
    }

    fn probe<'a>(&self, kind: KeyKind, key: &'a [u8]) -> Probe<'a> {
        Probe::new(self.seed, kind, key)
    }

    fn oldest_first(&self) -> impl DoubleEndedIterator<Item = PartRef<'_>> {
        self.parts.iter().map(Part::get).chain([PartRef::Memory(&self.active)])
    }

    fn newest_first(&self) -> impl Iterator<Item = PartRef<'_>> {
        self.oldest_first().rev()
    }

    /// The part that begins last among those which begin up to here.
    fn part_by(&self, begins_up_to: impl Fn(PartRef<'_>) -> bool) -> PartRef<'_> {
        if begins_up_to(PartRef::Memory(&self.active)) {
            return PartRef::Memory(&self.active);
        }
        let count = self.parts.partition_point(|part| begins_up_to(part.get()));
        count.checked_sub(1).map_or(PartRef::Memory(&self.active), |last| self.parts[last].get())
    }

    /// Where each of these events stands, in their order.
    pub(crate) fn locate_all(&self, positions: &[Position], mut located: impl FnMut(EventLocation)) {
        positions.iter().take(PREFETCH_PLACES).for_each(|position| self.prefetch(*position));
        for (number, position) in positions.iter().enumerate() {
            positions.get(number + PREFETCH_PLACES).into_iter().for_each(|ahead| self.prefetch(*ahead));
            located(self.locate(*position));
        }
    }

    /// Has what [`Self::locate`] looks at fetched into the processor's caches.
    fn prefetch(&self, position: Position) {
        let part = self.part_by(|part| part.base_position() <= position.get());
        part.prefetch_event(narrow(position.get().saturating_sub(part.base_position())));
    }

    /// Where the event at `position` stands.
    pub(crate) fn locate(&self, position: Position) -> EventLocation {
        let part = self.part_by(|part| part.base_position() <= position.get());
        let event = narrow(position.get().saturating_sub(part.base_position()));
        let number = part.commit_of(event);
        let Location { segment, bytes } = self.locate_in(part, number);
        let events = part.events_of(number);
        // An index file that is damaged may say anything: what it leads to is read, and does not verify.
        let within = |at: Option<u32>| at.unwrap_or(bytes.end).clamp(bytes.start, bytes.end);
        let start = within(part.event(event));
        let is_last = event.checked_add(1).is_none_or(|next| next >= events.end);
        let end = if is_last { bytes.end } else { within(part.event(event + 1)) };
        EventLocation { position, sequence: part.sequence(number), segment, event: start..end.max(start) }
    }

    /// Where the header and the commit part stand of the frame that an event is in.
    pub(crate) fn locate_head(&self, sequence: Sequence) -> Range<u32> {
        let part = self.part_by(|part| part.base_sequence() <= sequence.get());
        let commit = narrow(sequence.get().saturating_sub(part.base_sequence()));
        let bytes = self.locate_in(part, commit).bytes;
        let first = part.event(part.events_of(commit).start).unwrap_or(bytes.end);
        bytes.start..first.clamp(bytes.start, bytes.end)
    }

    /// Where the frame of a commit stands.
    pub(crate) fn locate_commit(&self, sequence: Sequence) -> Location {
        let part = self.part_by(|part| part.base_sequence() <= sequence.get());
        self.locate_in(part, narrow(sequence.get().saturating_sub(part.base_sequence())))
    }

    fn locate_in(&self, part: PartRef<'_>, commit: u32) -> Location {
        let sequence = part.sequence(commit);
        let begins_up_to = |entry: &SegmentEntry| entry.segment.header.base_sequence <= sequence;
        let segment = self.segments.partition_point(begins_up_to).saturating_sub(1);
        let next = self.segments.get(segment + 1).map(|next| next.segment.header.base_sequence);
        let after = commit.checked_add(1).and_then(|after| part.commit(after));
        let last = self.segments[segment].end;
        let end = after.filter(|_| next != Some(sequence.next())).map_or(last, |after| after.frame.min(last));
        let start = part.commit(commit).map_or(end, |commit| commit.frame.min(end));
        Location { segment, bytes: start..end }
    }
}

/// How many events a stream has in these parts.
fn count_in(parts: &[Part], stream: &Probe<'_>) -> u32 {
    let found = parts.iter().rev().find_map(|part| part.get().find(stream));
    found.map_or(0, |(before, list)| before.saturating_add(number(list.len())))
}

/// An event or a commit, numbered from 0. The writer refuses what would go beyond `LOG_EVENTS_MAX`.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a log holds fewer than 2^32 events and commits")
}

/// A place within a segment, or a number. Both fit: `SEGMENT_BYTES_MAX`, `LOG_EVENTS_MAX`.
fn narrow(value: u64) -> u32 {
    u32::try_from(value).expect("places in a segment and numbers of events fit 32 bits")
}
