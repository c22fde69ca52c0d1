//! Reading streams of about 100 events out of the log at a size, page cache warm. Each is compared with what was
//! written.

use super::{
    figure::Figures,
    numbered::{Numbered, Whose},
};
use crate::{
    Failure,
    latency::histogram,
    log::{engine::Conditional, events::Digest, factum::Factum},
    machine::now,
};
use factum::{
    Query, QueryItem, Tag, block_on,
    store::{ReadOptions, Store},
};
use std::collections::HashMap;

/// Streams of those that stand within one unit that are read.
const STREAMS: u64 = 500;
/// Events of a page.
const PAGE_EVENTS: usize = 100;

/// Measures them in a log of the first `filled` events, which is one of the sizes.
pub(crate) fn reads(
    factum: &Factum,
    numbered: &Numbered,
    filled: u64,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let units = filled / numbered.unit;
    let accounts = units * numbered.near();
    let step = (accounts / STREAMS).max(1);
    let near: Vec<_> = (0..STREAMS.min(accounts)).map(|nth| Whose::Near(nth * step)).collect();
    let spread: Vec<_> = (0..numbered.spread()).map(|number| Whose::Spread { units, number }).collect();
    let mut expected: HashMap<_, _> =
        near.iter().chain(&spread).map(|whose| (*whose, Digest::default())).collect();
    for number in 0..filled {
        if let Some(digest) = expected.get_mut(&numbered.whose(number)) {
            digest.expect(number);
        }
    }
    let right = |whose: &Whose, read: Digest| {
        let is_right = expected.get(whose) == Some(&read);
        if is_right { Ok(()) } else { Err(format!("{whose:?} is not what was appended to it: {read:?}")) }
    };
    for (measure, of) in
        [("a stream within a million events", &near), ("a stream spread over the whole log", &spread)]
    {
        let mut latency = histogram()?;
        for round in 0..2 {
            for whose in of {
                let (account, mut read) = (whose.account(), Digest::default());
                let began = now();
                factum.stream(&account, &mut read)?;
                let took = now() - began;
                right(whose, read)?;
                if round > 0 {
                    latency.saturating_record(took);
                }
            }
        }
        figures.latency(measure, &latency, None);
    }
    let mut latency = histogram()?;
    for whose in &near {
        let query = Query::from(QueryItem::default().tag(Tag::new(whose.account().tag)?));
        let began = now();
        let page =
            block_on(factum.log.read(&query, ReadOptions { limit: PAGE_EVENTS, ..ReadOptions::default() }))?;
        latency.saturating_record(now() - began);
        let mut read = Digest::default();
        page.events.iter().for_each(|event| read.take(&event.payload));
        right(whose, read)?;
    }
    figures.latency("`Store::read`, a page of 100 by tag", &latency, None);
    Ok(())
}
