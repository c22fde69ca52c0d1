//! Opens a directory: finds out which log it is, scans it, cuts off a torn tail, rebuilds the index.
//!
//! The only module that changes what a crash left. It changes nothing before it knows that nothing
//! acknowledged is damaged.

use crate::{
    error::{Damage, IndexDamage, OpenError},
    follower::readable,
    format::{
        Footer, META_BYTES, META_FILE, META_FILE_NEXT, Meta, NEXT_SEGMENT_FILE, WATERMARK_FILE,
        WatermarkRecord, parse_segment_name,
    },
    index::Index,
    limits::SCAN_BYTES,
    options::Options,
    scan::{Scan, Scanned, Tail, Visitor, ended, segment_names},
    seal::{Adopted, Adoption, adopt, remove_unused},
    segment::Segment,
    storage::{Medium, OpenMode, Storage, of_file, read_full},
    view::CommitView,
    watermark::{Watermark, WatermarkState},
};
use factum_event::{LogIdentity, Position, Sequence};
use factum_store::{Head, fresh_log_id};
use std::{fmt, io};

/// What opening a log found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenReport {
    /// The log was made.
    pub created: bool,
    /// How far it had come.
    pub head: Head,
    /// How many segments it has.
    pub segments: usize,
    /// What was cut off at its end: bytes of commits that were never acknowledged.
    pub torn: Option<TornTail>,
    /// The durable-head watermark could not be read, and was made anew.
    pub watermark_lost: bool,
    /// What it stands on.
    pub medium: Medium,
    /// Index files that are damaged and are not used. The log itself is not touched by it: what they said is
    /// indexed once more from the frames, and a log that is open for writing makes them anew.
    pub index_damage: Vec<IndexDamage>,
    /// Opened read-only only: where the log is damaged. What stands before is read, nothing after.
    pub damage: Option<Damage>,
}

impl OpenReport {
    /// What whoever runs the log should hear of, each in a sentence: what was cut off, what could not be
    /// checked, which index file was damaged, what the medium may not keep. Empty after every orderly end on a whole disk of this machine.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(torn) = &self.torn {
            warnings.push(torn.to_string());
        }
        if self.watermark_lost {
            warnings.push(format!(
                "{WATERMARK_FILE} was lost and is made anew: whether acknowledged commits are missing after \
                 commit {} could not be checked. Compare with a backup",
                self.head.sequence
            ));
        }
        warnings.extend(self.index_damage.iter().map(|damage| {
            format!(
                "{damage}. Nothing of the log is lost: it is indexed once more from its segments. \
                 Look at the disk"
            )
        }));
        warnings.extend(self.medium.warning());
        warnings
    }
}

/// Bytes at the end of a log that were never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub segment: String,
    /// Where the last whole commit ends in it.
    pub offset: u64,
    /// How many bytes stood beyond.
    pub bytes: u64,
}

impl fmt::Display for TornTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, bytes } = self;
        if *offset == 0 {
            return write!(f, "removed {segment}, which was being made and held no commit");
        }
        write!(
            f,
            "cut off {bytes} bytes of a write that was never acknowledged, in {segment} from byte {offset}"
        )
    }
}

/// A log that has been scanned.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) identity: LogIdentity,
    pub(crate) index: Index,
    pub(crate) scanned: Scanned,
    pub(crate) watermark: WatermarkState,
    pub(crate) report: OpenReport,
}

/// Takes sealed parts as they are and reads the rest.
struct Rebuild {
    index: Index,
    /// The index files that are used, in order.
    adopted: std::iter::Peekable<std::vec::IntoIter<Adopted>>,
    /// Up to here the index holds what is sealed.
    sealed: Sequence,
    /// Of a log that is open for reading only nothing after this one is taken in, but for what is sealed: that is
    /// durable.
    up_to: Sequence,
}

impl Visitor for Rebuild {
    fn segment(&mut self, segment: &Segment, footer: Option<&Footer>) -> bool {
        let base = segment.header.base_sequence;
        let begins = |adopted: &Adopted| adopted.sealed.header.base_sequence == base;
        if footer.is_some()
            && let Some(Adopted { sealed, segments }) = self.adopted.next_if(begins)
        {
            self.sealed = segments.last().map_or(self.sealed, |(_, footer)| footer.sequence);
            let segments = segments.into_iter().map(|(segment, footer)| (segment, footer.end)).collect();
            self.index.begin_sealed(segments, sealed);
        }
        let is_skipped = base <= self.sealed || base.get() > self.up_to.get().saturating_add(1);
        if !is_skipped {
            self.index.begin_segment(segment.clone());
            // Each is as small as it gets before the next one is read.
            self.index.pack();
        }
        is_skipped
    }

    fn commit(&mut self, view: &CommitView<'_>, offset: u64) -> Result<(), String> {
        if view.sequence() > self.up_to {
            return Ok(());
        }
        self.index.add_stored(view, offset)
    }
}

/// Reads a log as far as it is whole. Changes nothing.
pub(crate) fn load(storage: &dyn Storage, options: &Options, mode: OpenMode) -> Result<Recovered, OpenError> {
    let dir = storage.describe();
    let identity = read_meta(storage)?.identity;
    let medium = medium(storage)?;
    let watermark = Watermark::read(storage, identity).map_err(OpenError::io(&dir, "read the watermark"))?;
    let up_to = if mode == OpenMode::Read { readable(watermark, identity) } else { Sequence::new(u64::MAX) };
    let Adoption { adopted, damaged } =
        adoption(storage, identity, mode).map_err(OpenError::io(&dir, "read the index"))?;
    let mut rebuild = Rebuild {
        index: Index::new(u64::from_le_bytes(options.random())),
        adopted: adopted.into_iter().peekable(),
        sealed: Sequence::START,
        up_to,
    };
    let scan = Scan { storage, identity, watermark, mode };
    let scanned = scan.run(&mut rebuild).map_err(OpenError::io(&dir, "scan the segments"))?;
    let (position, sequence) = rebuild.index.last();
    let mut head = Head { position, sequence };
    if scanned.sequence < sequence {
        // A sealed part goes beyond where the log is whole.
        head = Head { position: scanned.position, sequence: scanned.sequence };
    }
    let torn = match &scanned.tail {
        Tail::Torn { segment, offset, bytes } => {
            Some(TornTail { segment: segment.clone(), offset: *offset, bytes: *bytes })
        }
        Tail::TornSegment { segment } => Some(TornTail { segment: segment.clone(), offset: 0, bytes: 0 }),
        Tail::Clean | Tail::Damaged(_) => None,
    };
    let damage = match &scanned.tail {
        Tail::Damaged(damage) => Some(damage.clone()),
        _ => None,
    };
    let report = OpenReport {
        created: false,
        head,
        segments: scanned.segments.len(),
        torn,
        watermark_lost: watermark == WatermarkState::Lost,
        medium,
        index_damage: damaged,
        damage,
    };
    Ok(Recovered { identity, index: rebuild.index, scanned, watermark, report })
}

fn adoption(storage: &dyn Storage, identity: LogIdentity, mode: OpenMode) -> io::Result<Adoption> {
    let names = segment_names(storage)?;
    match names.get(ended(storage, &names, mode)?).and_then(|name| parse_segment_name(name)) {
        Some(last) => adopt(storage, identity, mode, Sequence::new(last)),
        None => Ok(Adoption::default()),
    }
}

fn medium(storage: &dyn Storage) -> Result<Medium, OpenError> {
    storage.medium().map_err(OpenError::io(&storage.describe(), "tell the file system"))
}

/// Refuses to write where neither locks nor syncs can be relied on, unless that is wanted. To be asked before the
/// directory is made or locked.
pub(crate) fn check_medium(storage: &dyn Storage, options: &Options) -> Result<(), OpenError> {
    match medium(storage)? {
        Medium::Network { file_system } if !options.network_file_systems => {
            Err(OpenError::Network { dir: storage.describe(), file_system })
        }
        _ => Ok(()),
    }
}

/// Makes the log if there is none, else loads it and cuts off a torn tail. The lock is held.
pub(crate) fn recover(storage: &dyn Storage, options: &Options) -> Result<(Recovered, Watermark), OpenError> {
    let dir = storage.describe();
    let created = create(storage, options)?;
    let mut recovered = load(storage, options, OpenMode::Write)?;
    if let Some(damage) = recovered.report.damage {
        return Err(OpenError::damaged(dir, damage));
    }
    recovered.report.created = created;
    repair(storage, &recovered).map_err(OpenError::io(&dir, "make the end durable"))?;
    let used: Vec<&str> = recovered.index.files().collect();
    remove_unused(storage, &used).map_err(OpenError::io(&dir, "remove unused index files"))?;
    let (segment, end) = match recovered.scanned.segments.last() {
        Some((segment, end)) => (segment.header.ordinal, *end),
        None => (0, 0),
    };
    let record = WatermarkRecord {
        identity: recovered.identity,
        segment,
        sequence: recovered.scanned.sequence,
        position: recovered.scanned.position,
        end,
    };
    let watermark =
        Watermark::resume(storage, &record).map_err(OpenError::io(&dir, "settle the watermark"))?;
    Ok((recovered, watermark))
}

/// Cuts off what is torn, and makes durable what is kept. A whole frame that was not acknowledged before a
/// crash is kept, and must not be lost once a reader has seen it.
fn repair(storage: &dyn Storage, recovered: &Recovered) -> io::Result<()> {
    let scanned = &recovered.scanned;
    if storage.list()?.iter().any(|name| name == NEXT_SEGMENT_FILE) {
        storage.remove(NEXT_SEGMENT_FILE)?;
    }
    if let Tail::TornSegment { segment } = &scanned.tail {
        storage.remove(segment)?;
    }
    if let Some((segment, end)) = scanned.segments.last()
        && segment.file.len()? > *end
    {
        // A torn tail, room that was made ahead, or the footer of a segment that is the last one again.
        segment.file.set_len(*end)?;
    }
    // The process before may have died between making a name and making it durable.
    storage.sync_dir()?;
    let Some((segment, end)) = scanned.segments.last() else { return Ok(()) };
    let durable = match recovered.watermark {
        WatermarkState::Known(known)
            if known.identity == recovered.identity && known.segment == segment.header.ordinal =>
        {
            known.end
        }
        _ => 0,
    };
    write_again(segment, durable, *end)?;
    segment.file.sync()
}

/// Writes what stands from `from` to `end` once more, as it is. After a sync that failed the system may take
/// what it did not write for clean: it can be read, and a further sync says yes and does nothing. Only what is
/// written again is synced again.
fn write_again(segment: &Segment, from: u64, end: u64) -> io::Result<()> {
    let mut at = from;
    let mut buffer = Vec::new();
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(SCAN_BYTES).min(SCAN_BYTES);
        buffer.resize(want, 0);
        if read_full(&*segment.file, &mut buffer, at)? < want {
            return Err(of_file(&segment.name)(io::ErrorKind::UnexpectedEof.into()));
        }
        segment.file.write_at(&buffer, at)?;
        at += want as u64;
    }
    Ok(())
}

/// Makes an empty log where there is none. Whether it did.
fn create(storage: &dyn Storage, options: &Options) -> Result<bool, OpenError> {
    let dir = storage.describe();
    let names = storage.list().map_err(OpenError::io(&dir, "list the files"))?;
    if names.iter().any(|name| name == META_FILE) {
        return Ok(false);
    }
    if let Some(segment) = names.iter().find(|name| parse_segment_name(name).is_some()) {
        let reason = format!("it is not there, and the segment {segment} is");
        return Err(OpenError::damaged(dir, Damage { segment: META_FILE.to_owned(), offset: 0, reason }));
    }
    let slots = Watermark::slots(storage).map_err(OpenError::io(&dir, "read the watermark"))?;
    if let Some(record) = slots.iter().max_by_key(|record| record.sequence)
        && record.sequence > Sequence::START
    {
        let (sequence, log) = (record.sequence, record.identity.log);
        let reason = format!(
            "it is not there, nor is any segment, and {WATERMARK_FILE} names commit {sequence} of log {log}"
        );
        return Err(OpenError::damaged(dir, Damage { segment: META_FILE.to_owned(), offset: 0, reason }));
    }
    let identity = LogIdentity { log: fresh_log_id(&*options.entropy), generation: 1 };
    let meta = Meta { identity, created_at: options.clock.now() };
    let origin = WatermarkRecord {
        identity,
        segment: 0,
        sequence: Sequence::START,
        position: Position::START,
        end: 0,
    };
    Watermark::create(storage, &origin).map_err(OpenError::io(&dir, "make the watermark"))?;
    write_meta(storage, &meta).map_err(OpenError::io(&dir, "make the meta file"))?;
    Ok(true)
}

/// Replaces `meta`, whole or not at all.
pub(crate) fn write_meta(storage: &dyn Storage, meta: &Meta) -> io::Result<()> {
    let file = storage.open(META_FILE_NEXT, OpenMode::Create)?;
    file.write_at(&meta.encode(), 0)?;
    file.sync()?;
    storage.rename(META_FILE_NEXT, META_FILE)?;
    storage.sync_dir()
}

pub(crate) fn read_meta(storage: &dyn Storage) -> Result<Meta, OpenError> {
    let dir = storage.describe();
    let failed = || OpenError::io(&dir, "read the identity");
    let file = storage.open(META_FILE, OpenMode::Read).map_err(of_file(META_FILE)).map_err(failed())?;
    let mut bytes = [0; META_BYTES];
    let read = read_full(&*file, &mut bytes, 0).map_err(of_file(META_FILE)).map_err(failed())?;
    Meta::decode(&bytes[..read]).map_err(|flaw| {
        let damage = Damage { segment: META_FILE.to_owned(), offset: 0, reason: flaw.0 };
        OpenError::damaged(dir, damage)
    })
}
