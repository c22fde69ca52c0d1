//! The part of the index that an index file holds, read in place. Immutable. Whatever the file says, a read
//! stays within it: what does not fit is taken for nothing.

use super::{KeyKind, Progress, active::CommitEntry, build::Sink, list::List};
use crate::{
    format::{
        COMMIT_RECORD_BYTES, Cursor, FILTER_BLOCK_BYTES, Flaw, INDEX_HEADER_BYTES, INDEX_SECTIONS,
        IndexHeader, IndexSection, KEY_IS_RUN, KEY_RECORD_BYTES, SEGMENT_RECORD_BYTES, SegmentHeader,
    },
    map::prefetch,
    storage::FileMap,
};
use factum_event::{Position, Sequence, Source};
use std::{collections::HashMap, io, sync::Arc};

/// An index file, mapped, or the same bytes in memory.
#[derive(Debug)]
pub(crate) struct Sealed {
    map: Arc<dyn FileMap>,
    pub(crate) header: IndexHeader,
    /// The name of the file; none while there is none.
    pub(crate) file: Option<String>,
}

/// A segment as an index file knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) ordinal: u32,
    pub(crate) salt: u32,
    pub(crate) base_sequence: Sequence,
    pub(crate) base_position: Position,
    /// Where its frames end.
    pub(crate) end: u64,
}

impl Covered {
    pub(crate) fn new(header: &SegmentHeader, end: u64) -> Self {
        let SegmentHeader { ordinal, salt, base_sequence, base_position, .. } = *header;
        Self { ordinal, salt, base_sequence, base_position, end }
    }
}

/// One key of a sealed part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredKey<'a> {
    pub(crate) hash: u64,
    pub(crate) kind: u8,
    pub(crate) text: &'a [u8],
    pub(crate) before: u32,
    pub(crate) list: List<'a>,
}

impl Sealed {
    /// Checks the header and that its sections fit the file; not what the sections hold.
    pub(crate) fn open(map: Arc<dyn FileMap>, length: u64, file: Option<String>) -> Result<Self, Flaw> {
        let head = map.slice(0..(INDEX_HEADER_BYTES as u64).min(length));
        let header = IndexHeader::decode(head.unwrap_or_default(), length)?;
        if map.slice(0..length).is_none() {
            return Err("it is shorter than it says".into());
        }
        Ok(Self { map, header, file })
    }

    /// Checks every byte of the file against its checksums.
    pub(crate) fn verify(&self) -> Result<(), Flaw> {
        for section in INDEX_SECTIONS {
            let place = self.header.section(section);
            let bytes = place.end().and_then(|end| self.map.slice(place.start..end));
            let bytes = bytes.ok_or_else(|| Flaw("it is shorter than it says".to_owned()))?;
            if crc32fast::hash(bytes) != place.checksum {
                return Err(Flaw(format!(
                    "the checksum of its section {section:?}, {} bytes from byte {}, does not match",
                    bytes.len(),
                    place.start
                )));
            }
        }
        Ok(())
    }

    /// Writes the same bytes elsewhere; how many.
    pub(crate) fn write(&self, sink: &mut dyn Sink) -> io::Result<u64> {
        let bytes = self.map.slice(0..self.header.length).unwrap_or_default();
        sink.put(bytes, 0)?;
        Ok(self.header.length)
    }

    fn bytes(&self, section: IndexSection) -> &[u8] {
        let place = self.header.section(section);
        self.map.slice(place.start..place.start.saturating_add(place.length)).unwrap_or_default()
    }

    fn words(&self, section: IndexSection) -> &[[u8; 4]] {
        self.bytes(section).as_chunks().0
    }

    fn word(&self, section: IndexSection, index: u32) -> Option<u32> {
        self.words(section).get(index as usize).copied().map(u32::from_le_bytes)
    }

    /// The segments it was made from.
    pub(crate) fn covered(&self) -> impl Iterator<Item = Covered> {
        let (records, _) = self.bytes(IndexSection::Segments).as_chunks::<SEGMENT_RECORD_BYTES>();
        records.iter().filter_map(covered)
    }

    pub(crate) fn commit(&self, commit: u32) -> Option<CommitEntry> {
        let (records, _) = self.bytes(IndexSection::Commits).as_chunks::<COMMIT_RECORD_BYTES>();
        let mut fields = Cursor(records.get(commit as usize)?);
        Some(CommitEntry {
            frame: fields.u32()?,
            first: fields.u32()?,
            mixed: fields.array()?,
            bits: fields.u8()?,
        })
    }

    pub(crate) fn event(&self, event: u32) -> Option<u32> {
        self.word(IndexSection::Events, event)
    }

    #[inline]
    pub(crate) fn prefetch_event(&self, event: u32) {
        self.words(IndexSection::Events).get(event as usize).into_iter().for_each(|word| prefetch(word));
    }

    pub(crate) fn explicit(&self) -> List<'_> {
        List::Bytes(self.words(IndexSection::Explicit))
    }

    /// How far each source had come at the end of the part, from the start of the log.
    pub(crate) fn sources(&self) -> Vec<(&str, Progress)> {
        let mut fields = Cursor(self.bytes(IndexSection::Sources));
        std::iter::from_fn(move || {
            let (source, progress) = (fields.text()?, fields.u64()?);
            Some((source, Progress { progress, sequence: Sequence::new(fields.u64()?) }))
        })
        .collect()
    }

    /// The same, to be gone on with.
    pub(crate) fn last_steps(&self) -> HashMap<Source, Vec<Progress>> {
        let steps = self.sources().into_iter();
        steps.map(|(source, progress)| (Source::unchecked(source), vec![progress])).collect()
    }

    /// The numbers of a key, and how many events came before if it is a stream.
    pub(crate) fn find(&self, kind: KeyKind, hash: u64, text: &[u8]) -> Option<(u32, List<'_>)> {
        if !self.may_hold(hash) {
            return None;
        }
        let (records, _) = self.bytes(IndexSection::Keys).as_chunks::<KEY_RECORD_BYTES>();
        let bucket = self.bucket(IndexSection::KeyDirectory, hash, records.len());
        let records = records.get(bucket)?;
        let hash_of = |record: &[u8; KEY_RECORD_BYTES]| {
            u64::from_le_bytes(*record.first_chunk().expect("a record begins with a hash"))
        };
        let start = records.partition_point(|record| hash_of(record) < hash);
        let alike = records.get(start..)?;
        let alike = alike.get(..alike.partition_point(|record| hash_of(record) == hash))?;
        let order = |key: &StoredKey<'_>| (key.kind, key.text) < (kind as u8, text);
        let index = alike.partition_point(|record| self.key_of(record).is_some_and(|key| order(&key)));
        let key = self.key_of(alike.get(index)?)?;
        (key.kind == kind as u8 && key.text == text).then_some((key.before, key.list))
    }

    /// The key with this number, in their order: by hash, kind, text.
    pub(crate) fn key(&self, key: u32) -> Option<StoredKey<'_>> {
        let (records, _) = self.bytes(IndexSection::Keys).as_chunks::<KEY_RECORD_BYTES>();
        self.key_of(records.get(key as usize)?)
    }

    fn key_of(&self, record: &[u8; KEY_RECORD_BYTES]) -> Option<StoredKey<'_>> {
        let mut fields = Cursor(record);
        let (hash, text) = (fields.u64()?, fields.u64()?);
        let (numbers, count, before) = (fields.u64()?, fields.u32()?, fields.u32()?);
        let [start @ .., form, low, high] = text.to_le_bytes();
        let [a, b, c, d, e] = start;
        let start = usize::try_from(u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])).ok()?;
        let length = usize::from(u16::from_le_bytes([low, high]));
        let text = self.bytes(IndexSection::Texts).get(start..start.checked_add(length)?)?;
        let list = if form & KEY_IS_RUN != 0 {
            let most = self.header.events.max(self.header.commits);
            let first = u32::try_from(numbers).ok()?;
            // A run takes no room in the file, so only this bounds it.
            most.checked_sub(count).filter(|last| first <= *last)?;
            List::Run { first, count }
        } else {
            let start = usize::try_from(numbers).ok()?;
            let end = start.checked_add(count as usize)?;
            List::Bytes(self.words(IndexSection::Numbers).get(start..end)?)
        };
        Some(StoredKey { hash, kind: form & !KEY_IS_RUN, text, before, list })
    }

    /// The commits of a family, ascending.
    pub(crate) fn family(&self, family: &[u8; 12], hash: u64) -> Vec<u32> {
        if !self.may_hold(hash) {
            return Vec::new();
        }
        let commits = self.words(IndexSection::Families);
        let bucket = self.bucket(IndexSection::FamilyDirectory, family_prefix(family), commits.len());
        let commits = commits.get(bucket).unwrap_or_default();
        let family_of = |commit: &[u8; 4]| {
            self.commit(u32::from_le_bytes(*commit)).map(|commit| commit.family()).unwrap_or_default()
        };
        let start = commits.partition_point(|commit| family_of(commit) < *family);
        let of_family = commits.get(start..).unwrap_or_default().iter();
        let of_family = of_family.take_while(|commit| family_of(commit) == *family);
        of_family.map(|commit| u32::from_le_bytes(*commit)).collect()
    }

    /// The commit at this place in the order of families.
    pub(crate) fn by_family(&self, index: u32) -> Option<u32> {
        self.word(IndexSection::Families, index)
    }

    /// Where those stand whose first bits are those of `hash`.
    fn bucket(&self, directory: IndexSection, hash: u64, length: usize) -> std::ops::Range<usize> {
        let directory = self.words(directory);
        let buckets = directory.len().saturating_sub(1);
        let bucket = bucket_of(hash, buckets.checked_ilog2().unwrap_or(0));
        let at =
            |index: usize| directory.get(index).map_or(0, |at| u32::from_le_bytes(*at) as usize).min(length);
        let (start, end) = (at(bucket), at(bucket + 1));
        start..end.max(start)
    }

    /// False only if no key and no family has this hash. Looks at one line of the cache.
    fn may_hold(&self, hash: u64) -> bool {
        let (blocks, _) = self.bytes(IndexSection::Filter).as_chunks::<FILTER_BLOCK_BYTES>();
        let (block, bits) = filter_bits(hash, blocks.len());
        blocks.get(block).is_some_and(|block| bits.iter().all(|(byte, mask)| block[*byte] & mask != 0))
    }
}

fn covered(record: &[u8; SEGMENT_RECORD_BYTES]) -> Option<Covered> {
    let mut fields = Cursor(record);
    Some(Covered {
        ordinal: fields.u32()?,
        salt: fields.u32()?,
        base_sequence: Sequence::new(fields.u64()?),
        base_position: Position::new(fields.u64()?),
        end: fields.u64()?,
    })
}

/// The bucket of a hash among `2^bits`.
pub(crate) fn bucket_of(hash: u64, bits: u32) -> usize {
    let bucket = hash.checked_shr(u64::BITS - bits).unwrap_or(0);
    usize::try_from(bucket).expect("a directory has fewer than 2^32 buckets")
}

/// What a family is sorted by first.
pub(crate) fn family_prefix(family: &[u8; 12]) -> u64 {
    u64::from_be_bytes(*family.first_chunk().expect("a family has more than eight bytes"))
}

/// The block of a hash among so many, and six of its bits: each a byte of the block and a mask.
pub(crate) fn filter_bits(hash: u64, blocks: usize) -> (usize, [(usize, u8); 6]) {
    let block = ((hash >> 32) * blocks as u64) >> 32;
    let mut bits = [(0, 0); 6];
    // Nine bits each name one of the 512 of a block; they come from the half that does not choose it.
    let mut spread = (hash & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for bit in &mut bits {
        let nine = spread >> 55;
        *bit = (usize::try_from(nine >> 3).expect("six bits"), 1 << (nine & 7));
        spread = spread.rotate_left(9);
    }
    (usize::try_from(block).expect("fewer blocks than 2^32"), bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bucket_and_the_last_block_are_within_reach() {
        assert_eq!((bucket_of(u64::MAX, 0), bucket_of(u64::MAX, 3)), (0, 7));
        let (block, bits) = filter_bits(u64::MAX, 5);
        assert_eq!(block, 4);
        assert!(bits.iter().all(|(byte, mask)| *byte < FILTER_BLOCK_BYTES && *mask != 0));
    }
}
