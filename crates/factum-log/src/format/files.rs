//! The fixed records: `meta`, the slots of `head`, and the header of a segment.
//!
//! Each has a magic, a version and a checksum over all of its other bytes. A record with a version that
//! this release does not read is refused by its version, not by its checksum.

use super::{Cursor, Flaw, VERSION_WRITTEN, VERSIONS_READ};
use factum_event::{LogId, LogIdentity, Position, Sequence, Timestamp};

/// The length of `meta`.
pub(crate) const META_BYTES: usize = 48;
/// The length of a segment's header; the first frame follows it.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;
/// The length of `head`: two slots.
pub(crate) const WATERMARK_BYTES: usize = 1024;
/// A slot is a sector, so that a torn write of one leaves the other.
pub(crate) const WATERMARK_SLOT_BYTES: usize = 512;
/// What a slot holds; the rest of it is zero.
pub(crate) const WATERMARK_RECORD_BYTES: usize = 64;

const META_MAGIC: &[u8; 8] = b"FACTUMLG";
const WATERMARK_MAGIC: &[u8; 8] = b"FACTUMHD";
const SEGMENT_MAGIC: &[u8; 8] = b"FACTUMSG";
/// All three begin alike: magic 8, version 1, zero 3, checksum 4.
const CHECKSUM: usize = 12;

/// Which log this is, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) identity: LogIdentity,
    pub(crate) created_at: Timestamp,
}

impl Meta {
    pub(crate) fn encode(&self) -> [u8; META_BYTES] {
        let mut out = begin(META_MAGIC, self.identity);
        out[40..48].copy_from_slice(&self.created_at.as_micros().to_le_bytes());
        seal(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut fields = open::<META_BYTES>(META_MAGIC, bytes)?;
        let mut read = || {
            let identity = identity(&mut fields)?;
            fields.u32()?;
            Some(Self { identity, created_at: Timestamp::from_micros(fields.i64()?) })
        };
        read().ok_or_else(|| "it is too short".into())
    }
}

/// How far the log was known durable. `end` is where the last durable frame ends in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatermarkRecord {
    pub(crate) identity: LogIdentity,
    pub(crate) segment: u32,
    pub(crate) sequence: Sequence,
    pub(crate) position: Position,
    pub(crate) end: u64,
}

impl WatermarkRecord {
    pub(crate) fn encode(&self) -> [u8; WATERMARK_RECORD_BYTES] {
        let mut out = begin(WATERMARK_MAGIC, self.identity);
        out[36..40].copy_from_slice(&self.segment.to_le_bytes());
        out[40..48].copy_from_slice(&self.sequence.get().to_le_bytes());
        out[48..56].copy_from_slice(&self.position.get().to_le_bytes());
        out[56..64].copy_from_slice(&self.end.to_le_bytes());
        seal(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut fields = open::<WATERMARK_RECORD_BYTES>(WATERMARK_MAGIC, bytes)?;
        let mut read = || {
            Some(Self {
                identity: identity(&mut fields)?,
                segment: fields.u32()?,
                sequence: Sequence::new(fields.u64()?),
                position: Position::new(fields.u64()?),
                end: fields.u64()?,
            })
        };
        read().ok_or_else(|| "it is too short".into())
    }
}

/// What a segment begins with. `salt` is random: the checksums of frames start from it, so that bytes
/// which a client chose, or which an earlier file left on the medium, cannot pass for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) identity: LogIdentity,
    pub(crate) ordinal: u32,
    /// The position its first event has, or will have.
    pub(crate) base_position: Position,
    /// The sequence its first commit has, or will have.
    pub(crate) base_sequence: Sequence,
    pub(crate) salt: u32,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut out = begin(SEGMENT_MAGIC, self.identity);
        out[36..40].copy_from_slice(&self.ordinal.to_le_bytes());
        out[40..48].copy_from_slice(&self.base_position.get().to_le_bytes());
        out[48..56].copy_from_slice(&self.base_sequence.get().to_le_bytes());
        out[56..60].copy_from_slice(&self.salt.to_le_bytes());
        seal(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let mut fields = open::<SEGMENT_HEADER_BYTES>(SEGMENT_MAGIC, bytes)?;
        let mut read = || {
            Some(Self {
                identity: identity(&mut fields)?,
                ordinal: fields.u32()?,
                base_position: Position::new(fields.u64()?),
                base_sequence: Sequence::new(fields.u64()?),
                salt: fields.u32()?,
            })
        };
        read().ok_or_else(|| "it is too short".into())
    }
}

fn begin<const N: usize>(magic: &[u8; 8], identity: LogIdentity) -> [u8; N] {
    let mut out = [0; N];
    out[0..8].copy_from_slice(magic);
    out[8] = VERSION_WRITTEN;
    out[16..32].copy_from_slice(identity.log.get().as_bytes());
    out[32..36].copy_from_slice(&identity.generation.to_le_bytes());
    out
}

fn seal<const N: usize>(mut out: [u8; N]) -> [u8; N] {
    mend_record(&mut out);
    out
}

/// Puts the right checksum into a record.
pub(crate) fn mend_record(record: &mut [u8]) {
    let checksum = checksum(record);
    record[CHECKSUM..CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
}

fn checksum(record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record[..CHECKSUM]);
    hasher.update(&record[CHECKSUM + 4..]);
    hasher.finalize()
}

/// The fields after magic, version and checksum, once those are right.
fn open<'a, const N: usize>(magic: &[u8; 8], bytes: &'a [u8]) -> Result<Cursor<'a>, Flaw> {
    let Some(record) = bytes.get(..N) else {
        return Err(Flaw(format!("it has {} bytes, and its header alone takes {N}", bytes.len())));
    };
    if record[..8] != magic[..] {
        return Err("it does not begin with its magic".into());
    }
    if !VERSIONS_READ.contains(&record[8]) {
        return Err(Flaw(format!("it has format version {}, which this release does not read", record[8])));
    }
    let mut fields = Cursor(&record[CHECKSUM..]);
    if fields.u32() != Some(checksum(record)) {
        return Err("the checksum of its header does not match".into());
    }
    Ok(fields)
}

fn identity(fields: &mut Cursor<'_>) -> Option<LogIdentity> {
    Some(LogIdentity { log: LogId::new(fields.uuid()?), generation: fields.u32()? })
}
