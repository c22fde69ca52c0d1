//! Every bound on what a commit may hold. A store refuses what is over a bound before it writes a byte.

/// Longest stream name, in bytes.
pub const STREAM_NAME_BYTES_MAX: usize = 512;
/// Longest event type or command name, in bytes.
pub const TYPE_NAME_BYTES_MAX: usize = 255;
/// Longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 512;
/// Most tags on one event.
pub const TAGS_PER_EVENT_MAX: usize = 64;
/// Largest event payload, in bytes.
pub const EVENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most events in one commit.
pub const EVENTS_PER_COMMIT_MAX: usize = 16_384;
/// Largest commit (payloads, names and tags together), in bytes.
pub const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest command payload, in bytes.
pub const COMMAND_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest actor, tenant, rejection code or source name, in bytes.
pub const LABEL_BYTES_MAX: usize = 255;
/// Longest rejection reason or failure cause, in bytes.
pub const REASON_BYTES_MAX: usize = 8 * 1024;
/// Most headers on one command.
pub const HEADERS_MAX: usize = 32;
/// Longest header name or value, in bytes.
pub const HEADER_BYTES_MAX: usize = 1024;
/// Most stream expectations in one condition.
pub const CONDITION_STREAMS_MAX: usize = 256;
/// Most items in one query.
pub const QUERY_ITEMS_MAX: usize = 1024;
/// Most commits in one append call.
pub const COMMITS_PER_APPEND_MAX: usize = 4096;
