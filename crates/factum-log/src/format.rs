//! Every byte on disk. What is written and what is read are different constants, so that a release can
//! write a later version and still read the earlier ones.
//!
//! All numbers are little-endian. All checksums are CRC-32 (IEEE), the one of zlib. Nothing here does I/O.
//! The page `docs/internals/log-format.md` says the same for those who write their own reader.

mod commit;
mod event;
mod files;
mod footer;
mod frame;
mod index_file;

pub(crate) use commit::{CommitFields, CommitPart, encode_commit};
pub(crate) use event::{EVENT_CHECKSUM, EVENT_HEADER_BYTES, EVENT_REVISION, bind, encode_event};
pub use event::{EventView, Tags};
pub(crate) use files::{
    META_BYTES, Meta, SEGMENT_HEADER_BYTES, SegmentHeader, WATERMARK_BYTES, WATERMARK_RECORD_BYTES,
    WATERMARK_SLOT_BYTES, WatermarkRecord, mend_record,
};
pub(crate) use footer::{FOOTER_BYTES, FOOTER_MAGIC, Footer};
pub(crate) use frame::{
    FRAME_CANONICAL, FRAME_HEADER_BYTES, FRAME_MAGIC, FrameHeader, Record, footer_length, mend_frame_header,
    record_at,
};
pub(crate) use index_file::{
    COMMIT_RECORD_BYTES, FILTER_BITS, FILTER_BLOCK_BYTES, INDEX_HEADER_BYTES, INDEX_SECTIONS,
    INDEX_SUFFIX_NEXT, IndexHeader, IndexSection, KEY_IS_RUN, KEY_RECORD_BYTES, SECTION_ALIGNMENT,
    SEGMENT_RECORD_BYTES, Section, index_name, is_unfinished_index, parse_index_name, right_index_header,
};

use uuid::Uuid;

/// The version this release writes, in every file and frame.
pub(crate) const VERSION_WRITTEN: u8 = 1;
/// The versions this release reads.
pub(crate) const VERSIONS_READ: std::ops::RangeInclusive<u8> = 1..=1;

/// Which log this is.
pub(crate) const META_FILE: &str = "meta";
/// The next `meta`, until it is renamed.
pub(crate) const META_FILE_NEXT: &str = "meta.next";
/// The next segment, while it is filled with zeros.
pub(crate) const NEXT_SEGMENT_FILE: &str = "next";
/// The durable-head watermark.
pub(crate) const WATERMARK_FILE: &str = "head";
/// Held by the one writer.
pub(crate) const LOCK_FILE: &str = "lock";
/// What a segment's name ends with, after twenty digits of base sequence.
pub(crate) const SEGMENT_SUFFIX: &str = ".seg";

/// The name of the segment whose first commit has this sequence.
pub(crate) fn segment_name(base_sequence: u64) -> String {
    format!("{base_sequence:020}{SEGMENT_SUFFIX}")
}

/// The base sequence that a name stands for, if it is a segment's.
pub(crate) fn parse_segment_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SEGMENT_SUFFIX)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw(pub(crate) String);

impl From<&str> for Flaw {
    fn from(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

/// Reads fields off the front of a slice.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline]
    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    #[inline]
    pub(crate) fn uuid(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    /// Text after its length in 16 bits.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.u16()?;
        self.text_of(usize::from(length))
    }

    #[inline]
    pub(crate) fn text_of(&mut self, bytes: usize) -> Option<&'a str> {
        crate::map::text(self.take(bytes)?)
    }
}

/// Text after its length in 16 bits. Every text of a commit is shorter than that: `NewCommit::check`.
fn put_text(to: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).expect("every text of a checked commit is shorter than 64 KiB");
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(text.as_bytes());
}

/// A length within a frame. Frames are shorter than 4 GiB: `NewCommit::check`.
pub(crate) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a frame of a checked commit is shorter than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_the_sequence_of_its_first_commit() {
        assert_eq!(segment_name(17), "00000000000000000017.seg");
        assert_eq!(parse_segment_name("00000000000000000017.seg"), Some(17));
        for name in ["17.seg", "meta", "0000000000000000001x.seg", "99999999999999999999.seg"] {
            assert_eq!(parse_segment_name(name), None, "{name}");
        }
    }
}
