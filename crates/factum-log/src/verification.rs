//! Verifies a log whole: every checksum, what follows from the promises of a store, the integrity tree of each
//! sealed segment, and the index files. Never changes a file and takes no lock.

use crate::{
    error::{Damage, IndexDamage, OpenError},
    format::{Footer, parse_index_name},
    index::Checked,
    inspect::{bytes, scan},
    integrity::{CHAIN_START, Hash, Tree, chained},
    recovery::TornTail,
    scan::{Scanned, Tail, Visitor},
    seal::{footer, read_index},
    segment::Segment,
    storage::{FileStorage, Storage},
    view::CommitView,
    watermark::WatermarkState,
};
use factum_event::{CommandId, LogIdentity, Position, Sequence, Timestamp};
use factum_store::Head;
use std::{
    collections::{HashMap, HashSet},
    io,
    path::Path,
};

/// A log that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Which log it is.
    pub identity: LogIdentity,
    /// How far it has come.
    pub head: Head,
    /// How many segments were read.
    pub segments: u64,
    /// How many bytes of them.
    pub bytes: u64,
    /// Bytes after the last commit: a write that was not finished, which the next open cuts off.
    pub torn: Option<TornTail>,
    /// `head` is lost: all that is there is whole, but whether acknowledged commits are missing at the end
    /// cannot be told.
    pub watermark_lost: bool,
    /// What the sealed segments hold, as one number: the same digest at the same commit means the same
    /// commits, to the byte. None while no segment is sealed.
    pub digest: Option<LogDigest>,
    /// How many index files were held against the log.
    pub index_files: u64,
    /// Index files that do not say what the log says. The log itself is whole. Those whose checksums do
    /// not match are made anew when it is opened for writing; any may be removed while it is not open, and is then.
    pub index_damage: Vec<IndexDamage>,
}

/// The end of the chain over the roots of the integrity trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogDigest {
    /// It covers every commit up to this one, the last of the last sealed segment.
    pub reaches: Head,
    /// The chain, a SHA-256 digest.
    pub chain: [u8; 32],
}

/// Reads every byte of the log in `dir`: that each checksum matches, that sequences, positions, revisions
/// and recorded times follow each other, that tracked progress only grows, that each command is decided once,
/// that each sealed segment is the one whose root its footer names, in the same chain as those before it.
/// Holds the index files against it, too; see [`Verified::index_damage`].
///
/// # Errors
/// [`OpenError::Damaged`] with the first place that is not as it should be; else as [`crate::inspect`].
pub fn verify(dir: impl AsRef<Path>) -> Result<Verified, OpenError> {
    verify_on(&FileStorage::new(dir.as_ref()))
}

/// As [`verify`], on any storage.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(storage: &dyn Storage) -> Result<Verified, OpenError> {
    let dir = storage.describe();
    // Before the segments: all that they cover is there once they are read.
    let (files, mut index_damage) = index_files(storage).map_err(OpenError::io(&dir, "read the index"))?;
    let index_files = (files.len() + index_damage.len()) as u64;
    let mut check = Check { files, ..Check::default() };
    let (identity, scanned, watermark) = scan(storage, &mut check)?;
    let digest = chain(&scanned, &check).map_err(|damage| OpenError::damaged(dir, damage))?;
    for file in check.files {
        let name = file.name().to_owned();
        if let Some(reason) = file.finish(&covered(&scanned)) {
            index_damage.push(IndexDamage { file: name, reason });
        }
    }
    let head = Head { position: scanned.position, sequence: scanned.sequence };
    let (segments, bytes) = (scanned.segments.len() as u64, bytes(&scanned));
    let torn = match scanned.tail {
        Tail::Torn { segment, offset, bytes } => Some(TornTail { segment, offset, bytes }),
        Tail::TornSegment { segment } => Some(TornTail { segment, offset: 0, bytes: 0 }),
        Tail::Clean | Tail::Damaged(_) => None,
    };
    let watermark_lost = watermark == WatermarkState::Lost;
    Ok(Verified { identity, head, segments, bytes, torn, watermark_lost, digest, index_files, index_damage })
}

fn covered(scanned: &Scanned) -> Vec<crate::index::Covered> {
    let covered = |(segment, end): &(Segment, u64)| crate::index::Covered::new(&segment.header, *end);
    scanned.segments.iter().map(covered).collect()
}

/// The index files, and what is wrong with those whose bytes alone tell.
fn index_files(storage: &dyn Storage) -> io::Result<(Vec<Checked>, Vec<IndexDamage>)> {
    let (mut files, mut damage) = (Vec::new(), Vec::new());
    for name in storage.list()? {
        let Some(range) = parse_index_name(&name) else { continue };
        let opened = match read_index(storage, &name) {
            // A writer beside us may have merged it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        let verified = opened.and_then(|sealed| sealed.verify().map(|()| sealed));
        match verified {
            Ok(sealed) => files.push(Checked::new(name, range, sealed)),
            Err(flaw) => damage.push(IndexDamage { file: name, reason: flaw.0 }),
        }
    }
    Ok((files, damage))
}

/// Holds every footer against the frames that were read, and follows the chain as far as it reaches.
fn chain(scanned: &Scanned, check: &Check) -> Result<Option<LogDigest>, Damage> {
    let (mut chain, mut digest) = (CHAIN_START, None);
    let sealed = scanned.footers.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    for (index, (segment, end)) in scanned.segments.iter().enumerate() {
        let damaged = |reason: String| Damage { segment: segment.name.to_string(), offset: *end, reason };
        let Some(read) = check.ends.get(index) else { break };
        let root = read.tree.root();
        chain = chained(&chain, &root);
        let is_indexed = check.files.iter().any(|file| file.covers(segment.header.base_sequence));
        let was_sealed = index < sealed || (is_indexed && index + 1 < scanned.segments.len());
        let footer = match &scanned.footers[index] {
            Some(footer) => *footer,
            // A writer beside us may have sealed it since it was read.
            None if was_sealed => match footer(segment).ok().flatten() {
                Some(footer) => footer,
                None => return Err(damaged("it was sealed, and its footer is not whole".to_owned())),
            },
            None => continue,
        };
        if let Some(reason) = disagrees(&footer, read, *end, &root, &chain) {
            return Err(damaged(reason));
        }
        if digest.is_some_and(|digest: (usize, LogDigest)| digest.0 + 1 == index) || index == 0 {
            let reaches = Head { position: footer.position, sequence: footer.sequence };
            digest = Some((index, LogDigest { reaches, chain }));
        }
    }
    Ok(digest.map(|(_, digest)| digest))
}

fn disagrees(footer: &Footer, read: &End, end: u64, root: &Hash, chain: &Hash) -> Option<String> {
    let says = (footer.sequence, footer.position, footer.recorded_at, footer.end);
    let is = (read.sequence, read.position, read.recorded_at, end);
    if says != is {
        return Some("its footer names another end than that of its frames".to_owned());
    }
    if footer.root != *root {
        return Some("its frames are not those that were sealed: the root of the tree differs".to_owned());
    }
    (footer.chain != *chain)
        .then(|| "it was sealed after other segments than those before it: the chain differs".to_owned())
}

/// What was read of a segment.
#[derive(Debug)]
struct End {
    tree: Tree,
    sequence: Sequence,
    position: Position,
    recorded_at: Timestamp,
}

#[derive(Debug, Default)]
struct Check {
    revisions: HashMap<String, u64>,
    progress: HashMap<String, u64>,
    decided: HashSet<CommandId>,
    /// Of each segment.
    ends: Vec<End>,
    files: Vec<Checked>,
}

impl Visitor for Check {
    fn segment(&mut self, segment: &Segment, _: Option<&Footer>) -> bool {
        let (sequence, position) = (segment.header.base_sequence, segment.header.base_position);
        let recorded_at = Timestamp::from_micros(i64::MIN);
        self.ends.push(End { tree: Tree::default(), sequence, position, recorded_at });
        false
    }

    fn commit(&mut self, view: &CommitView<'_>, offset: u64) -> Result<(), String> {
        if let Some(end) = self.ends.last_mut() {
            end.tree.add(view.canonical());
            (end.sequence, end.position, end.recorded_at) =
                (view.sequence(), view.last_position(), view.recorded_at());
        }
        self.files.iter_mut().for_each(|file| file.commit(view, offset));
        let sequence = view.sequence();
        for event in view.events() {
            let due = match self.revisions.get_mut(event.stream) {
                Some(next) => std::mem::replace(next, *next + 1),
                None => self.revisions.insert(event.stream.to_owned(), 1).unwrap_or(0),
            };
            if event.revision.get() != due {
                let (position, stored) = (event.position, event.revision);
                return Err(format!(
                    "the event at position {position} has revision {stored}, and {due} is due"
                ));
            }
        }
        let fields = view.part.fields().map_err(|flaw| flaw.0)?;
        if let Some(tracking) = fields.tracking {
            let before = self.progress.insert(tracking.source.as_str().to_owned(), tracking.progress);
            if before.is_some_and(|before| before >= tracking.progress) {
                return Err(format!(
                    "the tracked progress of {} does not grow in commit {sequence}",
                    tracking.source
                ));
            }
        }
        if view.is_final() && !self.decided.insert(view.command_id()) {
            return Err(format!("commit {sequence} decides command {} again", view.command_id()));
        }
        Ok(())
    }
}
