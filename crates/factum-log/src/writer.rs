//! Writes groups of commits: judges each against the index, which already holds the earlier ones of its
//! group, then writes all, syncs once, publishes the head.
//!
//! Owns the end of the log. Never answers before the sync; never syncs again after a sync failed; answers no
//! commit whose file or directory was taken away.

use crate::{
    ahead::{block_left, extend},
    encode::{Place, Prepared},
    engine::Engine,
    error::is_no_room,
    format::{NEXT_SEGMENT_FILE, SEGMENT_HEADER_BYTES, SegmentHeader, WatermarkRecord},
    index::Index,
    limits::{LOG_COMMITS_MAX, LOG_EVENTS_MAX},
    queue::Request,
    segment::Segment,
    storage::StorageLock,
    watermark::Watermark,
};
use factum_event::{Position, Sequence, Timestamp};
use factum_store::{AppendError, ErrorKind, GroupMeasure, Head, StoreError, Stored, Verdict};
use std::{io, mem, sync::Weak};

/// The end of the log. What is staged but not yet published is in `group`.
#[derive(Debug)]
pub(crate) struct Writer {
    /// None until the first commit of an empty log.
    pub(crate) segment: Option<Segment>,
    /// Where the last published frame ends in it.
    pub(crate) end: u64,
    /// From there on it holds zeros up to here.
    pub(crate) room: u64,
    pub(crate) head: Head,
    pub(crate) recorded_at: Timestamp,
    pub(crate) watermark: Watermark,
    /// The watermark found no room at the last commit: it is written before anything else is.
    pub(crate) lags: bool,
    /// The next segment could not be made. What is left of it has the name of the next commit, which must
    /// come to stand there and nowhere else.
    pub(crate) rolling: bool,
    /// Of the directory; the open log holds it.
    pub(crate) lock: Weak<dyn StorageLock>,
    /// Why nothing is written until the log is opened again.
    pub(crate) failed: Option<String>,
    pub(crate) group: Group,
}

/// Commits staged to be written with one sync.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Frames end to end, to be written at [`Writer::end`].
    bytes: Vec<u8>,
    position: Position,
    sequence: Sequence,
    recorded_at: Timestamp,
    /// Which verdicts hang on it: stored ones, and refusals that may rest on a commit of this group.
    stored: Vec<Slot>,
    refused: Vec<Slot>,
}

/// A verdict: of which request, and which of its commits.
type Slot = (usize, usize);

/// What becomes of the verdicts of a group that was not stored.
struct Failure {
    stored: AppendError,
    refused: AppendError,
}

impl Engine {
    /// Judges and stores the commits of some requests, in order. Each request gets its verdicts, all final.
    pub(crate) fn write(&self, writer: &mut Writer, requests: &mut [Request]) {
        let mut verdicts: Vec<_> = requests.iter_mut().map(|asked| mem::take(&mut asked.verdicts)).collect();
        self.begin(writer);
        for (request, asked) in requests.iter_mut().enumerate() {
            for (commit, prepared) in asked.commits.iter_mut().enumerate() {
                let is_full = writer.group.stored.len() >= self.options.group_commits
                    || writer.group.bytes.len() >= self.options.group_bytes;
                if is_full {
                    self.flush(writer, &mut verdicts);
                }
                let verdict = match prepared {
                    Ok(prepared) => self.stage(writer, prepared, &mut verdicts),
                    Err(error) => Err(error.clone()),
                };
                match &verdict {
                    Ok(_) => writer.group.stored.push((request, commit)),
                    Err(_) if !writer.group.stored.is_empty() => writer.group.refused.push((request, commit)),
                    Err(_) => {}
                }
                verdicts[request].push(verdict);
            }
        }
        self.flush(writer, &mut verdicts);
        requests.iter_mut().zip(verdicts).for_each(|(asked, verdicts)| asked.verdicts = verdicts);
    }

    fn begin(&self, writer: &mut Writer) {
        let Writer { head, recorded_at, group, .. } = writer;
        group.bytes.clear();
        group.stored.clear();
        group.refused.clear();
        (group.position, group.sequence, group.recorded_at) = (head.position, head.sequence, *recorded_at);
        self.index_mut().keep(head.sequence);
    }

    fn stage(&self, writer: &mut Writer, commit: &mut Prepared, verdicts: &mut [Vec<Verdict>]) -> Verdict {
        let now = self.options.clock.now();
        writer.usable()?;
        self.catch_up(writer)?;
        let is_full = {
            let index = self.index();
            judge(&index, commit)?;
            index.is_full()
        };
        if writer.is_full(commit.frame.len(), self.options.segment_bytes, is_full) {
            self.flush(writer, verdicts);
            writer.usable()?;
            self.catch_up(writer)?;
            // If that group was not stored, what the first judgement rested on is gone.
            judge(&self.index(), commit)?;
            // A group that found no room leaves its segment as it was: an empty one takes this commit.
            let is_full = self.index().is_full();
            if writer.is_full(commit.frame.len(), self.options.segment_bytes, is_full) {
                self.roll(writer).map_err(AppendError::Store)?;
            }
        }
        let Writer { segment, group, end, head, .. } = writer;
        let segment = segment.as_ref().expect("a log that is not full has a segment");
        let place = Place {
            segment: segment.header.ordinal,
            salt: segment.header.salt,
            synced_up_to: head.sequence,
            sequence: group.sequence.next(),
            base_position: group.position.next(),
            recorded_at: now.max(group.recorded_at),
        };
        self.index_mut().add(commit, *end + group.bytes.len() as u64);
        commit.place(&place);
        let events = commit.events.len() as u64;
        let first = if events == 0 { group.position } else { place.base_position };
        group.position = Position::new(group.position.get() + events);
        group.sequence = place.sequence;
        group.recorded_at = place.recorded_at;
        if group.bytes.is_empty() && group.bytes.capacity() < commit.frame.len() {
            group.bytes = mem::take(&mut commit.frame);
        } else {
            group.bytes.extend_from_slice(&commit.frame);
        }
        let revisions = mem::take(&mut commit.revisions);
        Ok(Stored { sequence: place.sequence, recorded_at: place.recorded_at, first, revisions })
    }

    /// Writes and publishes the group; what hangs on it is answered by what became of it.
    fn flush(&self, writer: &mut Writer, verdicts: &mut [Vec<Verdict>]) {
        if writer.group.stored.is_empty() {
            return;
        }
        if let Err(failure) = self.commit(writer) {
            let Group { stored, refused, .. } = &writer.group;
            stored.iter().for_each(|(r, c)| verdicts[*r][*c] = Err(failure.stored.clone()));
            refused.iter().for_each(|(r, c)| verdicts[*r][*c] = Err(failure.refused.clone()));
        }
        self.begin(writer);
    }

    fn commit(&self, writer: &mut Writer) -> Result<(), Box<Failure>> {
        let segment = writer.segment.as_ref().expect("a staged group has a segment").clone();
        let begun = self.options.stopwatch();
        let frames = writer.group.bytes.len();
        let end = writer.end + frames as u64;
        // Up to the end of a block of zeros, or the system reads it first to fill in what is not written.
        writer.group.bytes.resize(frames + block_left(end, writer.room), 0);
        let wrote = segment.file.write_at(&writer.group.bytes, writer.end);
        writer.group.bytes.truncate(frames);
        if let Err(error) = wrote {
            return Err(self.unwritten(writer, &segment, &error));
        }
        if end > writer.room && self.options.room_ahead {
            writer.room = extend(&segment, end, writer.group.bytes.len(), self.options.segment_bytes);
        }
        let written = self.options.stopwatch();
        if let Err(error) = segment.file.sync() {
            return Err(writer.fail(format!("cannot sync segment {}: {error}", segment.name)));
        }
        if let (Some(observer), Some(begun), Some(written)) = (&self.options.observer, begun, written) {
            observer.group(&GroupMeasure {
                commits: writer.group.stored.len(),
                bytes: writer.group.bytes.len(),
                wrote: written.saturating_sub(begun),
                synced: observer.elapsed().saturating_sub(written),
            });
        }
        if let Err(what) = writer.in_place() {
            return Err(writer.fail(what));
        }
        writer.end = end;
        if let Some(ahead) = &self.ahead {
            ahead.reached(end);
        }
        let Group { position, sequence, recorded_at, .. } = writer.group;
        writer.head = Head { position, sequence };
        writer.recorded_at = recorded_at;
        writer.lags = true;
        // The group is stored and may be acknowledged; the next one could not be told from a torn tail, and is
        // refused.
        let _ = self.catch_up(writer);
        self.watch.publish(writer.head);
        Ok(())
    }

    /// Writes the watermark if it lags. With no room for it nothing more is stored, and the log goes on once
    /// there is.
    fn catch_up(&self, writer: &mut Writer) -> Result<(), AppendError> {
        if !writer.lags {
            return Ok(());
        }
        let record = writer.record(self.identity);
        match writer.watermark.write(&record) {
            Ok(()) => {
                writer.lags = false;
                Ok(())
            }
            Err(error) if is_no_room(&error) => {
                Err(AppendError::Store(no_room(&format!("cannot write the watermark: {error}"))))
            }
            Err(error) => {
                writer.failed = Some(format!("cannot write the watermark: {error}"));
                writer.usable()
            }
        }
    }

    /// A write failed. With no room left nothing of the group is kept, and the log goes on.
    fn unwritten(&self, writer: &mut Writer, segment: &Segment, error: &io::Error) -> Box<Failure> {
        let what = format!("cannot write segment {}: {error}", segment.name);
        if !is_no_room(error) {
            return writer.fail(what);
        }
        if let Err(error) = segment.file.set_len(writer.end).and_then(|()| segment.file.sync()) {
            return writer.fail(format!("{what}; then cannot cut it back: {error}"));
        }
        writer.room = writer.end;
        self.index_mut().rollback(writer.head.sequence);
        let refused = AppendError::Store(no_room(&what));
        Box::new(Failure { stored: refused.clone(), refused })
    }

    /// Ends the segment and begins the next one. Nothing is staged.
    fn roll(&self, writer: &mut Writer) -> Result<(), StoreError> {
        // The next segment is made by name, and must not get into a directory that came in place of this one.
        if let Err(what) = writer.in_place() {
            writer.failed = Some(what.clone());
            return Err(reopen(&what));
        }
        if let Some(segment) = &writer.segment
            && let Err(error) = writer.end_segment(segment)
        {
            let what = format!("cannot end segment {}: {error}", segment.name);
            writer.failed = Some(what.clone());
            return Err(reopen(&what));
        }
        let header = SegmentHeader {
            identity: self.identity,
            ordinal: writer.segment.as_ref().map_or(1, |segment| segment.header.ordinal + 1),
            base_position: writer.head.position.next(),
            base_sequence: writer.head.sequence.next(),
            salt: u32::from_le_bytes(self.options.random()),
        };
        writer.rolling = true;
        let filled = self.ahead.as_ref().filter(|ahead| ahead.take());
        let filled = filled.and_then(|_| {
            // What cannot be taken over is left out: the segment grows then.
            Segment::take_over(&*self.storage, NEXT_SEGMENT_FILE, header).ok()
        });
        let room = if filled.is_some() { self.options.segment_bytes } else { 0 };
        let segment =
            filled.map_or_else(|| Segment::create(&*self.storage, header), Ok).map_err(|error| {
                let what = format!("cannot begin a segment in {}: {error}", self.storage.describe());
                if is_no_room(&error) { no_room(&what) } else { StoreError::new(ErrorKind::Retry, what) }
            })?;
        writer.rolling = false;
        self.index_mut().begin_segment(segment.clone());
        writer.segment = Some(segment);
        (writer.end, writer.room) = (SEGMENT_HEADER_BYTES as u64, room);
        self.segment_ended();
        Ok(())
    }
}

impl Writer {
    /// Whether the next frame goes to the next segment, also because the index of this one `is_full`.
    fn is_full(&self, frame: usize, segment_bytes: u64, is_full: bool) -> bool {
        let at = self.end + self.group.bytes.len() as u64;
        let is_empty = at == SEGMENT_HEADER_BYTES as u64;
        self.segment.is_none()
            || self.rolling
            || (!is_empty && (is_full || at + frame as u64 > segment_bytes))
    }

    /// Makes the segment and what the watermark says of it durable, and gives back the room after it.
    pub(crate) fn end_segment(&self, segment: &Segment) -> io::Result<()> {
        if self.room > self.end {
            segment.file.set_len(self.end)?;
        }
        segment.file.sync()?;
        self.watermark.sync()
    }

    pub(crate) fn record(&self, identity: factum_event::LogIdentity) -> WatermarkRecord {
        let segment = self.segment.as_ref().map_or(0, |segment| segment.header.ordinal);
        let Head { position, sequence } = self.head;
        WatermarkRecord { identity, segment, sequence, position, end: self.end }
    }

    fn usable(&self) -> Result<(), AppendError> {
        self.failed.as_ref().map_or(Ok(()), |what| Err(AppendError::Store(reopen(what))))
    }

    /// Whether what is written here will be found again: nobody removed, moved or replaced the directory or
    /// the segment. Costs two looks at open files and one at a name, which a sync dwarfs.
    fn in_place(&self) -> Result<(), String> {
        let seen = |what: &str, seen: io::Result<bool>| match seen {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{what} was removed, moved or replaced while the log was open")),
            Err(error) => Err(format!("cannot tell whether {what} is still there: {error}")),
        };
        seen("its directory", self.lock.upgrade().map_or(Ok(false), |lock| lock.is_in_place()))?;
        self.segment
            .as_ref()
            .map_or(Ok(()), |segment| seen(&format!("segment {}", segment.name), segment.file.is_linked()))
    }

    /// Nothing is written any more. What was written may or may not survive.
    fn fail(&mut self, what: String) -> Box<Failure> {
        let stored = AppendError::Unknown { cause: what.clone() };
        let refused = AppendError::Store(reopen(&what));
        self.failed = Some(what);
        Box::new(Failure { stored, refused })
    }
}

/// Whether the commit may be stored, on what the index holds. The order of the checks is that of
/// `MemoryStore`; the shape of the commit and the names of its condition were checked before.
fn judge(index: &Index, commit: &Prepared) -> Result<(), AppendError> {
    let knows_family = index.knows_family(commit.command);
    if knows_family && let Some(sequence) = index.decided(commit.command) {
        return Err(AppendError::AlreadyDecided { command: commit.command, sequence });
    }
    let (head, last) = index.last();
    if let Some(tracking) = &commit.condition.tracking
        && let Some((reached, sequence)) = index.progress(&tracking.source, last)
        && tracking.progress <= reached
    {
        return Err(AppendError::AlreadyApplied { tracking: tracking.clone(), reached, sequence });
    }
    if let Some(query) = &commit.condition.absent
        && let Some(position) = index.select(query, Position::START, head, false).next()
    {
        return Err(AppendError::AlreadyExists { position });
    }
    for (stream, expected) in &commit.condition.streams {
        let actual = index.revision(stream, head);
        if !expected.holds(actual) {
            let (stream, expected) = (stream.clone(), *expected);
            return Err(AppendError::WrongRevision { stream, expected, actual });
        }
    }
    if let Some((query, read_up_to)) = &commit.condition.fresh
        && let Some(position) = index.select(query, *read_up_to, head, true).next()
    {
        return Err(AppendError::Stale { position });
    }
    if let Some((id, position)) = index.taken(commit, knows_family) {
        return Err(AppendError::EventExists { id, position });
    }
    room_for(head, last, commit)
}

fn room_for(head: Position, last: Sequence, commit: &Prepared) -> Result<(), AppendError> {
    if head.get() + commit.events.len() as u64 <= LOG_EVENTS_MAX && last.get() < LOG_COMMITS_MAX {
        return Ok(());
    }
    let what = format!("cannot append: a log holds at most {LOG_EVENTS_MAX} events; begin another one");
    Err(AppendError::Store(StoreError::new(ErrorKind::FixInput, what)))
}

fn no_room(what: &str) -> StoreError {
    StoreError::new(
        ErrorKind::Retry,
        format!("{what}: the disk is full, nothing was stored; make room and try again"),
    )
}

fn reopen(what: &str) -> StoreError {
    StoreError::new(
        ErrorKind::Reopen,
        format!("cannot append, for the log failed before: {what}. Open it again"),
    )
}
