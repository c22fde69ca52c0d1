//! What a store tells about its writing to whoever measures it. Knows no metrics library: an adapter decides
//! what becomes of a measure.

use crate::Monotonic;
use std::time::Duration;

/// Hears what appends cost, from the thread that wrote. It must neither block nor panic: others wait behind it.
pub trait AppendObserver: Monotonic {
    /// An append stored something: from when it was handed in until its verdicts were there took this long.
    fn appended(&self, took: Duration);

    /// A group of commits was made durable.
    fn group(&self, group: &GroupMeasure);

    /// Something beside the appends that whoever runs the store should hear of, in a sentence: what it could not do
    /// and will try again, what it found damaged and made anew. Told once when it begins.
    fn warned(&self, what: &str) {
        let _ = what;
    }

    /// The work beside the appends was tried. Told whenever it fails, with why, and once when it is done after it
    /// had failed, with none.
    fn maintained(&self, trouble: Option<&str>) {
        let _ = trouble;
    }
}

/// What it took to make a group of commits durable, with one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMeasure {
    /// How many commits.
    pub commits: usize,
    /// How many bytes they take in the log.
    pub bytes: usize,
    /// How long the write took.
    pub wrote: Duration,
    /// How long the sync took.
    pub synced: Duration,
}
