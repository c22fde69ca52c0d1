//! Pages of large events: bounded in bytes, joined without gap or repeat, over segments.

use crate::{
    sim::Sim,
    support::{SeededEntropy, options, simple},
};
use factum_event::{Position, Query, QueryItem, Sequence, Tag};
use factum_log::{Log, Options};
use factum_store::{Append, MemoryStore, PAGE_BYTES_MAX, ReadOptions, Store, block_on};
use factum_testkit::VirtualClock;
use std::sync::Arc;

fn large(n: u64) -> Append {
    let mut append = simple(n);
    let event = append.commit.events.pop().unwrap();
    append.commit.events = (0..3)
        .map(|part| {
            let mut event = event.clone();
            event.payload = vec![b'a' + part; 700_000 * (1 + part as usize % 2)].into();
            event.tag(Tag::new(["x", "y", "z"][part as usize]).unwrap())
        })
        .collect();
    append
}

fn stores() -> (Log, MemoryStore) {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 9_000_000, ..options(1) }).unwrap();
    let model = MemoryStore::with_ports(Arc::new(VirtualClock::default()), &SeededEntropy::new(1));
    for n in 0..9 {
        let batch = if n % 2 == 0 { vec![large(n)] } else { vec![simple(n)] };
        assert_eq!(log.append(batch.clone()), block_on(model.append(batch)));
    }
    (log, model)
}

#[test]
fn pages_are_bounded_in_bytes_as_those_of_the_reference() {
    let (log, model) = stores();
    let (x, z) =
        (QueryItem::default().tag(Tag::new("x").unwrap()), QueryItem::default().tag(Tag::new("z").unwrap()));
    for query in [Query::All, Query::from(x.clone()), Query::Items(vec![x, z])] {
        for backwards in [false, true] {
            let mut options = ReadOptions { backwards, ..ReadOptions::default() };
            let mut pages = 0;
            loop {
                let page = block_on(log.read(&query, options)).unwrap();
                assert_eq!(page, block_on(model.read(&query, options)).unwrap());
                pages += 1;
                match page.next {
                    Some(next) if backwards => options.up_to = Some(next),
                    Some(next) => options.after = next,
                    None => break,
                }
            }
            assert!(pages > 1 || query != Query::All);
        }
    }
}

#[test]
fn pages_of_commits_are_bounded_in_bytes_and_join() {
    let (log, model) = stores();
    let (mut joined, mut after, mut pages) = (Vec::new(), Sequence::START, 0);
    loop {
        let page = block_on(log.commits(after, usize::MAX)).unwrap();
        let bytes = |upto: usize| -> usize {
            page.commits[..upto]
                .iter()
                .flat_map(|commit| &commit.events)
                .map(|event| event.payload.len())
                .sum()
        };
        assert!(bytes(page.commits.len() - 1) < PAGE_BYTES_MAX);
        joined.extend(page.commits);
        pages += 1;
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert!(pages > 1);
    assert_eq!(joined, block_on(model.commits(Sequence::START, usize::MAX)).unwrap().commits);
    assert_eq!(log.published().position, Position::new(19));
}
