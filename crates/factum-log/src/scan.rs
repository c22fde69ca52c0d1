//! Walks a whole log and says where it ends and why. Recovery, inspection and verification all see the log
//! through this. Never repairs: only `recovery` changes a file.
//!
//! The rule: a commit is known to be acknowledged if the watermark names it or a later one, or if a later
//! frame was written when it was already durable (`synced_up_to`). A flaw at or before such a commit is
//! damage. A flaw after all of them, in the last segment, is a torn tail.

use crate::{
    error::Damage,
    format::{
        FOOTER_BYTES, FOOTER_MAGIC, Flaw, Footer, SEGMENT_HEADER_BYTES, WATERMARK_FILE, parse_segment_name,
        segment_name,
    },
    frames::{Frames, Step, find_header},
    limits::SCAN_BYTES,
    seal::footer,
    segment::Segment,
    storage::{OpenMode, Storage, StorageFile, of_file, read_full},
    view::CommitView,
    watermark::WatermarkState,
};
use factum_event::{LogIdentity, Position, Sequence, Timestamp};
use std::io;

/// Takes what a scan finds, in order.
pub(crate) trait Visitor {
    /// What follows stands in `segment`. Whether its frames need not be read, given how a sealed one ends.
    fn segment(&mut self, segment: &Segment, footer: Option<&Footer>) -> bool;

    /// A whole commit, which stands at `offset`. What is wrong with it beyond its checksums, if anything.
    fn commit(&mut self, view: &CommitView<'_>, offset: u64) -> Result<(), String>;
}

/// What is to be scanned.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) storage: &'a dyn Storage,
    pub(crate) identity: LogIdentity,
    /// Read before the scan began, so that all it names is there.
    pub(crate) watermark: WatermarkState,
    pub(crate) mode: OpenMode,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// The segments, and where the last frame of each ends.
    pub(crate) segments: Vec<(Segment, u64)>,
    /// How each segment ends that is sealed.
    pub(crate) footers: Vec<Option<Footer>>,
    pub(crate) position: Position,
    pub(crate) sequence: Sequence,
    pub(crate) recorded_at: Timestamp,
    pub(crate) tail: Tail,
}

/// How a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    Clean,
    /// Bytes after the last frame that were never acknowledged.
    Torn {
        segment: String,
        offset: u64,
        bytes: u64,
    },
    /// The last segment was being made, and holds nothing.
    TornSegment {
        segment: String,
    },
    Damaged(Damage),
}

struct State {
    found: Scanned,
    /// The last commit that the watermark knows to be acknowledged. What frames say of those before them adds
    /// nothing here, for those have been read; beyond a flaw it is looked for.
    acknowledged: Sequence,
    /// Why the watermark cannot tell, if it cannot.
    mute: Option<String>,
}

impl Scan<'_> {
    /// Scans all segments in order, as far as the log is whole.
    pub(crate) fn run(&self, visitor: &mut dyn Visitor) -> io::Result<Scanned> {
        let acknowledged = match self.watermark {
            WatermarkState::Known(record) if record.identity == self.identity => record.sequence,
            _ => Sequence::START,
        };
        let found = Scanned {
            segments: Vec::new(),
            footers: Vec::new(),
            position: Position::START,
            sequence: Sequence::START,
            recorded_at: Timestamp::from_micros(i64::MIN),
            tail: Tail::Clean,
        };
        let mut state = State { found, acknowledged, mute: self.mute() };
        let names = segment_names(self.storage)?;
        let ended = ended(self.storage, &names, self.mode)?;
        for (index, name) in names.iter().enumerate() {
            let next = names.get(index + 1).and_then(|next| parse_segment_name(next)).map(Sequence::new);
            state.found.tail = self.segment(&mut state, name, next, index < ended, visitor)?;
            if state.found.tail != Tail::Clean {
                return Ok(state.found);
            }
        }
        if state.found.sequence < state.acknowledged {
            state.found.tail = Tail::Damaged(state.ends_early());
        }
        let head = |reason| Tail::Damaged(Damage { segment: WATERMARK_FILE.to_owned(), offset: 0, reason });
        match (self.watermark, state.mute) {
            (WatermarkState::Foreign(_), Some(reason)) => state.found.tail = head(reason),
            (WatermarkState::Lost, Some(reason)) if state.found.segments.is_empty() => {
                // No crash leaves this, for it is made before `meta`.
                state.found.tail = head(format!("{reason}, and so is every segment"));
            }
            _ => {}
        }
        Ok(state.found)
    }

    fn mute(&self) -> Option<String> {
        match self.watermark {
            WatermarkState::Known(_) => None,
            WatermarkState::Lost => Some(format!("{WATERMARK_FILE} is lost")),
            WatermarkState::Foreign(other) => Some(format!(
                "{WATERMARK_FILE} is that of log {}, generation {}, and this is log {}: put its own back",
                other.log, other.generation, self.identity.log
            )),
        }
    }

    fn segment(
        &self,
        state: &mut State,
        name: &str,
        next: Option<Sequence>,
        has_ended: bool,
        visitor: &mut dyn Visitor,
    ) -> io::Result<Tail> {
        let is_last = next.is_none();
        let damaged =
            |reason: String| Ok(Tail::Damaged(Damage { segment: name.to_owned(), offset: 0, reason }));
        let due = segment_name(state.found.sequence.next().get());
        if name != due {
            let reason = format!("the segment is not there, or the one before it is cut off; {name} follows");
            return Ok(Tail::Damaged(Damage { segment: due, offset: 0, reason }));
        }
        let segment = match Segment::open(self.storage, name, self.mode)? {
            Ok(segment) => segment,
            Err(_) if is_last && state.found.sequence >= state.acknowledged && state.mute.is_none() => {
                return Ok(Tail::TornSegment { segment: name.to_owned() });
            }
            Err(Flaw(reason)) => return damaged(reason),
        };
        if let Some(reason) = self.misplaced(state, &segment) {
            return damaged(reason);
        }
        // The last segment is read whatever it ends with: it may be written to again.
        let footer = footer(&segment)?;
        let is_skipped = visitor.segment(&segment, footer.as_ref().filter(|_| has_ended));
        state.found.segments.push((segment.clone(), SEGMENT_HEADER_BYTES as u64));
        state.found.footers.push(footer);
        if let Some(footer) = footer.filter(|_| is_skipped) {
            state.skip(&footer);
            return Ok(Tail::Clean);
        }
        self.frames(state, &segment, next, visitor).map_err(of_file(name))
    }

    fn misplaced(&self, state: &State, segment: &Segment) -> Option<String> {
        let header = &segment.header;
        if header.identity.log != self.identity.log || header.identity.generation > self.identity.generation {
            let (log, generation) = (header.identity.log, header.identity.generation);
            return Some(format!("it belongs to log {log}, generation {generation}"));
        }
        let due =
            (state.found.segments.len() as u64 + 1, state.found.position.next(), state.found.sequence.next());
        let actual = (u64::from(header.ordinal), header.base_position, header.base_sequence);
        (actual != due).then(|| {
            format!(
                "it is segment {} from position {} and commit {}; due is segment {} from position {} and commit {}",
                actual.0, actual.1, actual.2, due.0, due.1, due.2
            )
        })
    }

    fn frames(
        &self,
        state: &mut State,
        segment: &Segment,
        next: Option<Sequence>,
        visitor: &mut dyn Visitor,
    ) -> io::Result<Tail> {
        let start = SEGMENT_HEADER_BYTES as u64;
        let mut frames = Frames::new(&*segment.file, segment.header.salt, start, u64::MAX)?;
        let mut reread = None;
        loop {
            if next == Some(state.found.sequence.next()) {
                // What follows is a footer, or one that was begun and is made anew.
                return Ok(Tail::Clean);
            }
            let flaw = match frames.step()? {
                Step::End => return Ok(Tail::Clean),
                Step::Flawed(flaw) => flaw,
                Step::Commit { offset, view } => match state.follows(segment, &view) {
                    Some(flaw) => flaw,
                    None => match visitor.commit(&view, offset) {
                        Ok(()) => {
                            state.take(&view);
                            let end = frames.at();
                            state.found.segments.last_mut().expect("frames stand in a segment").1 = end;
                            continue;
                        }
                        Err(reason) => return Ok(state.damaged(segment, reason)),
                    },
                },
            };
            let tail = state.judge(segment, flaw, next.is_none())?;
            // A writer beside us may have completed the frame since it was read.
            let at = state.end();
            if matches!(tail, Tail::Damaged(_)) && reread != Some(at) {
                reread = Some(at);
                frames = Frames::new(&*segment.file, segment.header.salt, at, u64::MAX)?;
                continue;
            }
            return Ok(tail);
        }
    }
}

/// How many bytes stand from `at` on, up to the last that is not zero: what comes after is room.
fn written_from(file: &dyn StorageFile, at: u64) -> io::Result<u64> {
    let (mut buffer, mut next, mut end) = (vec![0; SCAN_BYTES], at, at);
    loop {
        let read = read_full(file, &mut buffer, next)?;
        if let Some(last) = buffer[..read].iter().rposition(|byte| *byte != 0) {
            end = next + last as u64 + 1;
        }
        next += read as u64;
        if read < buffer.len() {
            return Ok(end - at);
        }
    }
}

/// Whether nothing but zeros stands from `at` on: room that the writer made ahead.
fn is_zero_from(file: &dyn StorageFile, mut at: u64) -> io::Result<bool> {
    let mut buffer = vec![0; SCAN_BYTES];
    loop {
        let read = read_full(file, &mut buffer, at)?;
        if buffer[..read].iter().fold(0, |any, byte| any | byte) != 0 {
            return Ok(false);
        }
        if read < buffer.len() {
            return Ok(true);
        }
        at += read as u64;
    }
}

impl State {
    /// Why a commit is not the one that is due.
    fn follows(&self, segment: &Segment, view: &CommitView<'_>) -> Option<Flaw> {
        let header = &view.header;
        let due = (segment.header.ordinal, self.found.sequence.next(), self.found.position.next());
        let actual = (header.segment, header.sequence, header.base_position);
        if actual != due {
            return Some(Flaw(format!(
                "the frame is of segment {}, commit {}, position {}; due is segment {}, commit {}, position {}",
                actual.0, actual.1, actual.2, due.0, due.1, due.2
            )));
        }
        (header.recorded_at < self.found.recorded_at)
            .then(|| Flaw("the frame was recorded before the one it follows".to_owned()))
    }

    fn take(&mut self, view: &CommitView<'_>) {
        self.found.sequence = view.sequence();
        self.found.position = view.last_position();
        self.found.recorded_at = view.recorded_at();
    }

    /// Takes a sealed segment for what its footer says.
    fn skip(&mut self, footer: &Footer) {
        self.found.sequence = footer.sequence;
        self.found.position = footer.position;
        self.found.recorded_at = footer.recorded_at;
        self.found.segments.last_mut().expect("a footer stands in a segment").1 = footer.end;
    }

    /// Where the last whole frame ends in its segment.
    fn end(&self) -> u64 {
        self.found.segments.last().map_or(0, |(_, end)| *end)
    }

    fn judge(&self, segment: &Segment, Flaw(reason): Flaw, is_last: bool) -> io::Result<Tail> {
        let last = self.found.sequence;
        if !is_last || last < self.acknowledged {
            return Ok(self.damaged(segment, reason));
        }
        if is_clean_end(segment, self.end())? {
            return Ok(Tail::Clean);
        }
        if let Some(mute) = &self.mute {
            let reason =
                format!("{reason}, and what would tell whether this was acknowledged cannot: {mute}");
            return Ok(self.damaged(segment, reason));
        }
        let offset = self.end();
        let ordinal = segment.header.ordinal;
        let proves = |header: &crate::format::FrameHeader| {
            header.segment == ordinal && header.synced_up_to > last && header.sequence > header.synced_up_to
        };
        if let Some(later) = find_header(&*segment.file, segment.header.salt, offset, proves)? {
            let reason =
                format!("{reason}; the frame at byte {later} was written after this one was acknowledged");
            return Ok(self.damaged(segment, reason));
        }
        let bytes = written_from(&*segment.file, offset)?;
        Ok(Tail::Torn { segment: segment.name.to_string(), offset, bytes })
    }

    fn damaged(&self, segment: &Segment, reason: String) -> Tail {
        Tail::Damaged(Damage { segment: segment.name.to_string(), offset: self.end(), reason })
    }

    fn ends_early(&self) -> Damage {
        let segment = match self.found.segments.last() {
            Some((segment, _)) => segment.name.to_string(),
            None => segment_name(1),
        };
        let (acknowledged, last) = (self.acknowledged, self.found.sequence);
        let reason = format!("the log ends at commit {last}, and commit {acknowledged} was acknowledged");
        Damage { segment, offset: self.end(), reason }
    }
}

/// Whether all that stands after the last frame is room that was made ahead, or a footer that was begun.
pub(crate) fn is_clean_end(segment: &Segment, end: u64) -> io::Result<bool> {
    let mut bytes = [0; FOOTER_BYTES + 1];
    let read = read_full(&*segment.file, &mut bytes, end)?;
    let is_begun = bytes[..read].starts_with(&FOOTER_MAGIC) && read <= FOOTER_BYTES;
    Ok(is_begun || is_zero_from(&*segment.file, end)?)
}

/// The names of the segments, in order.
pub(crate) fn segment_names(storage: &dyn Storage) -> io::Result<Vec<String>> {
    let mut names = storage.list()?;
    names.retain(|name| parse_segment_name(name).is_some());
    names.sort_unstable();
    Ok(names)
}

/// How many of the segments have ended: one follows that is more than a beginning.
pub(crate) fn ended(storage: &dyn Storage, names: &[String], mode: OpenMode) -> io::Result<usize> {
    let Some(last) = names.last() else { return Ok(0) };
    let is_whole = Segment::open(storage, last, mode)?.is_ok();
    Ok(names.len().saturating_sub(if is_whole { 1 } else { 2 }))
}
