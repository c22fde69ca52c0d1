//! How commands are spread over lanes: stored, so that a change takes effect at a written place.

use factum_event::{Position, StreamName};
use serde::{Deserialize, Serialize};

/// Which commands wait for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneMode {
    /// Those with the same first key.
    #[default]
    ByKey,
    /// Those of the same kind. Behind one that was parked under another mode every kind of its key waits.
    ByCommand,
    /// All of them: one after another, in the order they came in.
    Single,
}

/// How commands are spread: the mode, and how many lanes decide at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneLayout {
    /// Which commands wait for each other.
    pub mode: LaneMode,
    /// How many lanes there are; one with [`LaneMode::Single`].
    pub count: u16,
}

impl Default for LaneLayout {
    fn default() -> Self {
        Self { mode: LaneMode::ByKey, count: 64 }
    }
}

/// How much the lanes hold, and how often they write down how far they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneBounds {
    /// Most commands held in memory before they are decided, give or take a page of them; at least 1.
    pub queued_max: usize,
    /// After so many commands it is written down that all up to a place are done. A restart reads from there.
    pub watermark_every: u64,
    /// Most commands that come again in one commit when a parked one is released; what else waits comes again
    /// in further ones. At least 1, and as many as a commit holds.
    pub released_max: usize,
    /// Most bytes that come again in one such commit, unless a single command has more; no more than half of
    /// what a commit holds.
    pub released_bytes_max: usize,
}

impl Default for LaneBounds {
    fn default() -> Self {
        Self {
            queued_max: 8192,
            watermark_every: 4096,
            released_max: 1024,
            released_bytes_max: 4 * 1024 * 1024,
        }
    }
}

/// Where kinds have no lanes of their own.
const NOWHERE: Position = Position::new(u64::MAX);

impl LaneMode {
    /// From where on kinds have lanes of their own, in a layout of this mode that begins at `begins` after others
    /// in which they had from `before` on: nowhere yet, while commands of a key wait whatever their kind.
    pub(crate) fn apart_since(self, before: Position, begins: Position) -> Position {
        match self {
            Self::ByCommand => before.min(begins),
            Self::ByKey | Self::Single => NOWHERE,
        }
    }
}

/// From where on kinds have lanes of their own in the last of these layouts. The first one covers what stood
/// before it as well.
pub(crate) fn apart_since(layouts: impl IntoIterator<Item = (Position, LaneLayout)>) -> Position {
    let after = |before, (begins, layout): (_, LaneLayout)| layout.mode.apart_since(before, begins);
    layouts.into_iter().fold(Position::START, after)
}

impl LaneLayout {
    /// The lane of a command stored as `name` whose key is `key`.
    pub(crate) fn lane_of(self, name: &str, key: &StreamName) -> u16 {
        let text = match self.mode {
            LaneMode::ByKey => key.as_str(),
            LaneMode::ByCommand => name,
            LaneMode::Single => return 0,
        };
        let lane = hash(text.as_bytes()) % u64::from(self.count.max(1));
        u16::try_from(lane).expect("a remainder of a u16 fits one")
    }
}

/// FNV-1a. Lanes follow from it, and how far each has come is stored: it never changes.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    // The low bits of FNV are its weakest, and a remainder looks at those.
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_apart_from_the_first_place_on_after_which_they_always_were() {
        let since = |modes: &[LaneMode]| {
            let layouts = modes.iter().zip([1, 5, 9, 14]);
            apart_since(layouts.map(|(mode, at)| (Position::new(at), LaneLayout { mode: *mode, count: 2 })))
        };
        let (key, kind, single) = (LaneMode::ByKey, LaneMode::ByCommand, LaneMode::Single);
        assert_eq!(since(&[kind, kind]), Position::START);
        assert_eq!(since(&[key, kind, kind]), Position::new(5));
        assert_eq!(since(&[kind, single, kind, kind]), Position::new(9));
        assert_eq!(since(&[kind, key, kind, key]), NOWHERE);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325 ^ (0xcbf2_9ce4_8422_2325 >> 32));
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c ^ (0xaf63_dc4c_8601_ec8c >> 32));
    }
}
