//! After `Stored`: every read sees the commit, the head is there, and who waits is woken.

use crate::{
    ReadOptions,
    conformance::{
        Failure,
        Promise::L15,
        case::Case,
        draft::{fact, of_category, of_stream, rejected, stream, tagged, tracking, typed},
        race::race,
    },
};
use factum_event::{Condition, CorrelationId, Position, Query, Revision, Sequence};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

checks! {
    every_read_sees_what_was_stored: [L15] needs [];
    a_reader_elsewhere_sees_what_was_stored: [L15] needs [];
    nothing_is_seen_beyond_the_head: [L15] needs [TotalOrder];
    a_commit_wakes_who_waits_for_it: [L15] needs [];
    a_commit_without_events_wakes_as_well: [L15] needs [];
    who_comes_late_does_not_wait: [L15] needs [];
}

fn every_read_sees_what_was_stored(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for nth in 1..=12 {
        let progress = tracking("lane/0", nth);
        let commit = case.commit([fact("order-1", "placed", &["order:1"])]);
        let (command, event) = (commit.command.id, commit.event_id(0));
        let stored = log.stored(commit, Condition::none().tracking(progress.clone()))?;
        let done = format!("read right after `Stored` at {}", stored.first);
        for query in
            [Query::All, of_stream("order-1"), of_category("order"), tagged(&["order:1"]), typed(&["placed"])]
        {
            let last = ReadOptions { backwards: true, limit: 1, ..ReadOptions::default() };
            let page = log.page(&query, last)?;
            let seen = page.events.first().map(|event| event.position);
            L15.same(format!("{done}, by {query:?}"), Some(stored.first), seen)?;
            L15.holds(page.head >= stored.first, &done, "a head that includes it", &page.head)?;
        }
        let head = log.head()?;
        L15.same(&done, (stored.first, stored.sequence), (head.position, head.sequence))?;
        let revision = log.revision(&stream("order-1"), stored.first)?;
        L15.same(format!("{done}, its stream's revision"), Some(Revision::new(nth - 1)), revision)?;
        let found = log.event(event)?.map(|event| event.position);
        L15.same(format!("{done}, by event id"), Some(stored.first), found)?;
        let commits = log.commits_of(command)?.len();
        L15.same(format!("{done}, by command id"), 1, commits)?;
        let commits = log.correlated(CorrelationId::of(command), 10)?.len();
        L15.same(format!("{done}, by correlation"), 1, commits)?;
        let last = log.commit_page(Sequence::new(nth - 1), 10)?.commits.len();
        L15.same(format!("{done}, among commits"), 1, last)?;
        L15.same(format!("{done}, its progress"), Some(nth), log.progress(&progress.source)?)?;
    }
    Ok(())
}

fn a_reader_elsewhere_sees_what_was_stored(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for nth in 1..=8 {
        let stored = log.put(case.commit([fact("order-1", "placed", &["order:1"])]))?;
        let seen = race(2, |_| log.positions(&tagged(&["order:1"])));
        for seen in seen {
            let done = format!("read on another thread after `Stored` at {}", stored.first);
            L15.same(done, (1..=nth).collect::<Vec<_>>(), seen?)?;
        }
    }
    Ok(())
}

fn nothing_is_seen_beyond_the_head(case: &Case<'_>) -> Result<(), Failure> {
    const COMMITS: usize = 60;
    let log = case.open();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = log.head()?;
            while !done.load(Ordering::SeqCst) {
                let head = log.head()?;
                let grown = head.position >= last.position && head.sequence >= last.sequence;
                L15.holds(grown, "asked for the head again and again", "it never to go back", &(last, head))?;
                let from = Position::new(head.position.get().saturating_sub(1));
                let page = log.page(&Query::All, ReadOptions { after: from, ..ReadOptions::default() })?;
                let first = page.events.first().map(|event| event.position);
                // An empty log may have got its first commit since.
                if head.position > Position::START {
                    L15.same("read the event at the head just told", Some(head.position), first)?;
                }
                let seen = page.events.last().map_or(Position::START, |event| event.position);
                L15.holds(
                    seen <= page.head,
                    "read meanwhile",
                    "nothing beyond the page's head",
                    &(seen, page.head),
                )?;
                let now = log.head()?;
                let told = now.position >= page.head;
                L15.holds(
                    told,
                    "asked for the head after reading",
                    "at least what was read",
                    &(page.head, now),
                )?;
                let commits = log.commit_page(Sequence::new(head.sequence.get().saturating_sub(1)), 1)?;
                let listed = commits.commits.first().map(|commit| commit.header.sequence);
                if head.sequence > Sequence::START {
                    L15.same("read the commit at the head just told", Some(head.sequence), listed)?;
                }
                last = head;
                thread::yield_now();
            }
            Ok(())
        });
        let written = (0..COMMITS).try_for_each(|_| {
            let commit = case.commit([fact("order-1", "placed", &[]), fact("order-1", "paid", &[])]);
            log.put(commit).map(drop)
        });
        done.store(true, Ordering::SeqCst);
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.and(read)
    })
}

fn a_commit_wakes_who_waits_for_it(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for nth in 0..10 {
        let after = Sequence::new(nth);
        let early = log.appended_now(after);
        L15.holds(early.is_none(), format!("waited for a commit after {after}"), "no answer yet", &early)?;
        let (asleep, awake) = std::sync::mpsc::channel();
        let told = thread::scope(|scope| {
            let waiter = scope.spawn(|| log.appended(after, move || asleep.send(()).unwrap_or_default()));
            awake.recv().expect("the waiter says when it waits");
            log.put(case.commit([fact("order-1", "placed", &[])]))?;
            waiter.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        L15.same("was woken by a commit", after.next(), told.sequence)?;
    }
    Ok(())
}

fn a_commit_without_events_wakes_as_well(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-1", "placed", &[])]))?;
    let (asleep, awake) = std::sync::mpsc::channel();
    let told = thread::scope(|scope| {
        let waiter =
            scope.spawn(|| log.appended(Sequence::new(1), move || asleep.send(()).unwrap_or_default()));
        awake.recv().expect("the waiter says when it waits");
        log.put(case.outcome(rejected()))?;
        waiter.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    L15.same("was woken by a rejection", (2, 1), (told.sequence.get(), told.position.get()))
}

fn who_comes_late_does_not_wait(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-1", "placed", &[])]))?;
    log.put(case.outcome(rejected()))?;
    let head = log.head()?;
    for after in 0..2 {
        let told = log.appended(Sequence::new(after), || ())?;
        L15.same(format!("waited for a commit after {after}, which is there"), head, told)?;
    }
    let early = log.appended_now(Sequence::new(2));
    L15.holds(early.is_none(), "waited for a commit after the last", "no answer yet", &early)
}
