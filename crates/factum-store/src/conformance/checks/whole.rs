//! A commit is there whole or not at all, whoever looks and whenever.

use crate::{
    AppendError, ReadOptions,
    conformance::{
        Failure,
        Promise::{L2, L10, L15},
        case::Case,
        draft::{fact, stream, tagged},
        log::Log,
    },
};
use factum_event::{Condition, Expected, Position, Query, RecordedEvent, Revision, Sequence};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

checks! {
    readers_never_see_a_part_of_a_commit: [L2, L15] needs [SeveralStreams];
    a_refused_commit_leaves_nothing: [L2] needs [SeveralStreams];
    a_commit_refused_for_its_last_event_leaves_nothing: [L2] needs [SeveralStreams];
    an_abandoned_append_is_stored_whole_or_not: [L2] needs [SeveralStreams];
    a_follower_sees_every_event_once_in_order: [L10, L15] needs [TotalOrder];
}

const PARTS: usize = 4;
const COMMITS: usize = 40;

fn readers_never_see_a_part_of_a_commit(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                look_for_parts(&log)?;
                thread::yield_now();
            }
            look_for_parts(&log)
        });
        let written = (0..COMMITS).try_for_each(|_| {
            let facts = (0..PARTS).map(|part| fact(&format!("leg-{part}"), "moved", &["transfer"]));
            log.put(case.commit_all(facts.collect())).map(drop)
        });
        done.store(true, Ordering::SeqCst);
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.and(read)
    })
}

fn look_for_parts(log: &Log) -> Result<(), Failure> {
    let before = log.head()?;
    for query in [Query::All, tagged(&["transfer"])] {
        let page = log.page(&query, ReadOptions::default())?;
        let seen = page.events.len();
        let done = format!("read {query:?} while commits of {PARTS} events were appended");
        L2.holds(seen % PARTS == 0, &done, "whole commits only", &format!("{seen} events"))?;
        let last = page.events.last().map_or(Position::START, |event| event.position);
        L15.holds(last <= page.head, &done, "nothing beyond the head it was read at", &(last, page.head))?;
        L15.holds(last >= before.position, &done, "all up to the head told before", &(last, before))?;
    }
    let legs: Vec<_> = (0..PARTS).map(|part| stream(&format!("leg-{part}"))).collect();
    let head = log.head()?;
    L2.holds(head.position.get() % 4 == 0, "asked for the head meanwhile", "whole commits only", &head)?;
    let at_head = |leg| log.revision(leg, head.position);
    let first = at_head(&legs[0])?;
    for leg in &legs {
        L2.same(format!("asked for the revision of {leg} at {}", head.position), first, at_head(leg)?)?;
    }
    let page = log.commit_page(Sequence::START, COMMITS)?;
    let torn = page.commits.into_iter().find(|commit| commit.events.len() != PARTS);
    L2.holds(torn.is_none(), "read commits meanwhile", "whole commits only", &torn)
}

fn a_refused_commit_leaves_nothing(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-2", "placed", &["order:2"])]))?;
    let events = [fact("order-1", "placed", &["order:1"]), fact("order-2", "placed", &["order:1"])];
    let expected = Condition::none().stream(stream("order-2"), Expected::NoStream);
    let actual = Some(Revision::new(0));
    let error =
        AppendError::WrongRevision { stream: stream("order-2"), expected: Expected::NoStream, actual };
    log.refused(L2, case.commit(events), expected, error)?;
    nothing_of_order_1(&log)?;
    let again = Condition::none().stream(stream("order-1"), Expected::NoStream).absent(tagged(&["order:1"]));
    let verdict = log.attempt(case.commit([fact("order-1", "placed", &["order:1"])]), again)?;
    L2.holds(verdict.is_ok(), "appended what was refused before", "it to find no trace", &verdict)
}

fn a_commit_refused_for_its_last_event_leaves_nothing(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-2", "placed", &["order:2"])]))?;
    let taken = log.first()?.id;
    let mut repeated = fact("order-3", "placed", &["order:1"]);
    repeated.id = Some(taken);
    let commit = case.commit([fact("order-1", "placed", &["order:1"]), repeated]);
    let (id, error) =
        (commit.event_id(0), AppendError::EventExists { id: taken, position: Position::new(1) });
    log.refused(L2, commit, Condition::none(), error)?;
    L2.same("looked up its first event", None, log.event(id)?)?;
    nothing_of_order_1(&log)
}

fn an_abandoned_append_is_stored_whole_or_not(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..12 {
        let key = format!("transfer:{round}");
        let facts = (0..PARTS).map(|part| fact(&format!("leg-{part}"), "moved", &[&key]));
        let commit = case.commit_all(facts.collect());
        log.abandon(commit.clone());
        let seen = || Ok(log.page(&tagged(&[&key]), ReadOptions::default())?.events.len());
        let whole = |done: &str, seen: usize| {
            let done = format!("gave up an append of {PARTS} events at once, {done}");
            L2.holds(seen == 0 || seen == PARTS, done, "all of it or nothing", &format!("{seen} events"))
        };
        whole("read", seen()?)?;
        log.put(case.commit([fact("other-1", "noted", &[])]))?;
        whole("appended another commit, read", seen()?)?;
        let again = log.attempt(commit, Condition::none())?;
        let settled = matches!(again, Ok(_) | Err(AppendError::AlreadyDecided { .. }));
        L2.holds(settled, "appended it again", "it to be stored, or decided before", &again)?;
        L2.same("read it then", PARTS, log.select(&tagged(&[&key]))?.len())?;
    }
    Ok(())
}

fn nothing_of_order_1(log: &Log) -> Result<(), Failure> {
    let done = "looked for what a refused commit may have left";
    L2.same(done, Vec::new(), log.select(&tagged(&["order:1"]))?)?;
    L2.same(done, None, log.revision(&stream("order-1"), Position::new(u64::MAX))?)?;
    L2.same(done, 1, log.commits(10)?.len())
}

fn a_follower_sees_every_event_once_in_order(case: &Case<'_>) -> Result<(), Failure> {
    const WRITERS: usize = 3;
    let log = case.open();
    let total = WRITERS * COMMITS * 2;
    thread::scope(|scope| {
        let follower = scope.spawn(|| follow(&log, total));
        let writers: Vec<_> = (0..WRITERS)
            .map(|nth| {
                let (log, home) = (&log, format!("leg-{nth}"));
                scope.spawn(move || {
                    (0..COMMITS).try_for_each(|_| {
                        let pair = [fact(&home, "moved", &["transfer"]), fact(&home, "moved", &[])];
                        log.put(case.commit(pair)).map(drop)
                    })
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        follower.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reads on as a subscriber does, until `total` events came.
fn follow(log: &Log, total: usize) -> Result<(), Failure> {
    let (mut seen, mut after, mut sequence) = (Vec::<RecordedEvent>::new(), Position::START, Sequence::START);
    while seen.len() < total {
        let head = log.appended(sequence, || ())?;
        loop {
            let page = log.page(&Query::All, ReadOptions { after, limit: 7, ..ReadOptions::default() })?;
            after = page.next.unwrap_or(page.head);
            seen.extend(page.events);
            if page.next.is_none() {
                break;
            }
        }
        L15.holds(after >= head.position, "read on after a wake-up", "all up to the head it told", &after)?;
        sequence = head.sequence;
    }
    let came: Vec<_> = seen.iter().map(|event| event.position.get()).collect();
    let expected = (1..=u64::try_from(total).expect("few")).collect();
    L10.same("followed the log while it was written", expected, came)
}
