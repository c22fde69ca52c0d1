//! Reads committed events and commits. Never sees beyond the published head, verifies every checksum it
//! passes, never repairs.

use crate::{
    decode,
    engine::Engine,
    error::{Damage, damaged_read, failed_read},
    format::{
        CommitPart, EventView, FRAME_HEADER_BYTES, Flaw, FrameHeader, Record, SEGMENT_HEADER_BYTES, record_at,
    },
    frames::{Frames, Step},
    index::{EventLocation, Index, Location},
    segment::Segment,
    view::{CommitView, commit_at},
    window::{Need, Window},
};
use factum_event::{Commit, CommitHeader, EventId, Position, Query, RecordedEvent, Sequence};
use factum_store::{CommitPage, Head, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Page, ReadOptions, StoreError};
use std::{ops::ControlFlow, sync::Arc};

impl Engine {
    /// Runs `ask` on the index and the head that cuts it.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&Index, Head) -> T) -> T {
        let index = self.index();
        // Read under the lock, so that the index has forgotten nothing that this head may ask for.
        let head = self.watch.head();
        ask(&index, head)
    }

    pub(crate) fn read_page(&self, query: &Query, options: ReadOptions) -> Result<Page, StoreError> {
        let limit = options.limit.clamp(1, PAGE_EVENTS_MAX);
        let (head, found) = self.ask(|index, head| {
            let last = options.up_to.map_or(head.position, |up_to| up_to.min(head.position));
            let selected = index.select(query, options.after, last, options.backwards);
            (head.position, Found::of(index, selected.take(limit + 1)))
        });
        let mut reading = Reading::new(&found);
        let (mut events, mut bytes) = (Vec::with_capacity(found.events.len().min(limit)), 0);
        for location in &found.events {
            if events.len() == limit || bytes >= PAGE_BYTES_MAX {
                let next = events.last().map(|event| continue_at(event, options.backwards));
                return Ok(Page { events, head, next });
            }
            let event = reading.event(location)?;
            bytes += event.payload.len();
            events.push(event);
        }
        Ok(Page { events, head, next: None })
    }

    pub(crate) fn read_event(&self, id: EventId) -> Result<Option<RecordedEvent>, StoreError> {
        let found = self.ask(|index, head| {
            let position = index.event(id).filter(|position| *position <= head.position);
            Found::of(index, position.into_iter())
        });
        let mut reading = Reading::new(&found);
        found.events.first().map(|location| reading.event(location)).transpose()
    }

    /// The commits that `choose` names, at most `limit`; `next` if there are more.
    pub(crate) fn read_commits(
        &self,
        limit: usize,
        choose: impl for<'a> FnOnce(&'a Index, Head) -> Box<dyn Iterator<Item = Sequence> + 'a>,
    ) -> Result<CommitPage, StoreError> {
        let limit = limit.clamp(1, PAGE_EVENTS_MAX);
        let (found, segments) = self.ask(|index, head| {
            let visible = choose(index, head).take_while(|sequence| *sequence <= head.sequence);
            let found: Vec<_> = visible.take(limit + 1).map(|at| (at, index.locate_commit(at))).collect();
            let segments = Segments::of(index, found.iter().map(|(_, location)| location.segment));
            (found, segments)
        });
        let needs = found.iter().map(|(_, Location { segment, bytes })| Need::new(*segment, bytes)).collect();
        let (mut window, mut commits, mut read) = (Window::new(needs), Vec::new(), 0);
        for (sequence, Location { segment, bytes }) in &found {
            if commits.len() == limit || read >= PAGE_BYTES_MAX {
                let next = commits.last().map(|commit: &Commit| commit.header.sequence);
                return Ok(CommitPage { commits, next });
            }
            read += bytes.len();
            let segment_of = segments.get(*segment);
            let frame = window.get(segment_of)?;
            let commit = read_commit(frame, segment_of, *sequence);
            commits.push(commit.map_err(|flaw| damaged(segment_of, bytes.start, flaw))?);
        }
        Ok(CommitPage { commits, next: None })
    }

    /// Visits every commit after `after`, in order, up to the head.
    pub(crate) fn scan(
        &self,
        after: Sequence,
        visit: &mut dyn FnMut(&CommitView<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (head, parts) = self.ask(|index, head| (head, parts(index, after, head.sequence)));
        let mut due = after.next();
        for (segment, bytes) in parts {
            let failed = |error| failed_read(&segment.name, &error);
            let frames = Frames::new(&*segment.file, segment.header.salt, bytes.0, bytes.1);
            let mut frames = frames.map_err(failed)?;
            loop {
                let at = u32::try_from(frames.at()).unwrap_or(u32::MAX);
                match frames.step().map_err(failed)? {
                    Step::End => break,
                    Step::Flawed(flaw) => return Err(damaged(&segment, at, flaw)),
                    Step::Commit { view, .. } if view.sequence() != due => {
                        let flaw = Flaw(format!("commit {} stands where {due} is due", view.sequence()));
                        return Err(damaged(&segment, at, flaw));
                    }
                    Step::Commit { view, .. } => {
                        due = due.next();
                        if visit(&view).is_break() {
                            return Ok(());
                        }
                    }
                }
            }
        }
        if due <= head.sequence {
            return Err(damaged_read(&Damage {
                segment: crate::format::segment_name(due.get()),
                offset: 0,
                reason: format!("the log ends before commit {due}"),
            }));
        }
        Ok(())
    }
}

/// The parts of segments that hold the commits after `after`, up to `last`.
fn parts(index: &Index, after: Sequence, last: Sequence) -> Vec<(Segment, (u64, u64))> {
    if after >= last {
        return Vec::new();
    }
    let (from, to) = (index.locate_commit(after.next()), index.locate_commit(last));
    let part = |number: usize| {
        let start = if number == from.segment { from.bytes.start } else { first_frame() };
        let end = if number == to.segment { to.bytes.end } else { index.segment_end(number) };
        (index.segment(number).clone(), (u64::from(start), u64::from(end)))
    };
    (from.segment..=to.segment).map(part).collect()
}

fn first_frame() -> u32 {
    crate::format::length(SEGMENT_HEADER_BYTES)
}

/// Where a page that is full goes on.
fn continue_at(last: &RecordedEvent, backwards: bool) -> Position {
    if backwards { Position::new(last.position.get() - 1) } else { last.position }
}

fn damaged(segment: &Segment, offset: u32, Flaw(reason): Flaw) -> StoreError {
    damaged_read(&Damage { segment: segment.name.to_string(), offset: u64::from(offset), reason })
}

fn read_commit(frame: &[u8], segment: &Segment, sequence: Sequence) -> Result<Commit, Flaw> {
    match commit_at(frame, segment.header.salt)? {
        Some(view) if view.sequence() == sequence => decode::commit(&view),
        _ => Err(Flaw(format!("commit {sequence} is not there"))),
    }
}

/// The segments of a page.
#[derive(Debug)]
struct Segments(Vec<(usize, Segment)>);

impl Segments {
    fn of(index: &Index, numbers: impl Iterator<Item = usize>) -> Self {
        let mut segments: Vec<(usize, Segment)> = Vec::new();
        for number in numbers {
            if !segments.iter().any(|(known, _)| *known == number) {
                segments.push((number, index.segment(number).clone()));
            }
        }
        Self(segments)
    }

    fn get(&self, number: usize) -> &Segment {
        let found = self.0.iter().find(|(known, _)| *known == number);
        &found.expect("the segments of a page were taken with its places").1
    }
}

/// Events found, and the segments they stand in.
#[derive(Debug)]
struct Found {
    events: Vec<EventLocation>,
    segments: Segments,
}

impl Found {
    fn of(index: &Index, positions: impl Iterator<Item = Position>) -> Self {
        let events: Vec<_> = positions.map(|position| index.locate(position)).collect();
        let segments = Segments::of(index, events.iter().map(|event| event.segment));
        Self { events, segments }
    }
}

/// Reads the events of a page in their order.
#[derive(Debug)]
struct Reading<'a> {
    segments: &'a Segments,
    window: Window,
    commit: Option<(Arc<CommitHeader>, Position)>,
}

impl<'a> Reading<'a> {
    fn new(found: &'a Found) -> Self {
        let (mut needs, mut commit) = (Vec::new(), None);
        for location in &found.events {
            if commit.replace(location.sequence) != Some(location.sequence) {
                needs.push(Need::new(location.segment, &location.commit));
            }
            needs.push(Need::new(location.segment, &location.event));
        }
        Self { segments: &found.segments, window: Window::new(needs), commit: None }
    }

    fn event(&mut self, location: &EventLocation) -> Result<RecordedEvent, StoreError> {
        let segment = self.segments.get(location.segment);
        let (commit, base) = match self.commit.take() {
            Some((commit, base)) if commit.sequence == location.sequence => (commit, base),
            _ => {
                let bytes = self.window.get(segment)?;
                let read = read_head(bytes, segment, location.sequence);
                read.map_err(|flaw| damaged(segment, location.commit.start, flaw))?
            }
        };
        let bytes = self.window.get(segment)?;
        let event = EventView::read(bytes, location.position)
            .map_err(|flaw| damaged(segment, location.event.start, flaw))?;
        let event = decode::recorded(&event, base, &commit);
        self.commit = Some((commit, base));
        Ok(event)
    }
}

/// The header and the commit part of a frame, and the position of its first event.
fn read_head(bytes: &[u8], segment: &Segment, due: Sequence) -> Result<(Arc<CommitHeader>, Position), Flaw> {
    let header: FrameHeader = match record_at(bytes, segment.header.salt)? {
        Record::Frame(header) if header.sequence == due => header,
        _ => return Err(Flaw(format!("commit {due} is not there"))),
    };
    let part = &bytes[FRAME_HEADER_BYTES..];
    if part.len() != header.commit as usize || crc32fast::hash(part) != header.commit_checksum {
        return Err("the checksum of the commit does not match".into());
    }
    let part = CommitPart::read(part)?;
    let commit = decode::commit_header(&header, &part, &part.fields()?);
    Ok((Arc::new(commit), header.base_position))
}
