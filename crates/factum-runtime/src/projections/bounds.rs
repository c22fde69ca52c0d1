//! How much projections hold in memory, and how they try again.

use crate::Retry;
use factum_store::PAGE_EVENTS_MAX;
use std::time::Duration;

/// How much a projection takes in at once, and how it tries again.
#[derive(Clone, Copy, Debug)]
pub struct ProjectionBounds {
    /// Most events in one page, which is one transaction; their payloads are bounded by [`factum_store::PAGE_BYTES_MAX`] bytes.
    pub page_events: usize,
    /// Most pages in one transaction of a build that is far behind.
    pub ahead_pages: usize,
    /// Their payloads end with the page that brings them to so many bytes.
    pub ahead_bytes: usize,
    /// Most keys of a projection by which events may wait. With more it stops.
    pub parked_keys: usize,
    /// An event that cannot be applied is tried so often, with these pauses, before it is parked.
    pub event: Retry,
    /// The pauses while something outside fails: it is tried until it passes.
    pub outside: Retry,
    /// A checkpoint that moved without anything to apply is written after so many events.
    pub checkpoint_every: u64,
    /// Commands wait so long for projections that are declared to be waited for.
    pub wait: Duration,
    /// Most events of one key that can be made anew by themselves.
    pub key_events: usize,
}

impl Default for ProjectionBounds {
    fn default() -> Self {
        let pauses = |attempts_max, pause, pause_max| Retry {
            attempts_max,
            pause: Duration::from_millis(pause),
            pause_max: Duration::from_millis(pause_max),
        };
        Self {
            page_events: PAGE_EVENTS_MAX,
            ahead_pages: 4,
            ahead_bytes: 16 * 1024 * 1024,
            parked_keys: 100_000,
            event: pauses(3, 20, 200),
            outside: pauses(u32::MAX, 50, 5000),
            checkpoint_every: 10_000,
            wait: Duration::from_secs(5),
            key_events: 100_000,
        }
    }
}
