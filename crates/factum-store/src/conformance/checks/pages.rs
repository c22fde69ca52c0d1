//! Pages: their bounds, and that they join without gap or repeat, forwards and backwards.

use crate::{
    PAGE_BYTES_MAX, PAGE_EVENTS_MAX, ReadOptions,
    conformance::{
        Failure,
        Promise::L10,
        case::Case,
        draft::{fact, rejected, tagged},
        log::Log,
    },
};
use factum_event::{CorrelationId, Position, Query, Sequence};

checks! {
    pages_join_without_gap_or_repeat: [L10] needs [TotalOrder];
    bounds_of_a_read_are_kept: [L10] needs [TotalOrder];
    a_page_is_bounded_in_bytes: [L10] needs [];
    a_page_is_bounded_in_events: [L10] needs [];
    the_last_page_leads_nowhere: [L10] needs [];
    pages_of_commits_join: [L10] needs [];
}

const EVENTS: u64 = 23;

/// Every third event, from the first, is tagged.
fn tagged_thirds(case: &Case<'_>) -> Result<Log, Failure> {
    let log = case.open();
    for nth in 0..EVENTS {
        let tags: &[&str] = if nth % 3 == 0 { &["third"] } else { &[] };
        log.put(case.commit([fact("order-1", "placed", tags)]))?;
    }
    Ok(log)
}

/// Which positions a read must give.
fn expected(third: bool, options: ReadOptions) -> Vec<u64> {
    let up_to = options.up_to.map_or(u64::MAX, Position::get);
    let within = |position: &u64| *position > options.after.get() && *position <= up_to;
    let mut positions: Vec<_> =
        (1..=EVENTS).filter(within).filter(|position| !third || position % 3 == 1).collect();
    if options.backwards {
        positions.reverse();
    }
    positions
}

fn reads(log: &Log, options: ReadOptions) -> Result<(), Failure> {
    for (third, query) in [(false, Query::All), (true, tagged(&["third"]))] {
        let events = log.select_within(&query, options)?;
        let came: Vec<_> = events.iter().map(|event| event.position.get()).collect();
        let done = format!("read {query:?} page by page with {options:?}");
        L10.same(&done, expected(third, options), came)?;
        let page = log.page(&query, options)?;
        L10.holds(
            page.events.len() <= options.limit.max(1),
            &done,
            "no more than asked",
            &page.events.len(),
        )?;
    }
    Ok(())
}

fn pages_join_without_gap_or_repeat(case: &Case<'_>) -> Result<(), Failure> {
    let log = tagged_thirds(case)?;
    for limit in [1, 2, 3, 7, 8, 22, 23, 24, PAGE_EVENTS_MAX, usize::MAX] {
        for backwards in [false, true] {
            reads(&log, ReadOptions { limit, backwards, ..ReadOptions::default() })?;
        }
    }
    Ok(())
}

fn bounds_of_a_read_are_kept(case: &Case<'_>) -> Result<(), Failure> {
    let log = tagged_thirds(case)?;
    for after in [0, 1, 2, 12, 13, 22, 23, 24, u64::MAX] {
        for up_to in
            [None, Some(0), Some(1), Some(12), Some(13), Some(22), Some(23), Some(24), Some(u64::MAX)]
        {
            for backwards in [false, true] {
                let after = Position::new(after);
                reads(&log, ReadOptions { after, up_to: up_to.map(Position::new), backwards, limit: 4 })?;
            }
        }
    }
    let head = log.page(&Query::All, ReadOptions { limit: 1, ..ReadOptions::default() })?.head;
    L10.same("asked a page for the head it was read at", Position::new(EVENTS), head)
}

fn a_page_is_bounded_in_bytes(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let sizes =
        [PAGE_BYTES_MAX / 2, PAGE_BYTES_MAX / 2 - 1, 1, 1, PAGE_BYTES_MAX, 1, PAGE_BYTES_MAX - 1, 0, 2, 3];
    for size in sizes {
        let mut event = fact("blob-1", "stored", &["blob"]);
        event.payload = vec![b'x'; size].into();
        log.put(case.commit([event]))?;
    }
    for backwards in [false, true] {
        let mut options = ReadOptions { backwards, ..ReadOptions::default() };
        let mut came = Vec::new();
        loop {
            let page = log.page(&tagged(&["blob"]), options)?;
            let bytes: Vec<_> = page.events.iter().map(|event| event.payload.len()).collect();
            let all_but_last: usize = bytes.iter().rev().skip(1).sum();
            let done = format!("read large payloads with {options:?}");
            let bound = "the page to end after the event that brings it to the bound";
            L10.holds(all_but_last < PAGE_BYTES_MAX, &done, bound, &bytes)?;
            L10.holds(!bytes.is_empty() || page.next.is_none(), &done, "a page that gets on", &bytes)?;
            came.extend(bytes);
            L10.holds(came.len() <= sizes.len(), &done, "no payload twice", &came)?;
            match page.next {
                None => break,
                Some(next) if backwards => options.up_to = Some(next),
                Some(next) => options.after = next,
            }
        }
        if backwards {
            came.reverse();
        }
        L10.same(format!("read every page, backwards: {backwards}"), sizes.to_vec(), came)?;
    }
    Ok(())
}

fn a_page_is_bounded_in_events(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let events = PAGE_EVENTS_MAX + 3;
    log.put(case.commit_all((0..events).map(|_| fact("order-1", "placed", &["order:1"])).collect()))?;
    for query in [Query::All, tagged(&["order:1"])] {
        let page = log.page(&query, ReadOptions { limit: usize::MAX, ..ReadOptions::default() })?;
        let most = page.events.len() <= PAGE_EVENTS_MAX;
        L10.holds(most, "read without a limit of its own", "the page to be bounded", &page.events.len())?;
        L10.same("read every page", events, log.select(&query)?.len())?;
    }
    let page = log.page(&Query::All, ReadOptions { limit: 0, ..ReadOptions::default() })?;
    let none = (page.events.len(), page.next);
    let gets_on = page.events.len() == 1 && page.next.is_some();
    L10.holds(gets_on, "read with a limit of 0, which counts as 1", "one event, and where to go on", &none)
}

fn the_last_page_leads_nowhere(case: &Case<'_>) -> Result<(), Failure> {
    let log = tagged_thirds(case)?;
    let mut options = ReadOptions { after: Position::new(EVENTS), ..ReadOptions::default() };
    let page = log.page(&Query::All, options)?;
    L10.same("read after the last event", (0, None), (page.events.len(), page.next))?;
    options = ReadOptions { up_to: Some(Position::START), backwards: true, ..ReadOptions::default() };
    let page = log.page(&Query::All, options)?;
    L10.same("read backwards before the first event", (0, None), (page.events.len(), page.next))?;
    let page = log.page(&tagged(&["unheard"]), ReadOptions { limit: 1, ..ReadOptions::default() })?;
    L10.same("read what matches nothing", 0, page.events.len())
}

fn pages_of_commits_join(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let correlation = CorrelationId::of(case.command_id());
    let mut related = Vec::new();
    for nth in 0..17 {
        let mut commit = if nth % 4 == 0 {
            case.outcome(rejected())
        } else {
            case.commit([fact("order-1", "placed", &[])])
        };
        if nth % 3 == 0 {
            commit.command.metadata.correlation = Some(correlation);
        }
        let sequence = log.put(commit)?.sequence;
        if nth % 3 == 0 {
            related.push(sequence);
        }
    }
    let sequences = |commits: Vec<factum_event::Commit>| -> Vec<Sequence> {
        commits.iter().map(|commit| commit.header.sequence).collect()
    };
    for limit in [0, 1, 2, 5, 16, 17, 18, 4096] {
        let all: Vec<_> = (1..=17).map(Sequence::new).collect();
        L10.same(format!("read commits by {limit}"), all, sequences(log.commits(limit)?))?;
        let came = sequences(log.correlated(correlation, limit)?);
        L10.same(format!("read correlated commits by {limit}"), related.clone(), came)?;
    }
    for after in [0, 1, 16, 17, 18, u64::MAX] {
        let page = log.commit_page(Sequence::new(after), 100)?;
        let expected: Vec<_> = (1..=17).filter(|sequence| *sequence > after).map(Sequence::new).collect();
        L10.same(format!("read commits after {after}"), expected, sequences(page.commits))?;
    }
    Ok(())
}
