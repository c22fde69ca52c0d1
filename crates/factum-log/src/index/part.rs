//! One part of the index, in memory or sealed, asked the same questions. Numbers are those of the part.

use super::{
    KeyKind,
    active::{Active, CommitEntry},
    keys::{hash_key, stored_hash},
    list::List,
    sealed::Sealed,
};
use factum_event::Sequence;
use std::{ops::Range, sync::Arc};

/// A part that does not grow any more.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Memory(Arc<Active>),
    Sealed(Arc<Sealed>),
}

/// Any part.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PartRef<'a> {
    Memory(&'a Active),
    Sealed(&'a Sealed),
}

/// A key as every part can look it up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<'a> {
    pub(crate) kind: KeyKind,
    pub(crate) key: &'a [u8],
    hash: u64,
    stored: u64,
}

impl<'a> Probe<'a> {
    pub(crate) fn new(seed: u64, kind: KeyKind, key: &'a [u8]) -> Self {
        Self { kind, key, hash: hash_key(seed, kind, key), stored: stored_hash(kind, key) }
    }
}

impl Part {
    pub(crate) fn get(&self) -> PartRef<'_> {
        match self {
            Self::Memory(active) => PartRef::Memory(active),
            Self::Sealed(sealed) => PartRef::Sealed(sealed),
        }
    }
}

impl<'a> PartRef<'a> {
    /// The position of event 0.
    pub(crate) fn base_position(self) -> u64 {
        match self {
            Self::Memory(part) => part.base_position,
            Self::Sealed(part) => part.header.base_position.get(),
        }
    }

    /// The sequence of commit 0.
    pub(crate) fn base_sequence(self) -> u64 {
        match self {
            Self::Memory(part) => part.base_sequence,
            Self::Sealed(part) => part.header.base_sequence.get(),
        }
    }

    pub(crate) fn events(self) -> u32 {
        match self {
            Self::Memory(part) => super::number(part.events.len()),
            Self::Sealed(part) => part.header.events,
        }
    }

    pub(crate) fn commits(self) -> u32 {
        match self {
            Self::Memory(part) => super::number(part.commits.len()),
            Self::Sealed(part) => part.header.commits,
        }
    }

    /// The sequences of its commits.
    pub(crate) fn sequences(self) -> Range<u64> {
        self.base_sequence()..self.base_sequence() + u64::from(self.commits())
    }

    pub(crate) fn commit(self, commit: u32) -> Option<CommitEntry> {
        match self {
            Self::Memory(part) => part.commits.get(commit as usize).copied(),
            Self::Sealed(part) => part.commit(commit),
        }
    }

    /// Where an event starts in its segment.
    pub(crate) fn event(self, event: u32) -> Option<u32> {
        match self {
            Self::Memory(part) => part.events.get(event as usize).copied(),
            Self::Sealed(part) => part.event(event),
        }
    }

    /// Has what [`Self::event`] looks at fetched into the processor's caches, as far as it may not be there.
    #[inline]
    pub(crate) fn prefetch_event(self, event: u32) {
        match self {
            // The last segment's alone, and written just now.
            Self::Memory(_) => (),
            Self::Sealed(part) => part.prefetch_event(event),
        }
    }

    /// The numbers of a key, and of a stream how many events it had before this part; none if it is not here.
    pub(crate) fn find(self, probe: &Probe<'_>) -> Option<(u32, List<'a>)> {
        match self {
            Self::Memory(part) => {
                let found = part.keys.find(probe.kind, probe.hash, probe.key)?;
                Some((found.before, found.list))
            }
            Self::Sealed(part) => part.find(probe.kind, probe.stored, probe.key),
        }
    }

    pub(crate) fn list(self, probe: &Probe<'_>) -> List<'a> {
        self.find(probe).map_or_else(List::default, |(_, list)| list)
    }

    /// The commits of the family that `probe` names, ascending.
    pub(crate) fn family(self, probe: &Probe<'_>) -> Vec<u32> {
        let Ok(family) = probe.key.try_into() else { return Vec::new() };
        match self {
            Self::Memory(part) => part.family(&family),
            Self::Sealed(part) => part.family(&family, probe.stored),
        }
    }

    /// Whether any event was given an id.
    pub(crate) fn has_explicit(self) -> bool {
        match self {
            Self::Memory(part) => !part.explicit.is_empty(),
            Self::Sealed(part) => !part.explicit().is_empty(),
        }
    }

    /// Whether the event was given its id.
    pub(crate) fn is_explicit(self, event: u32) -> bool {
        let explicit = match self {
            Self::Memory(part) => List::Words(&part.explicit),
            Self::Sealed(part) => part.explicit(),
        };
        let below = explicit.below(event);
        below < explicit.len() && explicit.get(below) == event
    }

    pub(crate) fn sequence(self, commit: u32) -> Sequence {
        // An index file may give any number for a commit.
        Sequence::new(self.base_sequence().saturating_add(u64::from(commit)))
    }

    /// The events of a commit.
    pub(crate) fn events_of(self, commit: u32) -> Range<u32> {
        let first = self.commit(commit).map_or(0, |commit| commit.first);
        let next = commit.checked_add(1).and_then(|next| self.commit(next));
        first..next.map_or(self.events(), |next| next.first)
    }

    /// The commit that an event belongs to. Commits hold about as many events each, so it stands near where
    /// its share of the part ends; from there the steps double. A search over all commits misses the caches
    /// at every step.
    pub(crate) fn commit_of(self, event: u32) -> u32 {
        let commits = self.commits();
        let begins_up_to = |commit: u32| self.commit(commit).is_some_and(|commit| commit.first <= event);
        let share = u64::from(event) * u64::from(commits) / u64::from(self.events().max(1));
        let guess = u32::try_from(share).unwrap_or(commits).min(commits);
        let (mut low, mut high, mut step) = (guess, guess, 1_u32);
        while low > 0 && !begins_up_to(low) {
            (high, low) = (low, low.saturating_sub(step));
            step = step.saturating_mul(2);
        }
        while high < commits && begins_up_to(high) {
            (low, high) = (high, high.saturating_add(step));
            step = step.saturating_mul(2);
        }
        let mut high = high.min(commits);
        // `low` begins up to the event, `high` does not.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if begins_up_to(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}
