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
    storage::FileMap,
    view::{CommitView, commit_at},
    window::{Place, Residence, Segments, Shown, Window, damaged},
};
use factum_event::{Commit, CommitHeader, EventId, Position, Query, RecordedEvent, Sequence};
use factum_store::{CommitPage, Head, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Page, ReadOptions, StoreError};
use std::{io, ops::ControlFlow, sync::Arc};

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
        let (found, mut reading) = found.reading(&self.residence);
        let (mut events, mut bytes) = (Vec::with_capacity(found.len().min(limit)), 0);
        for location in &found {
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
        let (found, mut reading) = found.reading(&self.residence);
        found.first().map(|location| reading.event(location)).transpose()
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
            let mut segments = Segments::default();
            let place = |at: Sequence| {
                let Location { segment, bytes } = index.locate_commit(at);
                (at, segments.place(index, segment, &bytes))
            };
            let found: Vec<_> = visible.take(limit + 1).map(place).collect();
            (found, segments)
        });
        let places = found.iter().map(|(_, place)| place.clone()).collect();
        let (mut window, mut commits, mut read) =
            (Window::new(segments, places, &self.residence), Vec::new(), 0);
        for (sequence, place) in &found {
            if commits.len() == limit || read >= PAGE_BYTES_MAX {
                let next = commits.last().map(|commit: &Commit| commit.header.sequence);
                return Ok(CommitPage { commits, next });
            }
            read += place.len();
            let frame = window.get()?;
            commits.push(read_commit(&frame, *sequence).map_err(|flaw| frame.damaged(flaw))?);
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
            let map = map_of(&segment, bytes.1).map_err(failed)?;
            let (file, salt) = (&*segment.file, segment.header.salt);
            let frames = match &map {
                Some(map) => Frames::mapped(file, &**map, salt, bytes.0, bytes.1),
                None => Frames::new(file, salt, bytes.0, bytes.1),
            };
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

/// The segment as memory, up to `end` or to where it ends; none where it is read instead.
fn map_of(segment: &Segment, end: u64) -> io::Result<Option<Arc<dyn FileMap>>> {
    if !segment.file.maps_in_place() {
        return Ok(None);
    }
    let end = end.min(segment.file.len()?);
    // Where there is no room for a map the file can still be read.
    Ok(segment.file.map(end).ok())
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

fn read_commit(frame: &Shown<'_>, sequence: Sequence) -> Result<Commit, Flaw> {
    match commit_at(frame.bytes, frame.segment.header.salt)? {
        Some(view) if view.sequence() == sequence => decode::commit(&view),
        _ => Err(Flaw(format!("commit {sequence} is not there"))),
    }
}

/// Events found, and the segments they stand in.
#[derive(Debug)]
struct Found {
    events: Vec<EventLocation>,
    segments: Segments,
    places: Vec<Place>,
}

impl Found {
    fn of(index: &Index, positions: impl Iterator<Item = Position>) -> Self {
        let (mut segments, mut places, mut commit) = (Segments::default(), Vec::new(), None);
        let positions: Vec<_> = positions.collect();
        let mut events = Vec::with_capacity(positions.len());
        index.locate_all(&positions, |location| {
            if commit.replace(location.sequence) != Some(location.sequence) {
                places.push(segments.place(index, location.segment, &index.locate_head(location.sequence)));
            }
            places.push(segments.place(index, location.segment, &location.event));
            events.push(location);
        });
        Self { events, segments, places }
    }

    fn reading(self, residence: &Residence) -> (Vec<EventLocation>, Reading) {
        let Self { events, segments, places } = self;
        (events, Reading { window: Window::new(segments, places, residence), commit: None })
    }
}

/// Reads the events of a page in their order.
#[derive(Debug)]
struct Reading {
    window: Window,
    commit: Option<(Arc<CommitHeader>, Position)>,
}

impl Reading {
    fn event(&mut self, location: &EventLocation) -> Result<RecordedEvent, StoreError> {
        let (commit, base) = match self.commit.take() {
            Some((commit, base)) if commit.sequence == location.sequence => (commit, base),
            _ => {
                let head = self.window.get()?;
                read_head(&head, location.sequence).map_err(|flaw| head.damaged(flaw))?
            }
        };
        let shown = self.window.get()?;
        let event = EventView::read(shown.bytes, location.position).map_err(|flaw| shown.damaged(flaw))?;
        let event = decode::recorded(&event, base, &commit);
        self.commit = Some((commit, base));
        Ok(event)
    }
}

/// The header and the commit part of a frame, and the position of its first event.
fn read_head(head: &Shown<'_>, due: Sequence) -> Result<(Arc<CommitHeader>, Position), Flaw> {
    let header: FrameHeader = match record_at(head.bytes, head.segment.header.salt)? {
        Record::Frame(header) if header.sequence == due => header,
        _ => return Err(Flaw(format!("commit {due} is not there"))),
    };
    let part = &head.bytes[FRAME_HEADER_BYTES..];
    if part.len() != header.commit as usize || crc32fast::hash(part) != header.commit_checksum {
        return Err("the checksum of the commit does not match".into());
    }
    let part = CommitPart::read(part)?;
    let commit = decode::commit_header(&header, &part, part.fields()?.metadata);
    Ok((Arc::new(commit), header.base_position))
}
