//! Which events a query selects, by postings alone. Parts are walked one after the other, those outside of the
//! window or without a key of the query not at all. Within an item the lists are leapfrogged, shortest first;
//! items are merged in order of position. Only a query for everything walks the log.

use super::{
    Index, KeyKind,
    list::List,
    part::{PartRef, Probe},
};
use factum_event::{Position, Query, QueryItem, StreamFilter};

/// A selection being walked in one direction, between two positions.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    index: &'a Index,
    /// None for every event.
    items: Option<Vec<Asked<'a>>>,
    backwards: bool,
    /// The positions that are left: `from..to`.
    from: u64,
    to: u64,
    part: Option<Within<'a>>,
}

/// What an event must have: each of `every`, and one of `either` unless that is empty.
#[derive(Debug)]
struct Asked<'a> {
    every: Vec<Probe<'a>>,
    either: Vec<Probe<'a>>,
}

/// A part being walked.
#[derive(Debug)]
struct Within<'a> {
    /// The position of its event 0.
    base: u64,
    /// What is left, as numbers of events: `from..to`.
    from: u32,
    to: u32,
    /// Each with the event it comes to next, once that is known.
    items: Vec<(Item<'a>, Ahead)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ahead {
    Unknown,
    At(u32),
    Done,
}

/// An item of the query in one part.
#[derive(Debug)]
struct Item<'a> {
    every: Vec<Postings<'a>>,
    either: Vec<Postings<'a>>,
}

impl Index {
    /// The events that match `query`, after `after` and up to `up_to`.
    pub(crate) fn select<'a>(
        &'a self,
        query: &'a Query,
        after: Position,
        up_to: Position,
        backwards: bool,
    ) -> Selection<'a> {
        let items = match query {
            Query::All => None,
            _ if query.is_all() => None,
            Query::Items(items) => Some(items.iter().map(|item| self.asked(item)).collect()),
        };
        let (last, _) = self.last();
        let (from, to) = (after.min(last).next().get(), up_to.min(last).next().get());
        Selection { index: self, items, backwards, from, to, part: None }
    }

    fn asked<'a>(&self, item: &'a QueryItem) -> Asked<'a> {
        let probe = |kind: KeyKind, text: &'a str| self.probe(kind, text.as_bytes());
        let stream = item.stream.as_ref().map(|filter| match filter {
            StreamFilter::Name(name) => probe(KeyKind::Stream, name.as_str()),
            StreamFilter::Category(category) => probe(KeyKind::Category, category.as_str()),
        });
        let tags = item.tags.iter().map(|tag| probe(KeyKind::Tag, tag.as_str()));
        let types = item.types.iter().map(|event_type| probe(KeyKind::Type, event_type.as_str()));
        Asked { every: stream.into_iter().chain(tags).collect(), either: types.collect() }
    }
}

impl<'a> Asked<'a> {
    /// None if nothing can match in `from..to` of the part.
    fn within(&self, part: PartRef<'a>, from: u32, to: u32) -> Option<Item<'a>> {
        let list = |probe: &Probe<'_>| {
            let list = Postings::within(part.list(probe), from, to);
            (!list.is_empty()).then_some(list)
        };
        let mut every = self.every.iter().map(list).collect::<Option<Vec<_>>>()?;
        let either: Vec<_> = self.either.iter().filter_map(list).collect();
        every.sort_by_key(Postings::len);
        (!either.is_empty() || self.either.is_empty()).then_some(Item { every, either })
    }
}

impl<'a> Selection<'a> {
    /// The part that is walked next; none once the window is empty.
    fn enter(&mut self) -> Option<Within<'a>> {
        let items = self.items.as_ref()?;
        loop {
            if self.from >= self.to {
                return None;
            }
            let at = if self.backwards { self.to - 1 } else { self.from };
            let part = self.index.part_by(|part| part.base_position() <= at);
            let base = part.base_position();
            let narrow = |position: u64| {
                u32::try_from(position.saturating_sub(base)).unwrap_or(u32::MAX).min(part.events())
            };
            let (from, to) = (narrow(self.from), narrow(self.to));
            if self.backwards {
                // Before the first part there is nothing.
                self.to = if base <= at { base } else { 0 };
            } else {
                self.from = (base + u64::from(part.events())).max(self.from + 1);
            }
            let items: Vec<_> = items
                .iter()
                .filter_map(|item| Some((item.within(part, from, to)?, Ahead::Unknown)))
                .collect();
            if !items.is_empty() {
                return Some(Within { base, from, to, items });
            }
        }
    }
}

impl Iterator for Selection<'_> {
    type Item = Position;

    fn next(&mut self) -> Option<Position> {
        if self.items.is_none() {
            if self.from >= self.to {
                return None;
            }
            if self.backwards {
                self.to -= 1;
                return Some(Position::new(self.to));
            }
            self.from += 1;
            return Some(Position::new(self.from - 1));
        }
        loop {
            if self.part.is_none() {
                self.part = Some(self.enter()?);
            }
            let found = self.part.as_mut().and_then(|part| part.next(self.backwards));
            if found.is_some() {
                return found;
            }
            self.part = None;
        }
    }
}

impl Within<'_> {
    fn next(&mut self, backwards: bool) -> Option<Position> {
        if self.from >= self.to {
            return None;
        }
        let event =
            if backwards { last(&mut self.items, self.to - 1) } else { first(&mut self.items, self.from) }?;
        if backwards {
            self.to = event;
        } else {
            self.from = event.saturating_add(1);
        }
        Some(Position::new(self.base.saturating_add(u64::from(event))))
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
struct Postings<'a> {
    list: List<'a>,
    from: usize,
    to: usize,
}

impl<'a> Postings<'a> {
    /// Only `from..to`; both ends are found from the end, where conditions look.
    fn within(list: List<'a>, from: u32, to: u32) -> Self {
        let mut list = Self { list, from: 0, to: list.len() };
        let Some(last) = to.checked_sub(1).filter(|last| *last >= from) else {
            list.to = 0;
            return list;
        };
        list.at_or_before(last);
        let back = |back: usize| list.list.get(list.to - 1 - back) >= from;
        list.from = list.to - gallop(list.to, back);
        list
    }

    fn len(&self) -> usize {
        self.to - self.from
    }

    fn is_empty(&self) -> bool {
        self.to == self.from
    }

    fn at_or_after(&mut self, at: u32) -> Option<u32> {
        self.from += gallop(self.len(), |index| self.list.get(self.from + index) < at);
        (!self.is_empty()).then(|| self.list.get(self.from))
    }

    fn at_or_before(&mut self, at: u32) -> Option<u32> {
        self.to -= gallop(self.len(), |back| self.list.get(self.to - 1 - back) > at);
        (!self.is_empty()).then(|| self.list.get(self.to - 1))
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
        let within = |from, to| {
            let within = Postings::within(List::Words(&[1, 3, 5, 7, 9]), from, to);
            (within.from..within.to).map(|index| within.list.get(index)).collect::<Vec<_>>()
        };
        assert_eq!(within(3, 8), [3, 5, 7]);
        assert_eq!(within(0, 0), [0_u32; 0]);
        assert_eq!(within(6, 7), [0_u32; 0]);
    }
}
