//! Writes an index file, section by section, from a part in memory or from index files that are merged. What
//! is written follows from the log alone: the same segments give the same bytes, however they were merged.

use super::{
    active::{Active, CommitEntry},
    keys::{KeyKind, stored_hash},
    list::List,
    sealed::{Covered, Sealed, bucket_of, family_prefix, filter_bits},
};
use crate::format::{
    FILTER_BITS, FILTER_BLOCK_BYTES, INDEX_HEADER_BYTES, INDEX_SECTIONS, IndexHeader, KEY_IS_RUN,
    SECTION_ALIGNMENT, Section,
};
use factum_event::{LogIdentity, Position, Sequence};
use std::{io, sync::Arc};

/// Takes the bytes of an index file.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8], at: u64) -> io::Result<()>;
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        let start = usize::try_from(at).map_err(io::Error::other)?;
        let end = start + bytes.len();
        if self.len() < end {
            self.resize(end, 0);
        }
        self[start..end].copy_from_slice(bytes);
        Ok(())
    }
}

impl Sink for &dyn crate::storage::StorageFile {
    fn put(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write_at(bytes, at)
    }
}

/// A key and its numbers, which may come from several parts: each with how many events, or commits, stand
/// before that part.
#[derive(Debug)]
pub(crate) struct SourceKey<'a> {
    pub(crate) hash: u64,
    pub(crate) kind: u8,
    pub(crate) text: &'a [u8],
    pub(crate) before: u32,
    pub(crate) lists: &'a [(u32, List<'a>)],
}

impl SourceKey<'_> {
    fn count(&self) -> u32 {
        super::number(self.lists.iter().map(|(_, list)| list.len()).sum())
    }

    /// Where the numbers begin, if they are a run.
    fn run(&self) -> Option<u32> {
        let (shift, list) = self.lists.first()?;
        let first = shift.saturating_add(if list.is_empty() { return None } else { list.get(0) });
        let (shift, list) = self.lists.last()?;
        let last = shift.saturating_add(list.get(list.len().checked_sub(1)?));
        (last.checked_sub(first)? == self.count().checked_sub(1)?).then_some(first)
    }
}

type EachKey<'a> = &'a mut dyn FnMut(&SourceKey<'_>) -> io::Result<()>;
type Each<'a, T> = &'a mut dyn FnMut(T) -> io::Result<()>;

/// What an index file is made from. Each walk may be asked for several times and is the same each time.
pub(crate) trait Source {
    fn base(&self) -> (Position, Sequence);
    fn events(&self) -> u32;
    fn commits(&self) -> u32;
    fn each_commit(&self, each: Each<'_, CommitEntry>) -> io::Result<()>;
    /// The commits by family, then by number.
    fn each_family(&self, each: Each<'_, (u32, [u8; 12])>) -> io::Result<()>;
    fn each_event(&self, each: Each<'_, u32>) -> io::Result<()>;
    /// The keys by hash, kind, text; only those that have numbers.
    fn each_key(&self, each: EachKey<'_>) -> io::Result<()>;
    fn each_explicit(&self, each: Each<'_, u32>) -> io::Result<()>;
    /// How far each source had come, by name.
    fn sources(&self) -> Vec<(&str, super::Progress)>;
}

/// Bytes gathered before they are written.
const GATHER_BYTES: usize = 256 * 1024;

struct Writing<'a> {
    sink: &'a mut dyn Sink,
    buffer: Vec<u8>,
    at: u64,
    start: u64,
    checksum: crc32fast::Hasher,
    sections: Vec<Section>,
}

impl Writing<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= GATHER_BYTES { self.flush() } else { Ok(()) }
    }

    fn words(&mut self, words: &[u32]) -> io::Result<()> {
        words.iter().try_for_each(|word| self.put(&word.to_le_bytes()))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.checksum.update(&self.buffer);
        self.sink.put(&self.buffer, self.at)?;
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn end_section(&mut self) -> io::Result<()> {
        let length = self.at + self.buffer.len() as u64 - self.start;
        let zeros = length.next_multiple_of(SECTION_ALIGNMENT) - length;
        self.buffer.resize(self.buffer.len() + usize::try_from(zeros).expect("less than a line"), 0);
        self.flush()?;
        let checksum = std::mem::take(&mut self.checksum).finalize();
        self.sections.push(Section { start: self.start, length, checksum });
        self.start = self.at;
        Ok(())
    }
}

/// Where each bucket starts.
struct Directory {
    bits: u32,
    starts: Vec<u32>,
}

impl Directory {
    /// For so many entries, about eight a bucket.
    fn new(entries: u32) -> Self {
        let bits = (entries / 8).max(1).next_power_of_two().ilog2();
        Self { bits, starts: vec![0; (1 << bits) + 1] }
    }

    fn count(&mut self, hash: u64) {
        self.starts[bucket_of(hash, self.bits) + 1] += 1;
    }

    fn finish(mut self) -> Vec<u32> {
        for bucket in 1..self.starts.len() {
            self.starts[bucket] += self.starts[bucket - 1];
        }
        self.starts
    }
}

/// Writes the whole file; how long it is.
pub(crate) fn write(
    source: &dyn Source,
    identity: LogIdentity,
    covered: &[Covered],
    sink: &mut dyn Sink,
) -> io::Result<u64> {
    let start = INDEX_HEADER_BYTES as u64;
    let buffer = Vec::with_capacity(GATHER_BYTES + 1024);
    let (checksum, sections) = (crc32fast::Hasher::new(), Vec::new());
    let mut out = Writing { sink, buffer, at: start, start, checksum, sections };
    for segment in covered {
        out.put(&segment.ordinal.to_le_bytes())?;
        out.put(&segment.salt.to_le_bytes())?;
        out.put(&segment.base_sequence.get().to_le_bytes())?;
        out.put(&segment.base_position.get().to_le_bytes())?;
        out.put(&segment.end.to_le_bytes())?;
    }
    out.end_section()?;
    source.each_commit(&mut |commit| {
        out.words(&[commit.frame, commit.first])?;
        out.put(&commit.mixed)?;
        out.put(&[commit.bits, 0, 0, 0])
    })?;
    out.end_section()?;
    let mut families = Directory::new(source.commits());
    source.each_family(&mut |(commit, family)| {
        families.count(family_prefix(&family));
        out.words(&[commit])
    })?;
    out.end_section()?;
    out.words(&families.finish())?;
    out.end_section()?;
    source.each_event(&mut |event| out.words(&[event]))?;
    out.end_section()?;
    let keys = write_keys(source, &mut out)?;
    source.each_explicit(&mut |event| out.words(&[event]))?;
    out.end_section()?;
    for (source, super::Progress { progress, sequence }) in source.sources() {
        out.put(&u16::try_from(source.len()).expect("names of sources are short").to_le_bytes())?;
        out.put(source.as_bytes())?;
        out.put(&progress.to_le_bytes())?;
        out.put(&sequence.get().to_le_bytes())?;
    }
    out.end_section()?;
    let (base_position, base_sequence) = source.base();
    let header = IndexHeader {
        identity,
        segments: super::number(covered.len()),
        base_position,
        base_sequence,
        events: source.events(),
        commits: source.commits(),
        keys,
        length: out.at,
        sections: std::array::from_fn(|section| out.sections[section]),
    };
    debug_assert_eq!(out.sections.len(), INDEX_SECTIONS.len());
    let length = out.at;
    sink.put(&header.encode(), 0)?;
    Ok(length)
}

/// The sections from `Keys` to `Filter`; how many keys there are.
fn write_keys(source: &dyn Source, out: &mut Writing<'_>) -> io::Result<u32> {
    let (mut keys, mut texts, mut numbers) = (0_u32, 0_u64, 0_u64);
    source.each_key(&mut |key| {
        let run = key.run();
        let (at, form) = match run {
            Some(first) => (u64::from(first), KEY_IS_RUN),
            None => (numbers, 0),
        };
        let length = u16::try_from(key.text.len()).expect("keys are short").to_le_bytes();
        out.put(&key.hash.to_le_bytes())?;
        out.put(&texts.to_le_bytes()[..5])?;
        out.put(&[key.kind | form])?;
        out.put(&length)?;
        out.put(&at.to_le_bytes())?;
        out.words(&[key.count(), key.before])?;
        keys += 1;
        texts += key.text.len() as u64;
        if run.is_none() {
            numbers += u64::from(key.count());
        }
        Ok(())
    })?;
    out.end_section()?;
    let mut directory = Directory::new(keys);
    let mut filter = Filter::new(keys, source.commits());
    source.each_key(&mut |key| {
        directory.count(key.hash);
        filter.add(key.hash);
        Ok(())
    })?;
    source.each_family(&mut |(_, family)| {
        filter.add(stored_hash(KeyKind::Family, &family));
        Ok(())
    })?;
    out.words(&directory.finish())?;
    out.end_section()?;
    source.each_key(&mut |key| out.put(key.text))?;
    out.end_section()?;
    source.each_key(&mut |key| {
        if key.run().is_some() {
            return Ok(());
        }
        key.lists.iter().try_for_each(|(shift, list)| {
            list.iter().try_for_each(|number| out.words(&[shift.saturating_add(number)]))
        })
    })?;
    out.end_section()?;
    out.put(&filter.0)?;
    out.end_section()?;
    Ok(keys)
}

struct Filter(Vec<u8>);

impl Filter {
    fn new(keys: u32, commits: u32) -> Self {
        let bits = (u64::from(keys) + u64::from(commits)) * FILTER_BITS;
        let blocks = bits.div_ceil(8 * FILTER_BLOCK_BYTES as u64).max(1);
        Self(vec![0; usize::try_from(blocks).expect("a filter fits the memory") * FILTER_BLOCK_BYTES])
    }

    fn add(&mut self, hash: u64) {
        let (block, bits) = filter_bits(hash, self.0.len() / FILTER_BLOCK_BYTES);
        let block = &mut self.0[block * FILTER_BLOCK_BYTES..][..FILTER_BLOCK_BYTES];
        bits.iter().for_each(|(byte, mask)| block[*byte] |= mask);
    }
}

/// A part in memory, put in order.
struct Sorted<'a> {
    active: &'a Active,
    /// The hash in the file, and the key.
    keys: Vec<(u64, u32)>,
    families: Vec<([u8; 12], u32)>,
}

impl<'a> Sorted<'a> {
    fn new(active: &'a Active) -> Self {
        let with_numbers = (0..super::number(active.keys.len())).filter_map(|entry| {
            let key = active.keys.at(entry);
            (!key.list.is_empty()).then(|| (stored_hash(key.kind, key.text), entry))
        });
        let mut keys: Vec<_> = with_numbers.collect();
        keys.sort_unstable_by(|(hash, entry), (other_hash, other)| {
            hash.cmp(other_hash).then_with(|| {
                let (key, other) = (active.keys.at(*entry), active.keys.at(*other));
                (key.kind, key.text).cmp(&(other.kind, other.text))
            })
        });
        let families = active.commits.iter().map(CommitEntry::family).zip(0..);
        let mut families: Vec<_> = families.collect();
        families.sort_unstable();
        Self { active, keys, families }
    }
}

impl Source for Sorted<'_> {
    fn base(&self) -> (Position, Sequence) {
        (Position::new(self.active.base_position), Sequence::new(self.active.base_sequence))
    }

    fn events(&self) -> u32 {
        super::number(self.active.events.len())
    }

    fn commits(&self) -> u32 {
        super::number(self.active.commits.len())
    }

    fn each_commit(&self, each: Each<'_, CommitEntry>) -> io::Result<()> {
        self.active.commits.iter().try_for_each(|commit| each(*commit))
    }

    fn each_family(&self, each: Each<'_, (u32, [u8; 12])>) -> io::Result<()> {
        self.families.iter().try_for_each(|(family, commit)| each((*commit, *family)))
    }

    fn each_event(&self, each: Each<'_, u32>) -> io::Result<()> {
        self.active.events.iter().try_for_each(|event| each(*event))
    }

    fn each_key(&self, each: EachKey<'_>) -> io::Result<()> {
        self.keys.iter().try_for_each(|(hash, entry)| {
            let key = self.active.keys.at(*entry);
            let lists = [(0, key.list)];
            each(&SourceKey {
                hash: *hash,
                kind: key.kind as u8,
                text: key.text,
                before: key.before,
                lists: &lists,
            })
        })
    }

    fn each_explicit(&self, each: Each<'_, u32>) -> io::Result<()> {
        self.active.explicit.iter().try_for_each(|event| each(*event))
    }

    fn sources(&self) -> Vec<(&str, super::Progress)> {
        let last =
            self.active.sources.iter().filter_map(|(source, steps)| Some((source.as_str(), *steps.last()?)));
        let mut sources: Vec<_> = last.collect();
        sources.sort_unstable_by_key(|(source, _)| *source);
        sources
    }
}

/// Writes the index file of a part in memory; how long it is.
pub(crate) fn write_active(
    active: &Active,
    identity: LogIdentity,
    covered: &[Covered],
    sink: &mut dyn Sink,
) -> io::Result<u64> {
    write(&Sorted::new(active), identity, covered, sink)
}

/// The same as a file, in memory alone.
pub(crate) fn sealed_in_memory(active: &Active, identity: LogIdentity, covered: &[Covered]) -> Sealed {
    let mut bytes = Vec::new();
    let length = write_active(active, identity, covered, &mut bytes).expect("memory does not fail to write");
    Sealed::open(Arc::new(bytes), length, None).expect("what was just written reads back")
}
