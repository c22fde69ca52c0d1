//! Which events a query selects, by postings alone. Within an item the lists are leapfrogged, shortest
//! first; items are merged in order of position. Only a query for everything walks the log.

use super::{Index, KeyKind, hash_key};
use factum_event::{Position, Query, QueryItem, StreamFilter};

/// A selection being walked in one direction, between two positions.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    what: What<'a>,
    backwards: bool,
    /// What is left, as numbers of events: `from..to`.
    from: u32,
    to: u32,
}

#[derive(Debug)]
enum What<'a> {
    All,
    /// Each with the event it comes to next, once that is known.
    Items(Vec<(Item<'a>, Ahead)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ahead {
    Unknown,
    At(u32),
    Done,
}

/// An event must stand in each of `every`, and in one of `either` unless that is empty.
#[derive(Debug)]
struct Item<'a> {
    every: Vec<Postings<'a>>,
    either: Vec<Postings<'a>>,
}

impl Index {
    /// The events that match `query`, after `after` and up to `up_to`.
    pub(crate) fn select(
        &self,
        query: &Query,
        after: Position,
        up_to: Position,
        backwards: bool,
    ) -> Selection<'_> {
        let bound =
            |at: Position| u32::try_from(at.get()).unwrap_or(u32::MAX).min(super::number(self.events.len()));
        let (from, to) = (bound(after), bound(up_to));
        let what = match query {
            Query::All => What::All,
            _ if query.is_all() => What::All,
            Query::Items(items) => {
                let items = items.iter().filter_map(|item| self.item(item, from, to));
                What::Items(items.map(|item| (item, Ahead::Unknown)).collect())
            }
        };
        Selection { what, backwards, from, to }
    }

    /// None if nothing can match.
    fn item(&self, item: &QueryItem, from: u32, to: u32) -> Option<Item<'_>> {
        let list = |kind: KeyKind, text: &str| {
            let text = text.as_bytes();
            let list = self.keys.postings(kind, hash_key(self.seed, kind, text), text);
            Postings::within(list, from, to)
        };
        let stream = item.stream.as_ref().map(|filter| match filter {
            StreamFilter::Name(name) => list(KeyKind::Stream, name.as_str()),
            StreamFilter::Category(category) => list(KeyKind::Category, category.as_str()),
        });
        let tags = item.tags.iter().map(|tag| list(KeyKind::Tag, tag.as_str()));
        let mut every: Vec<_> = stream.into_iter().chain(tags).collect();
        let types = item.types.iter().map(|event_type| list(KeyKind::Type, event_type.as_str()));
        let either: Vec<_> = types.filter(|list| !list.0.is_empty()).collect();
        let hopeless =
            every.iter().any(|list| list.0.is_empty()) || (either.is_empty() && !item.types.is_empty());
        every.sort_by_key(|list| list.0.len());
        (!hopeless).then_some(Item { every, either })
    }
}

impl Iterator for Selection<'_> {
    type Item = Position;

    fn next(&mut self) -> Option<Position> {
        if self.from >= self.to {
            return None;
        }
        let event = match (&mut self.what, self.backwards) {
            (What::All, false) => Some(self.from),
            (What::All, true) => Some(self.to - 1),
            (What::Items(items), false) => first(items, self.from),
            (What::Items(items), true) => last(items, self.to - 1),
        }?;
        if self.backwards {
            self.to = event;
        } else {
            self.from = event + 1;
        }
        Some(Position::new(u64::from(event) + 1))
    }
}

/// The least event from `from` on that an item selects.
fn first(items: &mut [(Item<'_>, Ahead)], from: u32) -> Option<u32> {
    let mut least = None;
    for (item, ahead) in items {
        if matches!(ahead, Ahead::Unknown) || matches!(ahead, Ahead::At(at) if *at < from) {
            *ahead = item.at_or_after(from).map_or(Ahead::Done, Ahead::At);
        }
        if let Ahead::At(at) = *ahead {
            least = Some(least.map_or(at, |least: u32| least.min(at)));
        }
    }
    least
}

/// The greatest event up to `to` that an item selects.
fn last(items: &mut [(Item<'_>, Ahead)], to: u32) -> Option<u32> {
    let mut greatest = None;
    for (item, ahead) in items {
        if matches!(ahead, Ahead::Unknown) || matches!(ahead, Ahead::At(at) if *at > to) {
            *ahead = item.at_or_before(to).map_or(Ahead::Done, Ahead::At);
        }
        if let Ahead::At(at) = *ahead {
            greatest = greatest.max(Some(at));
        }
    }
    greatest
}

impl Item<'_> {
    fn at_or_after(&mut self, mut at: u32) -> Option<u32> {
        loop {
            let before = at;
            for list in &mut self.every {
                at = list.at_or_after(at)?;
            }
            if !self.either.is_empty() {
                at = self.either.iter_mut().filter_map(|list| list.at_or_after(at)).min()?;
            }
            if at == before {
                return Some(at);
            }
        }
    }

    fn at_or_before(&mut self, mut at: u32) -> Option<u32> {
        loop {
            let before = at;
            for list in &mut self.every {
                at = list.at_or_before(at)?;
            }
            if !self.either.is_empty() {
                at = self.either.iter_mut().filter_map(|list| list.at_or_before(at)).max()?;
            }
            if at == before {
                return Some(at);
            }
        }
    }
}

/// The part of a list that is still ahead. A walk goes one way, so what is passed is cut off.
#[derive(Debug)]
struct Postings<'a>(&'a [u32]);

impl<'a> Postings<'a> {
    /// Only `from..to`; both ends are found from the end, where conditions look.
    fn within(list: &'a [u32], from: u32, to: u32) -> Self {
        let Some(last) = to.checked_sub(1) else { return Self(&[]) };
        let mut list = Self(list);
        list.at_or_before(last);
        let older = list.0.len() - gallop(list.0.len(), |back| list.0[list.0.len() - 1 - back] >= from);
        Self(&list.0[older..])
    }

    fn at_or_after(&mut self, at: u32) -> Option<u32> {
        let passed = gallop(self.0.len(), |index| self.0[index] < at);
        self.0 = &self.0[passed..];
        self.0.first().copied()
    }

    fn at_or_before(&mut self, at: u32) -> Option<u32> {
        let length = self.0.len();
        let passed = gallop(length, |back| self.0[length - 1 - back] > at);
        self.0 = &self.0[..length - passed];
        self.0.last().copied()
    }
}

/// How many of the first `length` hold, given that those which hold come first. Quick where they are few.
fn gallop(length: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut step) = (0, 1);
    while low + step <= length && holds(low + step - 1) {
        low += step;
        step *= 2;
    }
    let mut high = (low + step - 1).min(length);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gallop_counts_what_holds() {
        for length in 0..40 {
            for count in 0..=length {
                assert_eq!(gallop(length, |index| index < count), count, "{count} of {length}");
            }
        }
    }

    #[test]
    fn a_list_is_cut_to_its_window() {
        let list = [1, 3, 5, 7, 9];
        assert_eq!(Postings::within(&list, 3, 8).0, [3, 5, 7]);
        assert_eq!(Postings::within(&list, 0, 0).0, [0_u32; 0]);
        assert_eq!(Postings::within(&list, 6, 7).0, [0_u32; 0]);
    }
}
