//! The embedded log itself: for its options, and to look into one without an application.

pub use factum_log::{
    Damage, Inspection, Log, OpenError, OpenReport, Options, TornTail, Verified, begin_generation, inspect,
    verify,
};
