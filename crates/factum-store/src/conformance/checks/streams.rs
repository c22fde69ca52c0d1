//! Streams: their revisions, and what an append may expect of them.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::{L4, L5},
        case::Case,
        draft::{fact, of_stream, stream},
    },
};
use factum_event::{Condition, Expected, Position, Revision};

checks! {
    revisions_count_the_events_of_a_stream: [L4] needs [SeveralStreams];
    a_revision_is_told_as_of_any_position: [L4] needs [TotalOrder];
    each_expectation_holds_where_it_should: [L5] needs [];
    each_expectation_fails_with_the_facts: [L5] needs [];
    every_expectation_of_a_condition_counts: [L5] needs [SeveralStreams];
}

fn revisions_count_the_events_of_a_stream(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let first = [
        fact("order-1", "placed", &[]),
        fact("order-2", "placed", &[]),
        fact("order-1", "paid", &[]),
        fact("order", "opened", &[]),
        fact("order-1", "paid", &[]),
    ];
    let revisions =
        |stored: crate::Stored| stored.revisions.into_iter().map(Revision::get).collect::<Vec<_>>();
    let done = "appended events of streams 1, 2, 1, `order`, 1 in one commit";
    L4.same(done, vec![0, 0, 1, 0, 2], revisions(log.put(case.commit(first))?))?;
    let second =
        [fact("order-2", "placed", &[]), fact("order-1", "placed", &[]), fact("order-2", "paid", &[])];
    let done = "appended events of streams 2, 1, 2 after that";
    L4.same(done, vec![1, 3, 2], revisions(log.put(case.commit(second))?))?;
    for (home, events) in [("order-1", 4), ("order-2", 3), ("order", 1)] {
        let read = log.select(&of_stream(home))?;
        let came: Vec<_> = read.iter().map(|event| event.revision.get()).collect();
        L4.same(format!("read stream {home}"), (0..events).collect(), came)?;
    }
    Ok(())
}

fn a_revision_is_told_as_of_any_position(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for home in ["order-1", "order-2", "order-1", "order-1", "order-2"] {
        log.put(case.commit([fact(home, "placed", &[])]))?;
    }
    let at = |home, at| log.revision(&stream(home), Position::new(at)).map(|found| found.map(Revision::get));
    for (home, position, expected) in [
        ("order-1", 0, None),
        ("order-1", 1, Some(0)),
        ("order-1", 2, Some(0)),
        ("order-1", 3, Some(1)),
        ("order-1", 4, Some(2)),
        ("order-1", 5, Some(2)),
        ("order-1", u64::MAX, Some(2)),
        ("order-2", 1, None),
        ("order-2", 5, Some(1)),
        ("order-3", 5, None),
        ("order", 5, None),
    ] {
        L4.same(format!("asked for the revision of {home} at {position}"), expected, at(home, position)?)?;
    }
    Ok(())
}

fn each_expectation_holds_where_it_should(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let revision = |number| Expected::Exactly(Revision::new(number));
    for (home, expected) in [
        ("order-1", Expected::Any),
        ("order-1", Expected::Any),
        ("order-1", Expected::Exists),
        ("order-1", revision(2)),
        ("order-2", Expected::NoStream),
        ("order-2", revision(0)),
        ("order-1", revision(3)),
        ("order", Expected::NoStream),
    ] {
        let condition = Condition::none().stream(stream(home), expected);
        let verdict = log.attempt(case.commit([fact(home, "placed", &[])]), condition)?;
        L5.holds(verdict.is_ok(), format!("expected {home} to be {expected:?}"), "it to hold", &verdict)?;
    }
    let elsewhere = Condition::none().stream(stream("order-1"), revision(4));
    let verdict = log.attempt(case.commit([fact("order-3", "placed", &[])]), elsewhere)?;
    L5.holds(verdict.is_ok(), "expected a stream, and wrote to another", "it to hold", &verdict)
}

fn each_expectation_fails_with_the_facts(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for _ in 0..3 {
        log.put(case.commit([fact("order-1", "placed", &[])]))?;
    }
    let revision = |number| Expected::Exactly(Revision::new(number));
    let two = Some(Revision::new(2));
    for (home, expected, actual) in [
        ("order-1", Expected::NoStream, two),
        ("order-1", revision(0), two),
        ("order-1", revision(1), two),
        ("order-1", revision(3), two),
        ("order-2", Expected::Exists, None),
        ("order-2", revision(0), None),
        ("order", Expected::Exists, None),
        ("order-10", revision(2), None),
    ] {
        let stream = stream(home);
        let condition = Condition::none().stream(stream.clone(), expected);
        let error = AppendError::WrongRevision { stream, expected, actual };
        log.refused(L5, case.commit([fact(home, "placed", &[])]), condition, error)?;
    }
    Ok(())
}

fn every_expectation_of_a_condition_counts(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-1", "placed", &[]), fact("order-2", "placed", &[])]))?;
    let (one, two, three) = (stream("order-1"), stream("order-2"), stream("order-3"));
    let both = |first, second| Condition::none().stream(one.clone(), first).stream(two.clone(), second);
    let zero = Expected::Exactly(Revision::new(0));
    let stale = AppendError::WrongRevision {
        stream: two.clone(),
        expected: Expected::NoStream,
        actual: Some(Revision::new(0)),
    };
    let commit = || case.commit([fact("order-1", "paid", &[]), fact("order-2", "paid", &[])]);
    log.refused(L5, commit(), both(zero, Expected::NoStream), stale.clone())?;
    let read_only = Condition::none().stream(two.clone(), Expected::NoStream);
    log.refused(L5, case.commit([fact("order-3", "placed", &[])]), read_only, stale)?;
    let verdict = log.attempt(commit(), both(zero, zero).stream(three, Expected::NoStream))?;
    L5.holds(verdict.is_ok(), "expected three streams as they are", "it to hold", &verdict)
}
