//! Every bound of the engine, with its unit. What a commit may hold is bounded in `factum_event::limits`.

use std::time::Duration;

/// A log that is open for reading only is looked at so often while somebody waits for commits.
pub const FOLLOW_EVERY_DEFAULT: Duration = Duration::from_millis(50);
/// A segment is rolled before it grows beyond this many bytes, unless one commit alone is larger.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// The largest segment that may be asked for, in bytes: places within a segment are kept in 32 bits.
pub const SEGMENT_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Most commits that share one sync.
pub const GROUP_COMMITS_MAX: usize = 4096;
/// A group is closed once its frames reach this many bytes.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most events that one log holds: the index numbers them in 32 bits.
pub const LOG_EVENTS_MAX: u64 = 0xffff_fff0;
/// Most commits that one log holds: the index numbers them in 32 bits.
pub const LOG_COMMITS_MAX: u64 = 0xffff_fff0;
/// What waits to be written may take this many bytes; an append beyond it is refused with `Retry`.
pub const QUEUE_BYTES_DEFAULT: usize = 256 * 1024 * 1024;
/// Zeros that the active segment is given ahead of its frames at a time, at most, in bytes.
pub const ROOM_AHEAD_BYTES_MAX: usize = 1024 * 1024;

/// A group of more bytes is not worth room that is written with it.
pub(crate) const ROOM_GROUP_BYTES_MAX: usize = 64 * 1024;
/// What is filled at once of the next segment, in bytes.
pub(crate) const ROOM_CHUNK_BYTES: usize = 256 * 1024;
/// Smaller segments, in bytes, are not worth a thread that fills the next one.
pub(crate) const SEGMENT_BYTES_FILLED_MIN: u64 = 8 * 1024 * 1024;
/// No frame is longer, in bytes: a length beyond it is damage, not a length.
pub(crate) const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a sequential scan reads at once, in bytes.
pub(crate) const SCAN_BYTES: usize = 1024 * 1024;
/// Two ranges of a page that stand closer than this, in bytes, are read together.
pub(crate) const READ_GAP_BYTES: u64 = 8 * 1024;
