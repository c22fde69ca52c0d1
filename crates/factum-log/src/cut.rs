//! Says up to where a log may be copied: as far as it is durable, beside its writer too.
//!
//! Beside a writer that is the durable head which the watermark names, and nothing after it, for what stands
//! there may be lost yet. Where nobody writes, whole commits after it count as well, as they do when the log is
//! opened: after power loss the watermark may lag behind what was acknowledged. Changes nothing.

use crate::{
    error::OpenError,
    format::{Footer, parse_segment_name},
    frames::{Frames, Step},
    recovery::read_meta,
    scan::{Scan, Tail, Visitor, is_clean_end},
    segment::Segment,
    storage::{FileStorage, OpenMode, Storage, StorageLock},
    view::CommitView,
    watermark::{Watermark, WatermarkState},
};
use factum_event::LogIdentity;
use factum_store::Head;
use std::{io, path::Path};

/// A slot of the watermark that is being overwritten while it is read is not whole; the other one is. Both are
/// not twice in a row.
const READS_MAX: usize = 8;

/// Where a log may be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Which log it is.
    pub identity: LogIdentity,
    /// The last commit and the last event before the cut.
    pub head: Head,
    /// `head` is lost: all that is there is whole, but whether acknowledged commits are missing at the end cannot
    /// be told.
    pub watermark_lost: bool,
}

/// Keeps writers away from a log, and lets other readers in, until it is dropped.
#[derive(Debug)]
pub struct Hold {
    _lock: Box<dyn StorageLock>,
}

/// Keeps writers away from the log in `dir`, without changing anything there; none if a writer has it.
///
/// # Errors
/// As the file system says.
pub fn hold(dir: impl AsRef<Path>) -> Result<Option<Hold>, OpenError> {
    hold_on(&FileStorage::new(dir.as_ref()))
}

/// As [`hold`], on any storage.
///
/// # Errors
/// As [`hold`].
pub fn hold_on(storage: &dyn Storage) -> Result<Option<Hold>, OpenError> {
    let lock = storage.lock_shared().map_err(OpenError::io(&storage.describe(), "look at the lock"))?;
    Ok(lock.map(|_lock| Hold { _lock }))
}

/// Whether there is a log in `dir`, whole or not: a folder alone is none, nor is one that is being made and has
/// never taken a commit.
///
/// # Errors
/// As the file system says.
pub fn exists(dir: impl AsRef<Path>) -> Result<bool, OpenError> {
    let storage = FileStorage::new(dir.as_ref());
    let names = match storage.list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        names => names.map_err(OpenError::io(&storage.describe(), "list the files"))?,
    };
    Ok(names.iter().any(|name| name == crate::format::META_FILE || parse_segment_name(name).is_some()))
}

/// Up to where the log in `dir` is durable. Beside a writer, every commit that was acknowledged before is before
/// the cut.
///
/// # Errors
/// [`OpenError::Damaged`] when what was acknowledged is not there as far as it was looked at; or as the file
/// system says.
pub fn durable_cut(dir: impl AsRef<Path>) -> Result<Cut, OpenError> {
    durable_cut_on(&FileStorage::new(dir.as_ref()))
}

/// As [`durable_cut`], on any storage.
///
/// # Errors
/// As [`durable_cut`].
pub fn durable_cut_on(storage: &dyn Storage) -> Result<Cut, OpenError> {
    loop {
        // Only for these moments, so that whoever wants to write is not kept from it.
        let written = hold_on(storage)?.is_none();
        let cut = cut(storage, written)?;
        if written || hold_on(storage)?.is_some() {
            return Ok(cut);
        }
        // Somebody began to write meanwhile, and what was seen last may be of theirs.
    }
}

fn cut(storage: &dyn Storage, written: bool) -> Result<Cut, OpenError> {
    let dir = storage.describe();
    let identity = read_meta(storage)?.identity;
    let watermark = read_watermark(storage, identity).map_err(OpenError::io(&dir, "read the watermark"))?;
    match watermark {
        WatermarkState::Known(record) if record.identity == identity => {
            let named = Head { position: record.position, sequence: record.sequence };
            if written {
                return Ok(Cut { identity, head: named, watermark_lost: false });
            }
            let tail = whole_after(storage, record.segment, record.end, named);
            match tail.map_err(OpenError::io(&dir, "read the end"))? {
                Some(head) => Ok(Cut { identity, head, watermark_lost: false }),
                None => scanned(storage, identity, watermark),
            }
        }
        // Its writer is about to make it right.
        _ if written => {
            let cause = io::Error::new(io::ErrorKind::WouldBlock, "it is being opened; try again");
            Err(OpenError::io(&dir, "tell the durable head")(cause))
        }
        _ => scanned(storage, identity, watermark),
    }
}

/// What the watermark says, also while it is being written.
pub(crate) fn read_watermark(storage: &dyn Storage, identity: LogIdentity) -> io::Result<WatermarkState> {
    for _ in 1..READS_MAX {
        let read = Watermark::read(storage, identity)?;
        if read != WatermarkState::Lost {
            return Ok(read);
        }
    }
    Watermark::read(storage, identity)
}

/// The head after the whole frames that follow a place; none where that takes a look at the whole log.
fn whole_after(storage: &dyn Storage, ordinal: u32, mut at: u64, named: Head) -> io::Result<Option<Head>> {
    let mut names = storage.list()?;
    names.retain(|name| parse_segment_name(name).is_some());
    names.sort_unstable();
    let Some(before) = usize::try_from(ordinal).ok().and_then(|ordinal| ordinal.checked_sub(1)) else {
        return Ok(None);
    };
    let mut head = named;
    for name in names.iter().skip(before) {
        if head != named && parse_segment_name(name) != Some(head.sequence.next().get()) {
            return Ok(None);
        }
        let Ok(segment) = Segment::open(storage, name, OpenMode::Read)? else { return Ok(None) };
        let mut frames = Frames::new(&*segment.file, segment.header.salt, at, u64::MAX)?;
        loop {
            let at = frames.at();
            match frames.step()? {
                Step::Commit { view, .. } if view.sequence() == head.sequence.next() => {
                    head = Head { position: view.last_position(), sequence: view.sequence() };
                }
                Step::Commit { .. } => return Ok(None),
                Step::End => break,
                Step::Flawed(_) if is_clean_end(&segment, at)? => break,
                Step::Flawed(_) => return Ok(None),
            }
        }
        at = crate::format::SEGMENT_HEADER_BYTES as u64;
    }
    Ok((names.len() > before).then_some(head))
}

struct Nothing;

impl Visitor for Nothing {
    fn segment(&mut self, _: &Segment, _: Option<&Footer>) -> bool {
        false
    }

    fn commit(&mut self, _: &CommitView<'_>, _: u64) -> Result<(), String> {
        Ok(())
    }
}

/// As far as the log is whole, as when it is opened.
fn scanned(
    storage: &dyn Storage,
    identity: LogIdentity,
    watermark: WatermarkState,
) -> Result<Cut, OpenError> {
    let dir = storage.describe();
    let scan = Scan { storage, identity, watermark, mode: OpenMode::Read };
    let scanned = scan.run(&mut Nothing).map_err(OpenError::io(&dir, "scan the segments"))?;
    if let Tail::Damaged(damage) = scanned.tail {
        return Err(OpenError::damaged(dir, damage));
    }
    let head = Head { position: scanned.position, sequence: scanned.sequence };
    Ok(Cut { identity, head, watermark_lost: watermark == WatermarkState::Lost })
}
