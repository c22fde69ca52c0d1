//! The index file of sealed segments: a header, then sections of records of fixed length, each section with
//! a checksum of its own. Says where every byte stands; never looks anything up.

use super::{Cursor, Flaw, VERSION_WRITTEN, VERSIONS_READ};
use factum_event::{LogId, LogIdentity, Position, Sequence};

/// What an index file's name ends with, after the sequences of its first and its last commit.
pub(crate) const INDEX_SUFFIX: &str = ".idx";
/// What its name ends with until it is whole.
pub(crate) const INDEX_SUFFIX_NEXT: &str = ".idx.next";
/// The length of its header; the first section follows it.
pub(crate) const INDEX_HEADER_BYTES: usize = 384;
/// Sections start at a multiple of this many bytes, so that a block of the filter is one line of the cache.
pub(crate) const SECTION_ALIGNMENT: u64 = 64;

/// One segment that the file covers: ordinal 4, salt 4, base sequence 8, base position 8, end of its frames 8.
pub(crate) const SEGMENT_RECORD_BYTES: usize = 32;
/// One commit: frame 4, first event 4, mixed command id 16, bits 1, zero 3.
pub(crate) const COMMIT_RECORD_BYTES: usize = 28;
/// One key: hash 8, place of its text 5, kind and form 1, length of its text 2, numbers 8, count 4, before 4.
pub(crate) const KEY_RECORD_BYTES: usize = 32;
/// One block of the filter.
pub(crate) const FILTER_BLOCK_BYTES: usize = 64;
/// Of the filter, for each key and each commit.
pub(crate) const FILTER_BITS: u64 = 12;
/// In the form of a key: its numbers are `numbers`, `numbers + 1` and so on.
pub(crate) const KEY_IS_RUN: u8 = 0x80;

const MAGIC: &[u8; 8] = b"FACTUMIX";
const CHECKSUM: std::ops::Range<usize> = 12..16;
const SECTION_TABLE: usize = 80;
const SECTION_BYTES: usize = 24;

/// The sections, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexSection {
    /// The segments it covers, in order.
    Segments,
    /// The commits, in order.
    Commits,
    /// The numbers of the commits by family, then by number.
    Families,
    /// By the first bits of a family, where those that begin so start in `Families`; one more at the end.
    FamilyDirectory,
    /// Of each event, where it starts in its segment, in 4 bytes.
    Events,
    /// The keys by hash, kind, text.
    Keys,
    /// By the first bits of a hash, where those that begin so start in `Keys`; one more at the end.
    KeyDirectory,
    /// The texts of the keys, end to end.
    Texts,
    /// The numbers of keys whose numbers are no run, ascending, in 4 bytes each.
    Numbers,
    /// What keys and families are surely not here.
    Filter,
    /// The numbers of the events that were given an id, ascending.
    Explicit,
    /// How far each source had come at the end, from the start of the log.
    Sources,
}

pub(crate) const INDEX_SECTIONS: [IndexSection; 12] = [
    IndexSection::Segments,
    IndexSection::Commits,
    IndexSection::Families,
    IndexSection::FamilyDirectory,
    IndexSection::Events,
    IndexSection::Keys,
    IndexSection::KeyDirectory,
    IndexSection::Texts,
    IndexSection::Numbers,
    IndexSection::Filter,
    IndexSection::Explicit,
    IndexSection::Sources,
];

/// Where a section stands. Its checksum covers the zeros up to the next one as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) start: u64,
    pub(crate) length: u64,
    pub(crate) checksum: u32,
}

impl Section {
    /// Where it ends, with the zeros up to the next one.
    pub(crate) fn end(&self) -> Option<u64> {
        self.start.checked_add(self.length)?.checked_next_multiple_of(SECTION_ALIGNMENT)
    }
}

/// What an index file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexHeader {
    /// That of the last segment it covers.
    pub(crate) identity: LogIdentity,
    pub(crate) segments: u32,
    pub(crate) base_position: Position,
    pub(crate) base_sequence: Sequence,
    pub(crate) events: u32,
    pub(crate) commits: u32,
    pub(crate) keys: u32,
    /// The length of the whole file.
    pub(crate) length: u64,
    pub(crate) sections: [Section; INDEX_SECTIONS.len()],
}

impl IndexHeader {
    pub(crate) fn section(&self, part: IndexSection) -> Section {
        self.sections[part as usize]
    }

    pub(crate) fn encode(&self) -> [u8; INDEX_HEADER_BYTES] {
        let mut out = [0; INDEX_HEADER_BYTES];
        out[0..8].copy_from_slice(MAGIC);
        out[8] = VERSION_WRITTEN;
        out[16..32].copy_from_slice(self.identity.log.get().as_bytes());
        out[32..36].copy_from_slice(&self.identity.generation.to_le_bytes());
        out[36..40].copy_from_slice(&self.segments.to_le_bytes());
        out[40..48].copy_from_slice(&self.base_position.get().to_le_bytes());
        out[48..56].copy_from_slice(&self.base_sequence.get().to_le_bytes());
        out[56..60].copy_from_slice(&self.events.to_le_bytes());
        out[60..64].copy_from_slice(&self.commits.to_le_bytes());
        out[64..68].copy_from_slice(&self.keys.to_le_bytes());
        out[72..80].copy_from_slice(&self.length.to_le_bytes());
        for (section, out) in self.sections.iter().zip(out[SECTION_TABLE..].chunks_mut(SECTION_BYTES)) {
            out[0..8].copy_from_slice(&section.start.to_le_bytes());
            out[8..16].copy_from_slice(&section.length.to_le_bytes());
            out[16..20].copy_from_slice(&section.checksum.to_le_bytes());
        }
        let checksum = checksum(&out);
        out[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// The header of a file of `length` bytes, once its checksum, its lengths and its sections agree.
    pub(crate) fn decode(bytes: &[u8], length: u64) -> Result<Self, Flaw> {
        let Some(record) = bytes.first_chunk::<INDEX_HEADER_BYTES>() else {
            return Err("its header is cut off".into());
        };
        if record[..8] != MAGIC[..] {
            return Err("it does not begin with its magic".into());
        }
        if !VERSIONS_READ.contains(&record[8]) {
            return Err(Flaw(format!(
                "it has format version {}, which this release does not read",
                record[8]
            )));
        }
        if record[CHECKSUM] != checksum(record).to_le_bytes() {
            return Err("the checksum of its header does not match".into());
        }
        let header = Self::read(&record[16..]).ok_or_else(|| Flaw("its header is cut off".to_owned()))?;
        if header.length != length {
            return Err(Flaw(format!("it has {length} bytes, and its header says {}", header.length)));
        }
        if !header.is_consistent() {
            return Err("its sections contradict each other".into());
        }
        Ok(header)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Cursor(bytes);
        let identity = LogIdentity { log: LogId::new(fields.uuid()?), generation: fields.u32()? };
        let segments = fields.u32()?;
        let (position, sequence) = (Position::new(fields.u64()?), Sequence::new(fields.u64()?));
        let (events, commits, keys) = (fields.u32()?, fields.u32()?, fields.u32()?);
        fields.u32()?;
        let length = fields.u64()?;
        let mut sections = [Section::default(); INDEX_SECTIONS.len()];
        for section in &mut sections {
            *section = Section { start: fields.u64()?, length: fields.u64()?, checksum: fields.u32()? };
            fields.u32()?;
        }
        let (base_position, base_sequence) = (position, sequence);
        Some(Self {
            identity,
            segments,
            base_position,
            base_sequence,
            events,
            commits,
            keys,
            length,
            sections,
        })
    }

    /// Sections follow each other without a gap, and each is as long as what it holds.
    fn is_consistent(&self) -> bool {
        let mut at = INDEX_HEADER_BYTES as u64;
        for section in &self.sections {
            match section.end() {
                Some(end) if section.start == at => at = end,
                _ => return false,
            }
        }
        let holds = |part: IndexSection, count: u32, bytes: usize| {
            self.section(part).length == u64::from(count) * bytes as u64
        };
        let is_directory = |part: IndexSection| {
            let length = self.section(part).length;
            length.is_multiple_of(4) && (length / 4).checked_sub(1).is_some_and(u64::is_power_of_two)
        };
        let blocks = self.section(IndexSection::Filter).length;
        at == self.length
            && self.segments > 0
            && self.commits > 0
            && self.base_position.get().checked_add(u64::from(self.events)).is_some()
            && self.base_sequence.get().checked_add(u64::from(self.commits)).is_some()
            && self.base_position.get() > 0
            && self.base_sequence.get() > 0
            && holds(IndexSection::Segments, self.segments, SEGMENT_RECORD_BYTES)
            && holds(IndexSection::Commits, self.commits, COMMIT_RECORD_BYTES)
            && holds(IndexSection::Families, self.commits, 4)
            && holds(IndexSection::Events, self.events, 4)
            && holds(IndexSection::Keys, self.keys, KEY_RECORD_BYTES)
            && is_directory(IndexSection::FamilyDirectory)
            && is_directory(IndexSection::KeyDirectory)
            && self.section(IndexSection::Numbers).length.is_multiple_of(4)
            && self.section(IndexSection::Explicit).length.is_multiple_of(4)
            && blocks > 0
            && blocks.is_multiple_of(FILTER_BLOCK_BYTES as u64)
    }
}

/// Puts the checksum and the length in a header right, for whoever wants to read behind them.
pub(crate) fn right_index_header(bytes: &mut [u8]) {
    let length = bytes.len() as u64;
    let Some(header) = bytes.first_chunk_mut::<INDEX_HEADER_BYTES>() else { return };
    header[..8].copy_from_slice(MAGIC);
    header[8] = VERSION_WRITTEN;
    header[72..80].copy_from_slice(&length.to_le_bytes());
    let checksum = checksum(header);
    header[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
}

/// The name of the index file of the commits from `first` to `last`.
pub(crate) fn index_name(first: Sequence, last: Sequence) -> String {
    format!("{:020}-{:020}{INDEX_SUFFIX}", first.get(), last.get())
}

/// The first and the last commit that a name stands for, if it is an index file's.
pub(crate) fn parse_index_name(name: &str) -> Option<(Sequence, Sequence)> {
    let digits = |text: &str| {
        let whole = text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit());
        whole.then(|| text.parse().ok().map(Sequence::new))?
    };
    let (first, last) = name.strip_suffix(INDEX_SUFFIX)?.split_once('-')?;
    digits(first).zip(digits(last))
}

/// Whether a name is that of an index file which was not finished.
pub(crate) fn is_unfinished_index(name: &str) -> bool {
    name.strip_suffix(".next").is_some_and(|name| parse_index_name(name).is_some())
}

fn checksum(header: &[u8; INDEX_HEADER_BYTES]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..CHECKSUM.start]);
    hasher.update(&header[CHECKSUM.end..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header whose sections are as long as its counts ask, with the file behind it.
    fn forged(base: (u64, u64), events: u32, commits: u32) -> (IndexHeader, u64) {
        let lengths = [32, u64::from(commits) * 28, u64::from(commits) * 4, 8, u64::from(events) * 4];
        let lengths = lengths.into_iter().chain([0, 8, 0, 0, 64, 0, 0]);
        let (mut sections, mut start) =
            ([Section::default(); INDEX_SECTIONS.len()], INDEX_HEADER_BYTES as u64);
        for (section, length) in sections.iter_mut().zip(lengths) {
            *section = Section { start, length, checksum: 0 };
            start = section.end().unwrap();
        }
        let identity = LogIdentity { log: LogId::new(uuid::Uuid::from_u128(5)), generation: 1 };
        let (base_position, base_sequence) = (Position::new(base.0), Sequence::new(base.1));
        let (segments, keys, length) = (1, 0, start);
        let header = IndexHeader {
            identity,
            segments,
            base_position,
            base_sequence,
            events,
            commits,
            keys,
            length,
            sections,
        };
        (header, start)
    }

    #[test]
    fn counts_that_go_beyond_all_numbers_are_refused() {
        let last = u64::MAX;
        let read = |base, events, commits| {
            let (header, length) = forged(base, events, commits);
            IndexHeader::decode(&header.encode(), length)
        };
        assert!(read((1, 1), 3, 2).is_ok());
        assert!(read((last - 3, last - 2), 3, 2).is_ok());
        for (base, events, commits) in
            [((last - 2, 1), 3, 2), ((1, last - 1), 3, 2), ((0, 1), 3, 2), ((1, 0), 3, 2), ((1, 1), 3, 0)]
        {
            let refused = read(base, events, commits);
            assert!(
                refused.is_err_and(|flaw| flaw.0.contains("contradict")),
                "{base:?}, {events}, {commits}"
            );
        }
        let (mut header, length) = forged((1, 1), 3, 2);
        header.sections[11].length = last;
        assert!(IndexHeader::decode(&header.encode(), length).is_err());
        header.sections[11] = Section { start: last - 64, length: 0, checksum: 0 };
        assert!(IndexHeader::decode(&header.encode(), length).is_err());
    }

    #[test]
    fn an_index_file_is_named_by_its_first_and_its_last_commit() {
        let name = index_name(Sequence::new(7), Sequence::new(12));
        assert_eq!(name, "00000000000000000007-00000000000000000012.idx");
        assert_eq!(parse_index_name(&name), Some((Sequence::new(7), Sequence::new(12))));
        assert!(is_unfinished_index("00000000000000000007-00000000000000000012.idx.next"));
        for other in ["7-12.idx", "meta.next", "00000000000000000007.idx", "x.idx"] {
            assert_eq!(parse_index_name(other), None, "{other}");
            assert!(!is_unfinished_index(other), "{other}");
        }
    }
}
