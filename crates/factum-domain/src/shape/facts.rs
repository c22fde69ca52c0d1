//! What was seen of a form so far, and what to try next. Bounded.

use std::collections::{BTreeMap, BTreeSet};

/// So much is noted at the most; beyond it a form is as good as told apart.
const FACTS_MAX: usize = 10_000;

/// What is offered where a text is read: a form may take only some.
pub(super) const TEXTS: [&str; 8] = [
    "",
    "0",
    "a",
    "00000000-0000-0000-0000-000000000000",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "127.0.0.1",
    "https://example.org/",
];

/// What was seen of a form so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    seen: BTreeSet<String>,
    /// Which variant of an enum is looked at, and how many it has.
    variants: BTreeMap<&'static str, (usize, usize)>,
    /// Which value is offered at a place that refused the ones before it.
    offers: BTreeMap<String, usize>,
    /// Where something was offered last, and how many there are: if a pass fails, that was most likely why.
    last: Option<(String, usize)>,
}

impl Facts {
    pub(super) fn note(&mut self, path: &str, fact: &str) -> bool {
        let room = self.seen.len() < FACTS_MAX;
        if room {
            self.seen.insert(format!("{path}: {fact}\n"));
        }
        room
    }

    /// Which variant to look at, where the enum stands `within` itself so often.
    pub(super) fn variant(&mut self, name: &'static str, count: usize, within: usize) -> usize {
        let (at, _) = *self.variants.entry(name).or_insert((0, count));
        (at + within) % count.max(1)
    }

    /// Which of so many values to offer at `path`.
    pub(super) fn offer(&mut self, path: &str, offers: usize) -> usize {
        self.last = Some((path.to_owned(), offers));
        self.offers.get(path).copied().unwrap_or(0)
    }

    /// After a pass: whether another one may show more.
    pub(super) fn goes_on(&mut self, ended: bool) -> bool {
        if let Some((path, offers)) = self.last.take()
            && !ended
        {
            let next = self.offers.entry(path).or_default();
            if *next + 1 < offers {
                *next += 1;
                return true;
            }
        }
        let mut more = false;
        for (at, count) in self.variants.values_mut() {
            if *at + 1 < *count {
                *at += 1;
                more = true;
            }
        }
        more
    }

    pub(super) fn into_lines(self) -> String {
        self.seen.into_iter().collect()
    }
}
