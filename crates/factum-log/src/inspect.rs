//! Looks at a log without opening it for writing: also beside its writer, from another process.
//!
//! Never changes a file and takes no lock. What a writer is adding at that moment is either counted whole or
//! not at all; what was acknowledged before the look began is always counted.

use crate::{
    error::{Damage, OpenError},
    format::{FOOTER_BYTES, Footer, META_FILE},
    recovery::{read_meta, write_meta},
    scan::{Scan, Scanned, Tail, Visitor},
    segment::Segment,
    storage::{FileStorage, OpenMode, Storage},
    view::CommitView,
    watermark::{Watermark, WatermarkState},
};
use factum_event::{CommandId, LogIdentity};
use factum_store::Head;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

/// What a log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// Which log it is.
    pub identity: LogIdentity,
    /// How far it has come.
    pub head: Head,
    /// How many events it holds.
    pub events: u64,
    /// How many commits.
    pub commits: u64,
    /// The commands they answer, by name, each with whether its outcome is final.
    pub commands: BTreeMap<String, HashMap<CommandId, bool>>,
    /// How many streams have an event.
    pub streams: u64,
    /// How many segments it has.
    pub segments: u64,
    /// How many bytes its segments take, up to the last commit, with the footers of those that are sealed.
    pub bytes: u64,
    /// How many events of each type.
    pub types: BTreeMap<String, u64>,
}

/// Counts what the log in `dir` holds.
///
/// # Errors
/// When there is no log, when it is damaged, or as the file system says.
pub fn inspect(dir: impl AsRef<Path>) -> Result<Inspection, OpenError> {
    inspect_on(&FileStorage::new(dir.as_ref()))
}

/// As [`inspect`], on any storage.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_on(storage: &dyn Storage) -> Result<Inspection, OpenError> {
    let mut count = Count::default();
    let (identity, scanned, _) = scan(storage, &mut count)?;
    let head = Head { position: scanned.position, sequence: scanned.sequence };
    Ok(Inspection {
        identity,
        head,
        events: head.position.get(),
        commits: head.sequence.get(),
        commands: count.commands,
        streams: count.streams.len() as u64,
        segments: scanned.segments.len() as u64,
        bytes: bytes(&scanned),
        types: count.types,
    })
}

/// Begins the next generation of the log in `dir`, as must be done after it was restored from a copy: tokens
/// and checkpoints of the generations before are then recognised as such, and the watermark of the copy,
/// which may name commits that the copy does not hold, is not believed. No writer may have the log.
///
/// # Errors
/// When a writer has the directory, there is no log, or as the file system says.
pub fn begin_generation(dir: impl AsRef<Path>) -> Result<LogIdentity, OpenError> {
    begin_generation_on(&FileStorage::new(dir.as_ref()))
}

/// As [`begin_generation`], on any storage.
///
/// # Errors
/// As [`begin_generation`].
pub fn begin_generation_on(storage: &dyn Storage) -> Result<LogIdentity, OpenError> {
    let dir = storage.describe();
    let mut meta = read_meta(storage)?;
    let lock = storage.lock().map_err(OpenError::io(&dir, "take the lock"))?;
    let _lock = lock.ok_or_else(|| OpenError::Locked { dir: dir.clone() })?;
    let next = meta.identity.generation.checked_add(1);
    meta.identity.generation = next.ok_or_else(|| {
        let reason = "its generation is the last there can be".to_owned();
        OpenError::damaged(dir.clone(), Damage { segment: META_FILE.to_owned(), offset: 0, reason })
    })?;
    write_meta(storage, &meta).map_err(OpenError::io(&dir, "replace the meta file"))?;
    Ok(meta.identity)
}

pub(crate) type Found = (LogIdentity, Scanned, WatermarkState);

pub(crate) fn scan(storage: &dyn Storage, visitor: &mut dyn Visitor) -> Result<Found, OpenError> {
    let dir = storage.describe();
    let identity = read_meta(storage)?.identity;
    // Before the segments: all that it names is there once it is read.
    let watermark = Watermark::read(storage, identity).map_err(OpenError::io(&dir, "read the watermark"))?;
    let scan = Scan { storage, identity, watermark, mode: OpenMode::Read };
    let scanned = scan.run(visitor).map_err(OpenError::io(&dir, "scan the segments"))?;
    match scanned.tail {
        Tail::Damaged(damage) => Err(OpenError::damaged(dir, damage)),
        _ => Ok((identity, scanned, watermark)),
    }
}

pub(crate) fn bytes(scanned: &Scanned) -> u64 {
    let footers = scanned.footers.iter().flatten().count() as u64 * FOOTER_BYTES as u64;
    scanned.segments.iter().map(|(_, end)| *end).sum::<u64>() + footers
}

#[derive(Debug, Default)]
struct Count {
    commands: BTreeMap<String, HashMap<CommandId, bool>>,
    streams: HashSet<String>,
    types: BTreeMap<String, u64>,
}

impl Visitor for Count {
    fn segment(&mut self, _: &Segment, _: Option<&Footer>) -> bool {
        false
    }

    fn commit(&mut self, view: &CommitView<'_>, _: u64) -> Result<(), String> {
        if !self.commands.contains_key(view.command_name()) {
            self.commands.insert(view.command_name().to_owned(), HashMap::new());
        }
        if let Some(of_name) = self.commands.get_mut(view.command_name()) {
            *of_name.entry(view.command_id()).or_default() |= view.is_final();
        }
        for event in view.events() {
            if !self.streams.contains(event.stream) {
                self.streams.insert(event.stream.to_owned());
            }
            match self.types.get_mut(event.event_type) {
                Some(count) => *count += 1,
                None => {
                    self.types.insert(event.event_type.to_owned(), 1);
                }
            }
        }
        Ok(())
    }
}
