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
pub const ROOM_AHEAD_BYTES_MAX: usize = 512 * 1024;
/// The part of the index that is in memory ends, and a segment with it, once it takes about so many bytes. The
/// one before it may be there as well until it is sealed.
pub const ACTIVE_INDEX_BYTES_MAX: usize = 64 * 1024 * 1024;
/// So many index files of a size are merged into one.
pub const MERGE_FAN_IN: usize = 8;
/// Index files are not merged into one of more bytes.
pub const MERGED_INDEX_BYTES_MAX: u64 = 1024 * 1024 * 1024;

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
/// So many places of a page are fetched into the processor's caches ahead of the one that is read.
pub(crate) const PREFETCH_PLACES: usize = 16;
/// Of each, so many bytes; the processor sees by itself that the rest follows.
pub(crate) const PREFETCH_BYTES_MAX: u64 = 512;
/// A page of fewer places is not looked at for what of it is in memory; of others, so many places are.
pub(crate) const FETCH_PLACES_MIN: usize = 8;
/// So many places of a page are looked at once [`FETCH_CAREFUL_PAGES`] pages in a row were in memory.
pub(crate) const FETCH_LOOKS_MIN: usize = 2;
/// After a page that was not in memory so many are looked at as closely as that one.
pub(crate) const FETCH_CAREFUL_PAGES: usize = 16;
/// What is fetched into memory at once of places that stand near each other, in bytes.
pub(crate) const FETCH_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// A selection is walked in steps of so many events; the index is locked for one step at a time.
pub(crate) const SELECT_STEP_EVENTS: usize = 256;
