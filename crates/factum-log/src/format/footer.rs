//! What ends a sealed segment: how far the log had come there, and the root of the integrity tree.

use super::{Cursor, Flaw, VERSION_WRITTEN, VERSIONS_READ, frame::footer_at};
use factum_event::{Position, Sequence, Timestamp};

/// What a footer begins with, on disk `FFTR`.
pub(crate) const FOOTER_MAGIC: [u8; 4] = *b"FFTR";
/// The length of the footer that this release writes.
pub(crate) const FOOTER_BYTES: usize = 112;

/// The end of a sealed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// The last commit of the segment.
    pub(crate) sequence: Sequence,
    /// The head after it.
    pub(crate) position: Position,
    pub(crate) recorded_at: Timestamp,
    /// Where the frames end, and the footer begins.
    pub(crate) end: u64,
    /// Of the integrity tree over the frames.
    pub(crate) root: [u8; 32],
    /// Over the roots of this segment and all before it.
    pub(crate) chain: [u8; 32],
}

impl Footer {
    pub(crate) fn encode(&self, salt: u32) -> [u8; FOOTER_BYTES] {
        let mut out = [0; FOOTER_BYTES];
        out[0..4].copy_from_slice(&FOOTER_MAGIC);
        out[4] = VERSION_WRITTEN;
        out[12..16].copy_from_slice(&super::length(FOOTER_BYTES).to_le_bytes());
        out[16..24].copy_from_slice(&self.sequence.get().to_le_bytes());
        out[24..32].copy_from_slice(&self.position.get().to_le_bytes());
        out[32..40].copy_from_slice(&self.recorded_at.as_micros().to_le_bytes());
        out[40..48].copy_from_slice(&self.end.to_le_bytes());
        out[48..80].copy_from_slice(&self.root);
        out[80..112].copy_from_slice(&self.chain);
        let checksum = super::frame::checksum(&out, salt);
        out[8..12].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Whether a segment can end so: it has a commit, and another one may follow.
    fn can_be(&self) -> bool {
        self.sequence > Sequence::START && self.sequence.get() < u64::MAX && self.position.get() < u64::MAX
    }

    /// The footer that `bytes` are, which stand at `at` and end the file.
    pub(crate) fn decode(bytes: &[u8], salt: u32, at: u64) -> Result<Self, Flaw> {
        let footer = footer_at(bytes, salt)?;
        if !VERSIONS_READ.contains(&footer[4]) {
            return Err(Flaw(format!("the footer has format version {}, not read here", footer[4])));
        }
        let read = |mut fields: Cursor<'_>| {
            Some(Self {
                sequence: Sequence::new(fields.u64()?),
                position: Position::new(fields.u64()?),
                recorded_at: Timestamp::from_micros(fields.i64()?),
                end: fields.u64()?,
                root: fields.array()?,
                chain: fields.array()?,
            })
        };
        let found = read(Cursor(&footer[16..]))
            .filter(|found| footer.len() == FOOTER_BYTES && found.end == at && found.can_be());
        found.ok_or_else(|| "the fields of the footer contradict each other".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_after_which_nothing_can_follow_is_none() {
        let (sequence, position) = (Sequence::new(9), Position::new(12));
        let recorded_at = Timestamp::from_micros(0);
        let whole = Footer { sequence, position, recorded_at, end: 4000, root: [1; 32], chain: [2; 32] };
        let last_sequence = Footer { sequence: Sequence::new(u64::MAX), ..whole };
        let last_position = Footer { position: Position::new(u64::MAX), ..whole };
        for forged in [last_sequence, last_position, Footer { sequence: Sequence::START, ..whole }] {
            let read = Footer::decode(&forged.encode(7), 7, 4000);
            assert!(read.is_err_and(|flaw| flaw.0.contains("contradict")), "{forged:?}");
        }
    }

    #[test]
    fn a_footer_reads_back_and_no_bit_of_it_may_change() {
        let footer = Footer {
            sequence: Sequence::new(9),
            position: Position::new(12),
            recorded_at: Timestamp::from_micros(-3),
            end: 4000,
            root: [1; 32],
            chain: [2; 32],
        };
        let bytes = footer.encode(77);
        assert_eq!(Footer::decode(&bytes, 77, 4000), Ok(footer));
        assert!(Footer::decode(&bytes, 77, 4001).is_err(), "it stands elsewhere");
        assert!(Footer::decode(&bytes, 78, 4000).is_err(), "it is of another segment");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Footer::decode(&flipped, 77, 4000).is_err(), "bit {bit}");
        }
    }
}
