//! Appends to the log at a size, in turn with the raw loop, so that both see the same minute.

use super::{figure::Figures, numbered::events};
use crate::{
    Failure,
    latency::histogram,
    log::{
        engine::Engine,
        events::{Account, Event},
        factum::Factum,
        raw::Raw,
    },
    machine::now,
};
use factum::{Condition, Query, QueryItem, Tag};
use hdrhistogram::Histogram;

/// How often raw loop and log take turns.
const TURNS: u64 = 10;

/// Appends of each kind: of one event, and of 100.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) ones: u64,
    pub(crate) hundreds: u64,
}

/// Measures them. `next` numbers what is appended, in streams and with tags of its own; `existing` are tags that the
/// log has.
pub(crate) fn appends(
    factum: &Factum,
    raw: &Raw,
    counts: Counts,
    next: &mut u64,
    existing: &[Account],
    figures: &mut Figures,
) -> Result<(), Failure> {
    let [mut raw_1, mut raw_100, mut one, mut hundred, mut fresh, mut absent] = [(); 6].map(|()| histogram());
    let existing = existing.iter().map(|account| of(&account.tag)).collect::<Result<Vec<_>, _>>()?;
    let mut existing = existing.iter().cycle();
    for _ in 0..TURNS {
        let (ones, hundreds) = (counts.ones.div_ceil(TURNS), counts.hundreds.div_ceil(TURNS));
        timed(&mut raw_1, ones, next, 1, |events| raw.append(events))?;
        timed(&mut one, ones, next, 1, |events| factum.append(events))?;
        timed(&mut fresh, ones, next, 1, |events| {
            let query = existing.next().ok_or("no tag that the log has")?.clone();
            single(events, |event| {
                let head = factum.log.published().position;
                factum.append_under(event, Condition::none().fresh(query, head))
            })
        })?;
        timed(&mut absent, ones, next, 1, |events| {
            single(events, |event| {
                let query = of(&event.account.tag)?;
                factum.append_under(event, Condition::none().absent(query))
            })
        })?;
        timed(&mut raw_100, hundreds, next, 100, |events| raw.append(events))?;
        timed(&mut hundred, hundreds, next, 100, |events| factum.append(events))?;
    }
    let (raw_1, raw_100) = (raw_1?, raw_100?);
    figures.latency("raw, 1 event", &raw_1, None);
    figures.latency("append-1", &one?, Some(&raw_1));
    figures.latency("append-1, fresh: nothing new with a tag that the log has", &fresh?, Some(&raw_1));
    figures.latency("append-1, absent: a tag that the log has not", &absent?, Some(&raw_1));
    figures.latency("raw, 100 events", &raw_100, None);
    figures.latency("append-100", &hundred?, Some(&raw_100));
    Ok(())
}

fn of(tag: &str) -> Result<Query, Failure> {
    Ok(Query::from(QueryItem::default().tag(Tag::new(tag)?)))
}

fn single(
    events: Vec<Event<'_>>,
    append: impl FnOnce(Event<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    append(events.into_iter().next().ok_or("a commit without an event")?)
}

/// So many commits of `each` events; making the events is not timed, encoding them is.
fn timed(
    latency: &mut Result<Histogram<u64>, Failure>,
    commits: u64,
    next: &mut u64,
    each: u64,
    mut append: impl FnMut(Vec<Event<'_>>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let latency = latency.as_mut().map_err(|error| error.to_string())?;
    for _ in 0..commits {
        let numbers = *next..*next + each;
        *next = numbers.end;
        let name = |number| Account { stream: format!("probe-{number}"), tag: format!("probe:{number}") };
        let accounts: Vec<_> = numbers.clone().map(name).collect();
        let events = events(&accounts, numbers);
        let began = now();
        append(events)?;
        latency.saturating_record(now() - began);
    }
    Ok(())
}
