//! Numbers and their order: positions, sequences, the head; what was read once reads the same for ever.

use crate::{
    Stored,
    conformance::{
        Failure,
        Promise::{L1, L3, L15},
        case::Case,
        draft::{fact, of_stream, rejected, tagged},
        race::{CONTENDERS, race},
    },
};
use factum_event::{Condition, Expected, Position, Query, Revision, Sequence};

checks! {
    an_empty_log_stands_at_zero: [L1, L15] needs [];
    positions_and_sequences_have_no_gaps: [L1] needs [TotalOrder];
    refused_commits_take_no_numbers: [L1] needs [TotalOrder];
    racing_appends_leave_no_gap: [L1, L3, L15] needs [TotalOrder];
    what_was_read_reads_the_same_for_ever: [L3] needs [TotalOrder];
    order_is_that_of_positions_whatever_the_times: [L3] needs [TotalOrder];
}

fn an_empty_log_stands_at_zero(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let head = log.head()?;
    L1.same("asked an empty log for its head", (0, 0), (head.position.get(), head.sequence.get()))?;
    L1.same("read an empty log", Vec::new(), log.all()?)?;
    L1.same("read the commits of an empty log", Vec::new(), log.commits(10)?)?;
    let early = log.appended_now(Sequence::START);
    L15.holds(early.is_none(), "waited for the first commit of an empty log", "no answer yet", &early)?;
    let other = case.open();
    let known = (log.identity(), other.identity());
    L1.holds(known.0 != known.1, "opened two fresh logs", "each to have its own identity", &known)
}

fn positions_and_sequences_have_no_gaps(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let mut expected = (1, 1);
    for events in [1, 3, 0, 2, 0, 0, 1] {
        let facts = (0..events).map(|_| fact("order-1", "placed", &[])).collect();
        let Stored { sequence, first, .. } = log.put(case.commit_all(facts))?;
        let place = if events == 0 { expected.0 - 1 } else { expected.0 };
        let done = format!("appended {events} events");
        L1.same(done, (place, expected.1), (first.get(), sequence.get()))?;
        expected = (expected.0 + events, expected.1 + 1);
    }
    L1.same("read every event", (1..=7).collect(), log.positions(&Query::All)?)?;
    let sequences: Vec<_> = log.commits(3)?.iter().map(|commit| commit.header.sequence.get()).collect();
    L1.same("read every commit", (1..=7).collect(), sequences)?;
    let head = log.head()?;
    L1.same("asked for the head", (7, 7), (head.position.get(), head.sequence.get()))
}

fn refused_commits_take_no_numbers(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-1", "placed", &[])]))?;
    for _ in 0..3 {
        let taken =
            Condition::none().stream(crate::conformance::draft::stream("order-1"), Expected::NoStream);
        let commit = case.commit([fact("order-1", "placed", &[]), fact("order-1", "paid", &[])]);
        let verdict = log.attempt(commit, taken)?;
        L1.holds(verdict.is_err(), "expected no stream where there is one", "a refusal", &verdict)?;
    }
    let stored = log.put(case.commit([fact("order-1", "paid", &[])]))?;
    let came = (stored.sequence, stored.first, stored.revisions);
    let expected = (Sequence::new(2), Position::new(2), vec![Revision::new(1)]);
    L1.same("appended after three refusals", expected, came)
}

fn racing_appends_leave_no_gap(case: &Case<'_>) -> Result<(), Failure> {
    const EACH: usize = 20;
    let log = case.open();
    let stored = race(CONTENDERS, |nth| {
        let home = format!("order-{nth}");
        let mut last = log.head()?;
        for _ in 0..EACH {
            let stored = log.put(case.commit([fact(&home, "placed", &[]), fact(&home, "paid", &[])]))?;
            let head = log.head()?;
            let reached = head.sequence >= stored.sequence && head.position >= stored.first.next();
            L15.holds(reached, "asked for the head after `Stored`", "at least the commit", &(head, &stored))?;
            let grown = head.sequence >= last.sequence && head.position >= last.position;
            L15.holds(grown, "asked for the head twice", "never to go back", &(last, head))?;
            last = head;
        }
        Ok(())
    });
    stored.into_iter().collect::<Result<(), Failure>>()?;
    let commits = u64::try_from(CONTENDERS * EACH).expect("a race is short");
    L1.same("raced, then read every event", (1..=2 * commits).collect(), log.positions(&Query::All)?)?;
    let sequences: Vec<_> = log.commits(16)?.iter().map(|commit| commit.header.sequence.get()).collect();
    L1.same("raced, then read every commit", (1..=commits).collect(), sequences)?;
    let broken = log.commits(16)?.into_iter().find(|commit| match &commit.events[..] {
        [placed, paid] => paid.position != placed.position.next(),
        _ => true,
    });
    L3.holds(broken.is_none(), "raced, then read every commit", "two events side by side", &broken)
}

fn what_was_read_reads_the_same_for_ever(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let placed = log.put(case.commit([fact("order-1", "placed", &["order:1"])]))?;
    log.put(case.outcome(rejected()))?;
    log.put(case.commit([fact("order-2", "placed", &["order:2"]), fact("order-1", "paid", &["order:1"])]))?;
    let events = log.all()?;
    let commits = log.commits(100)?;
    let mut correction = fact("order-1", "placed", &["order:1", "order:2"]);
    correction.payload = "{\"corrected\":true}".into();
    correction.corrects = Some(events[0].id);
    log.put(case.commit([correction, fact("order-2", "paid", &["order:2"])]))?;
    for _ in 0..20 {
        log.put(case.commit([fact("order-1", "noted", &["order:1"])]))?;
    }
    let again = log.all()?;
    L3.same(
        "read the same events after many more",
        &events[..],
        again.get(..events.len()).unwrap_or(&again),
    )?;
    let again = log.commits(100)?;
    L3.same("read the same commits after many more", &commits[..], &again[..commits.len().min(again.len())])?;
    for event in &events {
        let found = log.event(event.id)?;
        L3.same("looked up an event that was read before", Some(event), found.as_ref())?;
    }
    for query in [of_stream("order-1"), tagged(&["order:1"])] {
        let first = log.select(&query)?.into_iter().next();
        L3.same(format!("read {query:?}"), Some(&events[0]), first.as_ref())?;
    }
    L3.same("compared with what `Stored` said", placed.first, events[0].position)
}

fn order_is_that_of_positions_whatever_the_times(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for micros in [5_000, 1_000, 9_000, 0, -7_000, 5_000] {
        let mut event = fact("order-1", "placed", &["order:1"]);
        event.effective_at = Some(factum_event::Timestamp::from_micros(micros));
        let mut commit = case.commit([event]);
        commit.command.issued_at = factum_event::Timestamp::from_micros(-micros);
        log.put(commit)?;
    }
    for query in [Query::All, of_stream("order-1"), tagged(&["order:1"])] {
        let done = format!("read {query:?} over events whose effective times are in no order");
        L3.same(done, (1..=6).collect(), log.positions(&query)?)?;
    }
    let revisions: Vec<_> =
        log.select(&of_stream("order-1"))?.iter().map(|event| event.revision.get()).collect();
    L3.same("read their revisions", (0..=5).collect(), revisions)
}
