//! Copies a log up to a cut into another directory: the frames of its segments as they are, each verified on its
//! way, an identity, and a watermark that names the last commit of the copy.
//!
//! Footers and index files stay behind: they follow from the frames. So a segment that is not the last gives the
//! same bytes in every copy. Never changes what it copies from.

use crate::{
    cut::Cut,
    error::{Damage, OpenError},
    format::{
        META_FILE, Meta, SEGMENT_HEADER_BYTES, WATERMARK_FILE, WatermarkRecord, parse_segment_name,
        segment_name,
    },
    frames::{Frames, Step},
    recovery::{read_meta, write_meta},
    segment::Segment,
    storage::{FileStorage, OpenMode, Storage, StorageFile, of_file, read_full},
    watermark::Watermark,
};
use factum_event::{LogIdentity, Position, Sequence, Timestamp};
use factum_store::{Entropy, Head, SystemEntropy};
use std::{io, path::Path, sync::Arc};

/// So much is read and written at a time, in bytes.
const CHUNK_BYTES: usize = 1024 * 1024;
/// The next generation lies up to so far ahead, at random: of two copies of one log that are both restored, what
/// refers to one must not pass for the other's.
const GENERATIONS_AHEAD: u32 = 1 << 20;

/// How a log is copied.
#[derive(Clone, Copy, Debug)]
pub struct CopyOptions<'a> {
    /// Up to where. Never further than [`crate::durable_cut`] said.
    pub cut: Cut,
    /// Of these only commits whose events end at or before this position.
    pub until: Option<Position>,
    /// The copy is to be written to, as another life of the log: its generation is another one.
    pub begin_generation: bool,
    /// What the target already holds of the same generation, from an earlier copy.
    pub held: &'a [CopiedSegment],
}

impl CopyOptions<'_> {
    /// The same generation, all up to the cut, to where nothing is.
    pub fn new(cut: Cut) -> Self {
        Self { cut, until: None, begin_generation: false, held: &[] }
    }
}

/// A segment of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedSegment {
    /// The file.
    pub name: String,
    /// How much of the file belongs to the copy, in bytes.
    pub bytes: u64,
    /// The last commit and event in it.
    pub head: Head,
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Which log the copy is.
    pub identity: LogIdentity,
    /// How far it goes.
    pub head: Head,
    /// Its segments, those that were held before included.
    pub segments: Vec<CopiedSegment>,
}

/// Told of the bytes of each file of a copy in their order, also of those that were held before.
pub type Told<'a> = &'a mut dyn FnMut(&str, &[u8]);

/// Copies the log in `from` to `to`, which holds nothing else, and makes the copy durable. `told` hears the bytes
/// of segments that were read; one that was held before and is not the last is not read again.
///
/// # Errors
/// [`OpenError::Damaged`] when what is copied is not whole; or as the file system says. What was written then is
/// of no use.
pub fn copy(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    options: &CopyOptions<'_>,
    told: Told<'_>,
) -> Result<Copied, OpenError> {
    let to = to.as_ref();
    let storage = FileStorage::new(to);
    std::fs::create_dir_all(to).map_err(OpenError::io(&storage.describe(), "make the directory"))?;
    copy_on(&FileStorage::new(from.as_ref()), &storage, options, told)
}

/// As [`copy`], on any storage.
///
/// # Errors
/// As [`copy`].
pub fn copy_on(
    from: &dyn Storage,
    to: &dyn Storage,
    options: &CopyOptions<'_>,
    told: Told<'_>,
) -> Result<Copied, OpenError> {
    let meta = read_meta(from)?;
    if meta.identity != options.cut.identity {
        let reason = "it is another log, or another generation, than was looked at".to_owned();
        let damage = Damage { segment: META_FILE.to_owned(), offset: 0, reason };
        return Err(OpenError::damaged(from.describe(), damage));
    }
    let start = Head { position: Position::START, sequence: Sequence::START };
    let mut copy = Copy { from, to, options, told, head: start, recorded_at: None, segments: Vec::new() };
    copy.segments()?;
    let Copy { head, segments, .. } = copy;
    let target = to.describe();
    let mut identity = meta.identity;
    if options.begin_generation {
        identity.generation = next_generation(identity.generation, &SystemEntropy).ok_or_else(|| {
            let reason = "its generation is among the last there can be".to_owned();
            let damage = Damage { segment: META_FILE.to_owned(), offset: 0, reason };
            OpenError::damaged(from.describe(), damage)
        })?;
    }
    let record = WatermarkRecord {
        identity,
        segment: u32::try_from(segments.len()).expect("segments are numbered in 32 bits"),
        sequence: head.sequence,
        position: head.position,
        end: segments.last().map_or(0, |segment| segment.bytes),
    };
    Watermark::create(to, &record).map_err(OpenError::io(&target, "write the watermark"))?;
    write_meta(to, &Meta { identity, ..meta }).map_err(OpenError::io(&target, "write the meta file"))?;
    Ok(Copied { identity, head, segments })
}

/// The names of the files of a copy beside its segments: they follow from what is told of the copy.
pub const COPY_FILES: [&str; 2] = [META_FILE, WATERMARK_FILE];

/// A generation after this one, none if there is none left.
pub(crate) fn next_generation(generation: u32, entropy: &dyn Entropy) -> Option<u32> {
    let mut random = [0; 4];
    entropy.fill(&mut random);
    generation.checked_add(1 + u32::from_le_bytes(random) % GENERATIONS_AHEAD)
}

struct Copy<'a, 'b> {
    from: &'a dyn Storage,
    to: &'a dyn Storage,
    options: &'a CopyOptions<'a>,
    told: Told<'b>,
    head: Head,
    recorded_at: Option<Timestamp>,
    segments: Vec<CopiedSegment>,
}

/// Whether a copy goes on after a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    NoFurther,
}

impl Copy<'_, '_> {
    fn segments(&mut self) -> Result<(), OpenError> {
        let (from, last) = (self.from, self.options.cut.head.sequence);
        let dir = from.describe();
        let mut names = from.list().map_err(OpenError::io(&dir, "list the segments"))?;
        names.retain(|name| parse_segment_name(name).is_some());
        names.sort_unstable();
        for (number, name) in names.iter().enumerate() {
            if self.head.sequence >= last {
                return Ok(());
            }
            let next = names.get(number + 1).and_then(|name| parse_segment_name(name));
            if self.is_held(number, name, next) {
                continue;
            }
            if self.segment(number, name, next)? == Goes::NoFurther {
                return Ok(());
            }
        }
        if self.head.sequence < last {
            let reason = format!("the log ends at commit {}, and {last} was durable", self.head.sequence);
            let segment = segment_name(self.head.sequence.next().get());
            return Err(OpenError::damaged(dir, Damage { segment, offset: 0, reason }));
        }
        Ok(())
    }

    /// Whether the target has this segment, whole. A segment that another one follows never changes.
    fn is_held(&mut self, number: usize, name: &str, next: Option<u64>) -> bool {
        let Some(held) = self.options.held.get(number).filter(|held| held.name == name) else { return false };
        let is_whole = next.and_then(|next| next.checked_sub(1)) == Some(held.head.sequence.get());
        if is_whole && held.head.sequence <= self.options.cut.head.sequence {
            self.head = held.head;
            self.segments.push(held.clone());
            return true;
        }
        false
    }

    fn segment(&mut self, number: usize, name: &str, next: Option<u64>) -> Result<Goes, OpenError> {
        let dir = self.from.describe();
        let damaged = |offset: u64, reason: String| {
            OpenError::damaged(dir.clone(), Damage { segment: name.to_owned(), offset, reason })
        };
        let unread = || OpenError::io(&dir, format!("read {name}"));
        let segment = Segment::open(self.from, name, OpenMode::Read).map_err(unread())?;
        let segment = segment.map_err(|flaw| damaged(0, flaw.0))?;
        let header = &segment.header;
        let due = (number as u64 + 1, self.head.position.next(), self.head.sequence.next());
        if (u64::from(header.ordinal), header.base_position, header.base_sequence) != due
            || header.identity.log != self.options.cut.identity.log
        {
            return Err(damaged(0, "it does not follow the segment before it".to_owned()));
        }
        let start = SEGMENT_HEADER_BYTES as u64;
        let mut frames = Frames::new(&*segment.file, header.salt, start, u64::MAX).map_err(unread())?;
        let (mut out, mut end) = (None, start);
        let goes = loop {
            let last = self.head.sequence;
            if last >= self.options.cut.head.sequence {
                break Goes::NoFurther;
            }
            if next == Some(last.next().get()) {
                break Goes::On;
            }
            let at = frames.at();
            let view = match frames.step().map_err(unread())? {
                Step::Commit { view, .. } => view,
                Step::Flawed(flaw) => return Err(damaged(at, flaw.0)),
                Step::End => return Err(damaged(at, format!("it ends before commit {}", last.next()))),
            };
            let (sequence, base) = (view.sequence(), view.base_position());
            let follows = sequence == last.next() && base == self.head.position.next();
            if !follows || self.recorded_at.is_some_and(|before| before > view.recorded_at()) {
                return Err(damaged(at, format!("commit {sequence} does not follow the one before it")));
            }
            let head = Head { position: view.last_position(), sequence };
            if self.options.until.is_some_and(|until| head.position > until) {
                break Goes::NoFurther;
            }
            self.recorded_at = Some(view.recorded_at());
            self.head = head;
            end = frames.at();
            let out = match &mut out {
                Some(out) => out,
                // Not before there is a commit for it: an empty segment is none of a copy.
                none => none.insert(Out::open(self.to, name, self.held_bytes(number, name))?),
            };
            if end - out.copied >= CHUNK_BYTES as u64 {
                out.copy(&segment, &dir, end, &mut *self.told)?;
            }
        };
        if let Some(mut out) = out {
            out.copy(&segment, &dir, end, &mut *self.told)?;
            out.file.sync().map_err(OpenError::io(&self.to.describe(), format!("write {name}")))?;
            let name = name.to_owned();
            self.segments.push(CopiedSegment { name, bytes: end, head: self.head });
        }
        Ok(goes)
    }

    /// How much of a segment the target already has.
    fn held_bytes(&self, number: usize, name: &str) -> u64 {
        let held = self.options.held.get(number).filter(|held| held.name == name);
        held.map_or(0, |held| held.bytes)
    }
}

/// A segment of the target.
struct Out {
    dir: String,
    file: Arc<dyn StorageFile>,
    copied: u64,
    /// Up to here it was written before.
    held: u64,
}

impl Out {
    fn open(to: &dyn Storage, name: &str, held: u64) -> Result<Self, OpenError> {
        let dir = to.describe();
        let mode = if held > 0 { OpenMode::Write } else { OpenMode::Create };
        let file =
            to.open(name, mode).map_err(of_file(name)).map_err(OpenError::io(&dir, "make a segment"))?;
        Ok(Self { dir, file, copied: 0, held })
    }

    /// Copies on up to `end`; what was written before is compared.
    fn copy(&mut self, from: &Segment, dir: &str, end: u64, told: Told<'_>) -> Result<(), OpenError> {
        let name = &from.name;
        let (mut bytes, mut before) = (vec![0; CHUNK_BYTES], Vec::new());
        while self.copied < end {
            let up_to = if self.copied < self.held { end.min(self.held) } else { end };
            let length = usize::try_from(up_to - self.copied).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            let bytes = &mut bytes[..length];
            let unread = || OpenError::io(dir, format!("read {name}"));
            if read_full(&*from.file, bytes, self.copied).map_err(unread())? < length {
                return Err(unread()(io::ErrorKind::UnexpectedEof.into()));
            }
            if self.copied < self.held {
                before.resize(length, 0);
                let read = read_full(&*self.file, &mut before, self.copied);
                let read = read.map_err(OpenError::io(&self.dir, format!("read {name}")))?;
                if before[..read] != *bytes {
                    let reason = "it holds other bytes than what was to be copied".to_owned();
                    let damage = Damage { segment: name.to_string(), offset: self.copied, reason };
                    return Err(OpenError::damaged(self.dir.clone(), damage));
                }
            } else {
                let written = self.file.write_at(bytes, self.copied);
                written.map_err(OpenError::io(&self.dir, format!("write {name}")))?;
            }
            told(name, bytes);
            self.copied += length as u64;
        }
        Ok(())
    }
}
