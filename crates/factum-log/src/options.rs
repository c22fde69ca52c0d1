//! How a log is opened: its bounds and its ports.

use crate::{
    error::OpenError,
    limits::{
        FOLLOW_EVERY_DEFAULT, GROUP_BYTES_MAX, GROUP_COMMITS_MAX, QUEUE_BYTES_DEFAULT, SEGMENT_BYTES_DEFAULT,
        SEGMENT_BYTES_MAX,
    },
    queue::{Completions, Deliver},
};
use factum_store::{AppendObserver, Clock, Entropy, SystemClock, SystemEntropy};
use std::{fmt, sync::Arc, time::Duration};

/// See [`Options::completions`].
#[derive(Clone)]
pub struct Completing(Arc<Deliver>);

impl Completing {
    /// By `deliver`, which is called once for each group in which a future waits. It must not block.
    pub fn new(deliver: impl Fn(Completions) + Send + Sync + 'static) -> Self {
        Self(Arc::new(deliver))
    }
}

impl std::ops::Deref for Completing {
    type Target = Deliver;

    fn deref(&self) -> &Deliver {
        &*self.0
    }
}

impl fmt::Debug for Completing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Completing")
    }
}

/// How to open a log.
#[derive(Clone, Debug)]
pub struct Options {
    /// A segment is rolled before it grows beyond this many bytes; it holds at least one commit.
    pub segment_bytes: u64,
    /// Most commits that share one sync.
    pub group_commits: usize,
    /// A group is closed once its frames reach this many bytes.
    pub group_bytes: usize,
    /// What waits to be written may take this many bytes; an append beyond it is refused with `Retry`.
    pub queue_bytes: usize,
    /// Zeros are written ahead of the frames, so that the sync of an append writes data alone: that of a file
    /// that grows writes its inode and its map of blocks too. The medium takes twice the bytes; without it appends take 1.4 to 2 times as long.
    pub room_ahead: bool,
    /// Segments are sealed by a thread of the log's own; else by whoever begins the next segment, which takes
    /// longer for that one but makes the same run do the same.
    pub background: bool,
    /// Open for writing on a network file system (NFS, SMB and the like) as well, which is refused without this: a
    /// second machine may get past the lock, and what is acknowledged is as safe as the server makes it. The
    /// report warns of it then.
    pub network_file_systems: bool,
    /// Open for reading only: somebody who waits for commits hears of them so much later at most. Nobody looks
    /// before somebody waits.
    pub follow_every: Duration,
    /// Tells when commits are recorded.
    pub clock: Arc<dyn Clock>,
    /// Gives the log's id, the salt of its segments and the seed of its index.
    pub entropy: Arc<dyn Entropy>,
    /// Wakes the futures of a group that was written, such as by a message to a task of the runtime that waits
    /// for them. Without it the thread that wrote wakes them one by one.
    pub completions: Option<Completing>,
    /// Hears what appends and syncs cost. Without one nothing is measured.
    pub observer: Option<Arc<dyn AppendObserver>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            group_commits: GROUP_COMMITS_MAX,
            group_bytes: GROUP_BYTES_MAX,
            queue_bytes: QUEUE_BYTES_DEFAULT,
            room_ahead: true,
            background: true,
            network_file_systems: false,
            follow_every: FOLLOW_EVERY_DEFAULT,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            completions: None,
            observer: None,
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if self.segment_bytes > SEGMENT_BYTES_MAX {
            let what = format!("segments of {} bytes; {SEGMENT_BYTES_MAX} is the most", self.segment_bytes);
            return Err(OpenError::Options { what });
        }
        if self.group_commits == 0 || self.group_bytes == 0 {
            return Err(OpenError::Options { what: "a group without room for one commit".to_owned() });
        }
        Ok(())
    }

    /// What the observer's stopwatch shows, if someone observes.
    pub(crate) fn stopwatch(&self) -> Option<Duration> {
        self.observer.as_ref().map(|observer| observer.elapsed())
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}
