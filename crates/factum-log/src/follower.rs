//! Follows a log that another process writes: takes in what was added since, up to the durable head that the
//! writer's watermark names, never beyond, for what stands there may be lost yet.
//!
//! Goes on across new segments, a writer that starts again, and a new generation that holds all that was read; one
//! that does not is told, and what was read stays readable. With a lost watermark it goes as far as frames are
//! whole. Changes nothing on disk.

use crate::{
    cut::read_watermark,
    engine::Engine,
    error::{Damage, OpenError, damaged_read, failed_read},
    format::{META_FILE, SEGMENT_HEADER_BYTES, WATERMARK_FILE, WatermarkRecord, segment_name},
    frames::{Frames, Step},
    index::Index,
    recovery::{load, read_meta},
    scan::is_clean_end,
    segment::Segment,
    storage::{OpenMode, read_full},
    watermark::WatermarkState,
};
use factum_event::{LogIdentity, Sequence};
use factum_store::{ErrorKind, Head, HeadWatch, StoreError};
use std::{
    future::poll_fn,
    io,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread::{self, JoinHandle},
};

/// After so many commits readers are shown what was taken in.
const SHOWN_EVERY: u64 = 1024;
/// After so many segments whose index is in memory it is looked for what the writer has sealed of them.
const IN_MEMORY_MAX: usize = 16;

/// What follows a log for those who read it.
#[derive(Debug)]
pub(crate) struct Follower {
    engine: Arc<Engine>,
    state: Mutex<State>,
    /// Its sequence counts how often following failed: who waits for commits is told of that as well.
    failures: HeadWatch,
    closing: AtomicBool,
}

#[derive(Debug)]
struct State {
    identity: LogIdentity,
    /// Where the next frame is due; none before the first segment.
    place: Option<(Segment, u64)>,
    /// Parts of the index that are in memory; at how many the log is loaded again.
    in_memory: usize,
    in_memory_max: usize,
    /// The log was damaged when it was loaded, and is to be loaded again before anything is taken in.
    is_damaged: bool,
    failure: Option<StoreError>,
    thread: Option<JoinHandle<()>>,
}

/// Up to where to read.
#[derive(Clone, Copy, Debug)]
enum UpTo {
    /// Every commit up to this one is there.
    Durable(WatermarkRecord),
    /// As far as frames are whole.
    Whole,
}

impl Follower {
    /// Follows on from what was read when the log was opened.
    pub(crate) fn new(engine: Arc<Engine>, is_damaged: bool) -> Arc<Self> {
        let (identity, (place, in_memory)) = (engine.identity, taken_up(&engine.index()));
        let in_memory_max = IN_MEMORY_MAX.max(2 * in_memory);
        let (failure, thread) = (None, None);
        let state = State { identity, place, in_memory, in_memory_max, is_damaged, failure, thread };
        let (failures, closing) = (HeadWatch::default(), AtomicBool::new(false));
        Arc::new(Self { engine, state: Mutex::new(state), failures, closing })
    }

    /// Which log it is, in the life that was read last.
    pub(crate) fn identity(&self) -> LogIdentity {
        self.lock().identity
    }

    /// Takes in what is durable by now.
    pub(crate) fn refresh(&self) -> Result<Head, StoreError> {
        self.refreshed(&mut self.lock())
    }

    fn refreshed(&self, state: &mut State) -> Result<Head, StoreError> {
        let storage = &*self.engine.storage;
        let identity = read_meta(storage).map_err(|cause| unread(&cause))?.identity;
        if identity.log != state.identity.log {
            let what = format!("another log, {}, stands in {} now", identity.log, storage.describe());
            return Err(gone(&what));
        }
        let watermark =
            read_watermark(storage, identity).map_err(|cause| failed_read(WATERMARK_FILE, &cause))?;
        let up_to = match watermark {
            WatermarkState::Known(record) if record.identity == identity => UpTo::Durable(record),
            // The log is about to be opened in its new generation: nothing is said of it yet.
            WatermarkState::Known(_) => return Ok(self.engine.watch.head()),
            WatermarkState::Lost => UpTo::Whole,
            WatermarkState::Foreign(other) => {
                let reason = format!("it is that of log {}", other.log);
                let segment = WATERMARK_FILE.to_owned();
                return Err(damaged_read(&Damage { segment, offset: 0, reason }));
            }
        };
        if identity != state.identity || state.is_damaged {
            self.load_again(state)?;
        }
        let read = self.read_on(state, up_to);
        // What stands before damage is shown.
        let head = self.known();
        self.engine.watch.publish(head);
        read.map(|()| head)
    }

    /// Goes over to the log as it is now, perhaps of another generation, if it holds what was read.
    fn load_again(&self, state: &mut State) -> Result<(), StoreError> {
        let Engine { storage, options, .. } = &*self.engine;
        let recovered = load(&**storage, options, OpenMode::Read).map_err(|cause| unread(&cause))?;
        if let Some(damage) = &recovered.report.damage {
            return Err(damaged_read(damage));
        }
        let head = self.engine.watch.head();
        let is_kept = match head.sequence {
            Sequence::START => true,
            last if recovered.report.head.sequence < last => false,
            last => frame(&self.engine.index(), last)? == frame(&recovered.index, last)?,
        };
        if !is_kept {
            let generation = recovered.identity.generation;
            return Err(gone(&format!("generation {generation} of the log does not hold what was read")));
        }
        (state.place, state.in_memory) = taken_up(&recovered.index);
        state.in_memory_max = IN_MEMORY_MAX.max(2 * state.in_memory);
        (state.identity, state.is_damaged) = (recovered.identity, false);
        *self.engine.index_mut() = recovered.index;
        self.engine.watch.publish(recovered.report.head);
        Ok(())
    }

    fn read_on(&self, state: &mut State, up_to: UpTo) -> Result<(), StoreError> {
        let last = match up_to {
            UpTo::Durable(record) => record.sequence,
            UpTo::Whole => Sequence::new(u64::MAX),
        };
        loop {
            let head = self.known();
            if head.sequence >= last {
                break;
            }
            let Some((segment, at)) = state.place.clone() else {
                match self.segment(head)? {
                    Some(segment) => state.place = Some((segment, SEGMENT_HEADER_BYTES as u64)),
                    None if matches!(up_to, UpTo::Whole) => break,
                    None => return Err(ends_early(segment_name(head.sequence.next().get()), 0, last)),
                }
                continue;
            };
            let (end, flaw) = self.segment_on(state, &segment, at, last)?;
            let head = self.known();
            if head.sequence >= last {
                break;
            }
            // It ends here: footer, room that was given, or another segment follows.
            match self.segment(head)? {
                Some(next) if next.name != segment.name => {
                    state.place = Some((next, SEGMENT_HEADER_BYTES as u64));
                    state.in_memory += 1;
                    if state.in_memory >= state.in_memory_max {
                        self.load_again(state)?;
                    }
                }
                _ if matches!(up_to, UpTo::Whole) => break,
                _ => {
                    let name = segment.name.to_string();
                    return Err(match flaw {
                        Some(reason) => damaged_read(&Damage { segment: name, offset: end, reason }),
                        None => ends_early(name, end, last),
                    });
                }
            }
        }
        Ok(())
    }

    /// Takes in the frames of a segment; where they end, and why if it is not the end of the file.
    fn segment_on(
        &self,
        state: &mut State,
        segment: &Segment,
        at: u64,
        last: Sequence,
    ) -> Result<(u64, Option<String>), StoreError> {
        let failed = |cause: io::Error| failed_read(&segment.name, &cause);
        let mut frames = Frames::new(&*segment.file, segment.header.salt, at, u64::MAX).map_err(failed)?;
        let mut head = self.known();
        while head.sequence < last {
            let place = frames.at();
            let (sequence, position) = match frames.step().map_err(failed)? {
                Step::End => return Ok((place, None)),
                Step::Flawed(flaw) => {
                    let is_clean = is_clean_end(segment, place).map_err(failed)?;
                    return Ok((place, (!is_clean).then_some(flaw.0)));
                }
                Step::Commit { view, .. }
                    if view.sequence() != head.sequence.next()
                        || view.base_position() != head.position.next() =>
                {
                    return Ok((place, Some(format!("commit {} does not follow", view.sequence()))));
                }
                Step::Commit { offset, view } => {
                    let mut index = self.engine.index_mut();
                    if let Err(reason) = index.add_stored(&view, offset) {
                        index.rollback(head.sequence);
                        return Ok((place, Some(reason)));
                    }
                    (view.sequence(), view.last_position())
                }
            };
            head = Head { position, sequence };
            state.place = Some((segment.clone(), frames.at()));
            if sequence.get().is_multiple_of(SHOWN_EVERY) {
                self.engine.watch.publish(head);
            }
        }
        Ok((frames.at(), None))
    }

    /// The segment that begins after `head`, begun in the index as well; none if it is not there, or being made.
    fn segment(&self, head: Head) -> Result<Option<Segment>, StoreError> {
        let name = segment_name(head.sequence.next().get());
        let segment = match Segment::open(&*self.engine.storage, &name, OpenMode::Read) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed_read(&name, &cause)),
            Ok(Err(_)) => return Ok(None),
            Ok(Ok(segment)) => segment,
        };
        let mut index = self.engine.index_mut();
        if index.segments().last().is_none_or(|last| last.name != segment.name) {
            index.begin_segment(segment.clone());
        }
        Ok(Some(segment))
    }

    /// How far the index goes: all of it is durable.
    fn known(&self) -> Head {
        let (position, sequence) = self.engine.index().last();
        Head { position, sequence }
    }

    /// Ready once there is a commit after `after`, or following failed for good.
    pub(crate) async fn appended(self: &Arc<Self>, after: Sequence) -> Result<Head, StoreError> {
        loop {
            let failed = self.failures.head().sequence;
            // Tells why, if it failed before.
            let head = self.refresh()?;
            if head.sequence > after {
                return Ok(head);
            }
            self.poll()?;
            let (mut appended, mut failure) =
                (pin!(self.engine.watch.after(after)), pin!(self.failures.after(failed)));
            let either = poll_fn(|context| match appended.as_mut().poll(context) {
                Poll::Ready(head) => Poll::Ready(Some(head)),
                Poll::Pending => failure.as_mut().poll(context).map(|_| None),
            });
            if let Some(head) = either.await {
                return Ok(head);
            }
        }
    }

    /// Starts to look again and again, unless that was done.
    fn poll(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.thread.is_some() {
            return Ok(());
        }
        let this = Arc::clone(self);
        let run = move || {
            while !this.closing.load(Ordering::Acquire) {
                this.look();
                thread::park_timeout(this.engine.options.follow_every);
            }
        };
        let thread = thread::Builder::new().name("factum-log-follower".to_owned()).spawn(run);
        state.thread = Some(thread.map_err(|cause| {
            StoreError::new(
                ErrorKind::Retry,
                format!("cannot start the thread that follows the log: {cause}"),
            )
        })?);
        Ok(())
    }

    fn look(&self) {
        let mut state = self.lock();
        let failure = self.refreshed(&mut state).err().filter(|cause| cause.kind() != ErrorKind::Retry);
        let is_new = failure.is_some() && failure != state.failure;
        state.failure = failure;
        drop(state);
        if is_new {
            let (Head { position, sequence }, one) = (self.failures.head(), 1);
            self.failures.publish(Head { position, sequence: Sequence::new(sequence.get() + one) });
        }
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        let thread = self.lock().thread.take();
        if let Some(thread) = thread {
            thread.thread().unpark();
            // Its panic was reported by the hook, and nobody reads here any more.
            let _ = thread.join();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the next frame is due after all that the index knows, and how many of its parts are in memory.
fn taken_up(index: &Index) -> (Option<(Segment, u64)>, usize) {
    (place(index), index.parts().len() - index.files().count())
}

fn place(index: &Index) -> Option<(Segment, u64)> {
    let segments = index.segments();
    let last = segments.len().checked_sub(1)?;
    let (_, sequence) = index.last();
    let ends = (sequence > Sequence::START).then(|| index.locate_commit(sequence));
    let at = match ends {
        Some(location) if location.segment == last => u64::from(location.bytes.end),
        _ => SEGMENT_HEADER_BYTES as u64,
    };
    Some((segments[last].clone(), at))
}

/// The bytes of a commit that an index knows.
fn frame(index: &Index, sequence: Sequence) -> Result<Vec<u8>, StoreError> {
    let location = index.locate_commit(sequence);
    let segment = index.segment(location.segment);
    let mut bytes = vec![0; location.bytes.len()];
    let read = read_full(&*segment.file, &mut bytes, u64::from(location.bytes.start));
    let read = read.map_err(|cause| failed_read(&segment.name, &cause))?;
    bytes.truncate(read);
    Ok(bytes)
}

fn gone(what: &str) -> StoreError {
    StoreError::new(ErrorKind::Reopen, format!("cannot follow the log: {what}. Open it again"))
}

fn unread(cause: &OpenError) -> StoreError {
    StoreError::new(cause.kind(), format!("cannot follow the log: {META_FILE}: {cause}"))
}

fn ends_early(segment: String, offset: u64, last: Sequence) -> StoreError {
    let reason = format!("the log ends here, and commit {last} is durable");
    damaged_read(&Damage { segment, offset, reason })
}

/// Up to which commit a log is read that is open for reading only.
pub(crate) fn readable(watermark: WatermarkState, identity: LogIdentity) -> Sequence {
    match watermark {
        WatermarkState::Known(record) if record.identity == identity => record.sequence,
        _ => Sequence::new(u64::MAX),
    }
}
