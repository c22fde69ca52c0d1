//! The frame: one commit, whole or not at all. A fixed header, the commit part, the events.
//!
//! The header is checked alone, the commit part and the list of events by checksums in the header, and each
//! event by its own. So one scattered event can be trusted without reading the rest of its frame.

use super::{Cursor, Flaw, VERSION_WRITTEN, VERSIONS_READ, footer::FOOTER_MAGIC};
use crate::limits::FRAME_BYTES_MAX;
use factum_event::{Position, Sequence, Timestamp};

/// What a frame begins with, on disk `FCMT`.
pub(crate) const FRAME_MAGIC: [u8; 4] = *b"FCMT";
/// The length of a frame's header.
pub(crate) const FRAME_HEADER_BYTES: usize = 72;
/// Where the bytes of a frame begin that follow from the commit and its place alone.
pub(crate) const FRAME_CANONICAL: usize = 24;
/// Where both kinds of record have their checksum.
const CHECKSUM: usize = 8;
/// The least a footer takes: magic 4, version 1, zero 3, checksum 4, length 4.
const FOOTER_BYTES_MIN: usize = 16;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The segment it was written to.
    pub(crate) segment: u32,
    /// The last commit that was known durable when this one was written.
    pub(crate) synced_up_to: Sequence,
    /// Bytes after the header.
    pub(crate) body: u32,
    /// How many of them are the commit part.
    pub(crate) commit: u32,
    pub(crate) events: u32,
    pub(crate) commit_checksum: u32,
    /// Over the checksum words of the events, in order.
    pub(crate) events_checksum: u32,
    pub(crate) sequence: Sequence,
    /// The position of the first event; where there is none, of the next one to come.
    pub(crate) base_position: Position,
    pub(crate) recorded_at: Timestamp,
}

/// What stands at a place where a frame may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Frame(FrameHeader),
    /// The end of a sealed segment. Nothing stands after it.
    Footer {
        length: u32,
    },
}

impl FrameHeader {
    pub(crate) fn encode(&self, salt: u32, out: &mut [u8]) {
        out[0..4].copy_from_slice(&FRAME_MAGIC);
        out[4..8].copy_from_slice(&[VERSION_WRITTEN, 0, 0, 0]);
        out[12..16].copy_from_slice(&self.segment.to_le_bytes());
        out[16..24].copy_from_slice(&self.synced_up_to.get().to_le_bytes());
        out[24..28].copy_from_slice(&self.body.to_le_bytes());
        out[28..32].copy_from_slice(&self.commit.to_le_bytes());
        out[32..36].copy_from_slice(&self.events.to_le_bytes());
        out[36..40].copy_from_slice(&self.commit_checksum.to_le_bytes());
        out[40..44].copy_from_slice(&self.events_checksum.to_le_bytes());
        out[44..48].copy_from_slice(&[0; 4]);
        out[48..56].copy_from_slice(&self.sequence.get().to_le_bytes());
        out[56..64].copy_from_slice(&self.base_position.get().to_le_bytes());
        out[64..72].copy_from_slice(&self.recorded_at.as_micros().to_le_bytes());
        mend_frame_header(&mut out[..FRAME_HEADER_BYTES], salt);
    }

    /// The whole frame.
    pub(crate) fn length(&self) -> usize {
        FRAME_HEADER_BYTES + self.body as usize
    }

    /// Whether a commit can stand there: both count from 1, and neither comes to an end.
    fn can_be(&self) -> bool {
        let ends = self.base_position.get().checked_add(u64::from(self.events)).is_none();
        self.base_position > Position::START && self.sequence > Sequence::START && !ends
    }

    #[inline(always)]
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Cursor(bytes.get(CHECKSUM + 4..)?);
        let (segment, synced_up_to) = (fields.u32()?, Sequence::new(fields.u64()?));
        let (body, commit, events) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (commit_checksum, events_checksum) = (fields.u32()?, fields.u32()?);
        fields.u32()?;
        Some(Self {
            segment,
            synced_up_to,
            body,
            commit,
            events,
            commit_checksum,
            events_checksum,
            sequence: Sequence::new(fields.u64()?),
            base_position: Position::new(fields.u64()?),
            recorded_at: Timestamp::from_micros(fields.i64()?),
        })
    }
}

/// Puts the right checksum into the header of a frame, or into a whole footer.
pub(crate) fn mend_frame_header(record: &mut [u8], salt: u32) {
    let checksum = checksum(record, salt);
    record[CHECKSUM..CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// The record that `bytes` begin with: its header, checked.
#[inline(always)]
pub(crate) fn record_at(bytes: &[u8], salt: u32) -> Result<Record, Flaw> {
    match bytes.first_chunk::<4>() {
        Some(&FRAME_MAGIC) => {}
        Some(&FOOTER_MAGIC) => return footer(bytes, salt),
        _ => return Err("no frame begins here".into()),
    }
    let cut = || Flaw("the header of the frame is cut off".to_owned());
    let header = bytes.get(..FRAME_HEADER_BYTES).ok_or_else(cut)?;
    if stored_checksum(header) != checksum(header, salt) {
        return Err("the checksum of the frame's header does not match".into());
    }
    if !VERSIONS_READ.contains(&header[4]) {
        return Err(Flaw(format!("the frame has format version {}, not read here", header[4])));
    }
    let header = FrameHeader::read(header).ok_or_else(cut)?;
    if header.length() > FRAME_BYTES_MAX || header.commit > header.body {
        return Err("the lengths of the frame contradict each other".into());
    }
    if !header.can_be() {
        return Err("the frame has a sequence or positions that no commit has".into());
    }
    Ok(Record::Frame(header))
}

/// How long the footer is that `bytes` begin with, by its own word; none if no footer does.
#[inline]
pub(crate) fn footer_length(bytes: &[u8]) -> Option<usize> {
    let length = Cursor(bytes.strip_prefix(&FOOTER_MAGIC)?.get(CHECKSUM..)?).u32()?;
    Some((length as usize).min(FRAME_BYTES_MAX))
}

fn footer(bytes: &[u8], salt: u32) -> Result<Record, Flaw> {
    footer_at(bytes, salt).map(|footer| Record::Footer { length: super::length(footer.len()) })
}

/// The bytes of the footer that `bytes` begin with, its checksum verified.
pub(crate) fn footer_at(bytes: &[u8], salt: u32) -> Result<&[u8], Flaw> {
    let whole = || {
        let length = Cursor(bytes.strip_prefix(&FOOTER_MAGIC)?.get(CHECKSUM..)?).u32()?;
        bytes.get(..length as usize).filter(|footer| footer.len() >= FOOTER_BYTES_MIN)
    };
    let footer = whole().ok_or_else(|| Flaw("the footer is cut off".to_owned()))?;
    if stored_checksum(footer) != checksum(footer, salt) {
        return Err("the checksum of the footer does not match".into());
    }
    Ok(footer)
}

#[inline]
fn stored_checksum(record: &[u8]) -> u32 {
    let word = record[CHECKSUM..].first_chunk().expect("a record is longer than its checksum");
    u32::from_le_bytes(*word)
}

#[inline]
pub(crate) fn checksum(record: &[u8], salt: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(&record[..CHECKSUM]);
    hasher.update(&record[CHECKSUM + 4..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_ends_a_segment_and_is_checked() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&FOOTER_MAGIC);
        bytes.extend_from_slice(&[1, 0, 0, 0]);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&20_u32.to_le_bytes());
        bytes.extend_from_slice(b"root");
        let sum = checksum(&bytes, 9);
        bytes[8..12].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(record_at(&bytes, 9), Ok(Record::Footer { length: 20 }));
        bytes[19] ^= 1;
        assert!(record_at(&bytes, 9).is_err());
        assert!(record_at(&bytes[..19], 9).is_err());
    }
}
