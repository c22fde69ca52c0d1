//! How much of each work is done. The same for every system, so that rows can be compared; but a run that appends
//! ends after a while, so that a slow system is measured by fewer events instead of for minutes.

use super::work::{Kind, Work};
use std::time::Duration;

/// The sizes of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// What the events are spread over; no fewer than there are writers, so that no two have the same.
    pub(crate) accounts: u64,
    /// Commits of one, 100 and 1000 events.
    commits: [u64; 3],
    /// Appends of each of 64 and of 256 tasks or threads.
    appends: [u64; 2],
    /// A run that appends ends after so long, whatever is left of it, and says how many events it appended.
    pub(crate) budget: Duration,
    /// Events in a commit of a log that is filled to be read.
    pub(crate) fill: u64,
    /// Events of the log that is replayed, and that streams are read from.
    events: u64,
    /// Events of the log that is read cold; at least as many.
    cold_events: u64,
    /// Streams that are read warm, and cold.
    streams: [u64; 2],
    /// Files of fewer events say nothing of what an event takes: two of the systems give them 256 MiB ahead.
    pub(crate) sized_events: u64,
    /// How long the medium is left alone after files were deleted.
    pub(crate) pause: Duration,
    /// Whether the page cache is emptied for what is read cold. Only a test leaves it.
    pub(crate) drops_caches: bool,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        accounts: 10_000,
        commits: [60_000, 10_000, 2_000],
        appends: [3_000, 1_000],
        budget: Duration::from_secs(60),
        fill: 100,
        events: 1_000_000,
        cold_events: 5_000_000,
        streams: [2_000, 100],
        sized_events: 1_000_000,
        pause: Duration::from_secs(1),
        drops_caches: true,
    };
    pub(crate) const QUICK: Self = Self {
        commits: [10_000, 1_000, 200],
        appends: [300, 100],
        budget: Duration::from_secs(1),
        fill: 1000,
        cold_events: 1_000_000,
        pause: Duration::from_millis(300),
        ..Self::FULL
    };
    /// As little as shows that all is done.
    pub(crate) const SMOKE: Self = Self {
        accounts: 300,
        commits: [20, 5, 2],
        appends: [3, 2],
        budget: Duration::from_secs(60),
        fill: 100,
        events: 3_000,
        cold_events: 6_000,
        streams: [20, 10],
        sized_events: 3_000,
        pause: Duration::ZERO,
        drops_caches: false,
    };

    /// Commits of an append, or appends of each writer, at most.
    pub(crate) fn repeats(&self, work: Work) -> u64 {
        match work.kind() {
            Kind::Append(1) => self.commits[0],
            Kind::Append(100) => self.commits[1],
            Kind::Append(_) => self.commits[2],
            Kind::Writers(64) | Kind::Threads(64) => self.appends[0],
            Kind::Writers(_) | Kind::Threads(_) => self.appends[1],
            Kind::Replay | Kind::Streams | Kind::ColdSelect => 1,
        }
    }

    /// As [`Self::budget`], in nanoseconds.
    pub(crate) fn budget_nanos(&self) -> u64 {
        u64::try_from(self.budget.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Events of the log that this work reads.
    pub(crate) fn filled(&self, work: Work) -> u64 {
        if work == Work::ColdSelect { self.cold_events } else { self.events }
    }

    /// The numbers of the accounts whose streams this work reads. They are spread over all.
    pub(crate) fn streams(&self, work: Work) -> impl Iterator<Item = u64> {
        let (count, step) =
            if work == Work::ColdSelect { (self.streams[1], 97) } else { (self.streams[0], 7) };
        let accounts = self.accounts;
        (0..count).map(move |number| number * step % accounts)
    }

    /// The plan in words.
    pub(crate) fn describe(&self) -> String {
        let [one, hundred, thousand] = self.commits;
        let [each_64, each_256] = self.appends;
        let [warm, cold] = self.streams;
        format!(
            "{one}, {hundred} and {thousand} commits of 1, 100 and 1000 events; {each_64} appends of each of 64 \
             writers or threads, {each_256} of each of 256, none for longer than {} s; filled in commits of {}, {} events replayed, {warm} of {} streams read; cold {cold} \
             streams of {} events",
            self.budget.as_secs(),
            self.fill,
            self.events,
            self.accounts,
            self.cold_events
        )
    }
}
