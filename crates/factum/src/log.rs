//! The embedded log itself: for its options, and to look into one without an application.

pub use factum_log::{
    COPY_FILES, Copied, CopiedSegment, CopyOptions, Cut, Damage, Hold, Inspection, Log, LogDigest, Medium,
    OpenError, OpenReport, Options, TornTail, Verified, begin_generation, copy, durable_cut, exists, hold,
    inspect, verify,
};
