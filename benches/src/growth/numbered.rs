//! Whose each event of the log that grows is. Streams keep their length however long the log is: most have about 100
//! events within one unit of it; some of each size have 100 that are spread over all of it.

use crate::log::events::{Account, Event, payload};

/// Events of a stream, about.
pub(crate) const STREAM_EVENTS: u64 = 100;
/// One of as many events as this, for each unit that the log is to have, is of a stream that is spread.
const SPREAD_EVERY: u64 = 100;

/// Whose an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    /// One of the streams whose events stand within one unit.
    Near(u64),
    /// One of the streams that are spread over a log of so many units.
    Spread { units: u64, number: u64 },
}

impl Whose {
    pub(crate) fn account(self) -> Account {
        match self {
            Self::Near(number) => {
                Account { stream: format!("account-{number}"), tag: format!("account:{number}") }
            }
            Self::Spread { units, number } => Account {
                stream: format!("spread-{units}-{number}"),
                tag: format!("spread:{units}-{number}"),
            },
        }
    }
}

/// The numbers of events.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    /// Events of a unit, a multiple of 10 000.
    pub(crate) unit: u64,
    /// The sizes that are measured, in units; rising, fewer than 100.
    pub(crate) sizes: Vec<u64>,
}

impl Numbered {
    /// Whose the event with this number is.
    pub(crate) fn whose(&self, event: u64) -> Whose {
        let spread = (0..).zip(&self.sizes).find(|(nth, units)| {
            let (every, events) = (SPREAD_EVERY * **units, **units * self.unit);
            event < events && event % every == *nth
        });
        if let Some((_, units)) = spread {
            return Whose::Spread { units: *units, number: event / (SPREAD_EVERY * units) % self.spread() };
        }
        let accounts = self.near();
        let (round, place) = (event % self.unit / accounts, event % accounts);
        Whose::Near(event / self.unit * accounts + (place * 7919 + round * 31) % accounts)
    }

    /// Streams within each unit.
    pub(crate) fn near(&self) -> u64 {
        self.unit / STREAM_EVENTS
    }

    /// Streams that are spread, of each size.
    pub(crate) fn spread(&self) -> u64 {
        self.near() / SPREAD_EVERY
    }
}

/// The events with these numbers, each with its account.
pub(crate) fn events<'a>(accounts: &'a [Account], numbers: impl Iterator<Item = u64>) -> Vec<Event<'a>> {
    accounts
        .iter()
        .zip(numbers)
        .map(|(account, number)| Event { account, payload: payload(number) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn streams_keep_their_length_and_some_are_spread_over_all() {
        let numbered = Numbered { unit: 20_000, sizes: vec![1, 3] };
        let mut found: HashMap<Whose, (u64, u64, u64)> = HashMap::new();
        for event in 0..60_000 {
            let (count, first, last) = found.entry(numbered.whose(event)).or_insert((0, event, event));
            (*count, *first, *last) = (*count + 1, (*first).min(event), event);
        }
        assert_eq!(found.len(), 600 + 2 * 2);
        for (whose, (count, first, last)) in found {
            match whose {
                Whose::Near(number) => {
                    assert!((98..=100).contains(&count), "{whose:?} has {count}");
                    assert_eq!((first / 20_000, last / 20_000), (number / 200, number / 200));
                }
                Whose::Spread { units, .. } => {
                    assert_eq!(count, 100);
                    assert!(last - first > units * 20_000 * 9 / 10, "{whose:?} from {first} to {last}");
                }
            }
        }
    }
}
