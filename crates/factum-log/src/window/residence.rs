//! Remembers whether pages have been in memory lately, which says how many places of the next one to look at: each
//! look is a call of the system, and eight of them cost a read of 100 events more than its checksums do.
//! Advice: what it forgets, or counts twice, costs time.

use crate::limits::{FETCH_CAREFUL_PAGES, FETCH_LOOKS_MIN, FETCH_PLACES_MIN};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How the pages of a log were found.
#[derive(Debug)]
pub(crate) struct Residence {
    /// So many pages are looked at with care, since one was not in memory.
    careful: AtomicUsize,
}

impl Default for Residence {
    fn default() -> Self {
        Self { careful: AtomicUsize::new(FETCH_CAREFUL_PAGES) }
    }
}

impl Residence {
    /// How many places of the next page to look at.
    pub(super) fn looks(&self) -> usize {
        if self.careful.load(Ordering::Relaxed) > 0 { FETCH_PLACES_MIN } else { FETCH_LOOKS_MIN }
    }

    /// Takes in how a page was found.
    pub(super) fn found(&self, in_memory: bool) {
        let careful = self.careful.load(Ordering::Relaxed);
        let left = if in_memory { careful.saturating_sub(1) } else { FETCH_CAREFUL_PAGES };
        if left != careful {
            self.careful.store(left, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_places_are_looked_at_once_so_many_pages_were_in_memory() {
        let residence = Residence::default();
        for _ in 0..2 {
            for page in 0..FETCH_CAREFUL_PAGES {
                assert_eq!(residence.looks(), FETCH_PLACES_MIN, "{page}");
                residence.found(true);
            }
            residence.found(true);
            assert_eq!(residence.looks(), FETCH_LOOKS_MIN);
            residence.found(false);
        }
    }
}
