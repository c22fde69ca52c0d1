//! All parts of a condition hold together; each commit of a batch is judged on its own, in order.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::L9,
        case::Case,
        draft::{fact, rejected, stream, tagged, tracking},
        log::Log,
    },
};
use factum_event::{Condition, Expected, Position, Query, Revision, Sequence};

checks! {
    each_part_of_a_condition_counts: [L9] needs [GlobalConditions];
    the_first_part_that_fails_is_reported: [L9] needs [GlobalConditions];
    a_batch_is_judged_in_order_with_a_verdict_each: [L9] needs [GlobalConditions];
    a_refused_commit_of_a_batch_stops_no_other: [L9] needs [];
    a_commit_without_events_is_judged_as_well: [L9] needs [GlobalConditions];
    a_batch_of_none_has_no_verdicts: [L9] needs [];
}

/// One order at 1, from lane 0 at 5.
fn ordered(case: &Case<'_>) -> Result<Log, Failure> {
    let log = case.open();
    let input = Condition::none().tracking(tracking("lane/0", 5));
    log.stored(case.commit([fact("order-1", "placed", &["order:1"])]), input)?;
    Ok(log)
}

/// A condition with all parts, of which those named fail.
fn parts(failing: &[&str]) -> Condition {
    let fails = |part| failing.contains(&part);
    Condition::none()
        .tracking(tracking("lane/0", if fails("tracking") { 5 } else { 6 }))
        .absent(tagged(&[if fails("absent") { "order:1" } else { "order:2" }]))
        .stream(stream("order-2"), Expected::NoStream)
        .stream(stream("order-1"), if fails("streams") { Expected::NoStream } else { Expected::Exists })
        .fresh(tagged(&["order:1"]), Position::new(if fails("fresh") { 0 } else { 1 }))
}

fn error_of(part: &str) -> AppendError {
    let one = Position::new(1);
    match part {
        "tracking" => AppendError::AlreadyApplied {
            tracking: tracking("lane/0", 5),
            reached: 5,
            sequence: Sequence::new(1),
        },
        "absent" => AppendError::AlreadyExists { position: one },
        "streams" => AppendError::WrongRevision {
            stream: stream("order-1"),
            expected: Expected::NoStream,
            actual: Some(Revision::new(0)),
        },
        _ => AppendError::Stale { position: one },
    }
}

const PARTS: [&str; 4] = ["tracking", "absent", "streams", "fresh"];

fn each_part_of_a_condition_counts(case: &Case<'_>) -> Result<(), Failure> {
    let log = ordered(case)?;
    let commit = || case.commit([fact("order-1", "paid", &["order:1"])]);
    for part in PARTS {
        log.refused(L9, commit(), parts(&[part]), error_of(part))?;
    }
    let verdict = log.attempt(commit(), parts(&[]))?;
    L9.holds(verdict.is_ok(), "appended where all four parts hold", "it to be stored", &verdict)
}

fn the_first_part_that_fails_is_reported(case: &Case<'_>) -> Result<(), Failure> {
    let log = ordered(case)?;
    let commit = || case.commit([fact("order-1", "paid", &["order:1"])]);
    for first in 0..PARTS.len() {
        for second in &PARTS[first + 1..] {
            log.refused(L9, commit(), parts(&[second, PARTS[first]]), error_of(PARTS[first]))?;
        }
        log.refused(L9, commit(), parts(&PARTS[first..]), error_of(PARTS[first]))?;
    }
    let mut decided = commit();
    decided.command.id = log.first()?.command_id();
    let error = AppendError::AlreadyDecided { command: decided.command.id, sequence: Sequence::new(1) };
    log.refused(L9, decided, parts(&PARTS), error)
}

fn a_batch_is_judged_in_order_with_a_verdict_each(case: &Case<'_>) -> Result<(), Failure> {
    let log = ordered(case)?;
    let none = Condition::none;
    let order = |home: &str, tag: &str| case.commit([fact(home, "placed", &[tag])]);
    let again = order("order-5", "order:5");
    let mut repeated = order("order-6", "order:6");
    repeated.command.id = again.command.id;
    let mut taken = fact("order-7", "placed", &[]);
    taken.id = Some(again.event_id(0));
    let mut ids = Vec::new();
    let batch = vec![
        (order("order-2", "order:2"), none().stream(stream("order-2"), Expected::NoStream)),
        (order("order-2", "order:2"), none().stream(stream("order-2"), Expected::NoStream)),
        (order("order-3", "order:3"), none().absent(tagged(&["order:2"]))),
        (order("order-2", "order:2"), none().stream(stream("order-2"), Expected::Exactly(Revision::new(0)))),
        (order("order-4", "order:4"), none().fresh(tagged(&["order:2"]), Position::new(2))),
        (order("order-4", "order:4"), none().fresh(tagged(&["order:4"]), Position::START)),
        (order("order-4", "order:4"), none().tracking(tracking("lane/0", 6))),
        (order("order-4", "order:4"), none().tracking(tracking("lane/0", 6))),
        (again, none()),
        (repeated, none()),
        (case.commit([taken]), none()),
    ];
    batch.iter().for_each(|(commit, _)| ids.push(commit.command.id));
    let event_id = batch[8].0.event_id(0);
    let came: Vec<_> = log
        .append(batch)?
        .into_iter()
        .map(|verdict| verdict.map(|stored| (stored.sequence.get(), stored.first.get())))
        .collect();
    let expected = vec![
        Ok((2, 2)),
        Err(AppendError::WrongRevision {
            stream: stream("order-2"),
            expected: Expected::NoStream,
            actual: Some(Revision::new(0)),
        }),
        Err(AppendError::AlreadyExists { position: Position::new(2) }),
        Ok((3, 3)),
        Err(AppendError::Stale { position: Position::new(3) }),
        Ok((4, 4)),
        Ok((5, 5)),
        Err(AppendError::AlreadyApplied {
            tracking: tracking("lane/0", 6),
            reached: 6,
            sequence: Sequence::new(5),
        }),
        Ok((6, 6)),
        Err(AppendError::AlreadyDecided { command: ids[8], sequence: Sequence::new(6) }),
        Err(AppendError::EventExists { id: event_id, position: Position::new(6) }),
    ];
    L9.same("appended a batch in which later commits depend on earlier ones", expected, came)?;
    let homes: Vec<_> = log.all()?.iter().map(|event| event.stream.to_string()).collect();
    let expected = ["order-1", "order-2", "order-2", "order-4", "order-4", "order-5"].map(str::to_owned);
    L9.same("read what the batch left", expected.to_vec(), homes)
}

fn a_refused_commit_of_a_batch_stops_no_other(case: &Case<'_>) -> Result<(), Failure> {
    let log = ordered(case)?;
    let refused = || Condition::none().stream(stream("order-1"), Expected::NoStream);
    let order = |home: &str| case.commit([fact(home, "placed", &[])]);
    let mut invalid = order("order-9");
    invalid.events[0].version = 0;
    let batch = vec![
        (order("order-1"), refused()),
        (order("order-2"), Condition::none()),
        (invalid, Condition::none()),
        (case.outcome(rejected()), refused()),
        (case.outcome(rejected()), Condition::none()),
        (order("order-3"), Condition::none()),
    ];
    let came: Vec<_> = log.append(batch)?.iter().map(Result::is_ok).collect();
    L9.same("appended a batch, some of it refused", vec![false, true, false, false, true, true], came)?;
    let homes: Vec<_> = log.all()?.iter().map(|event| event.stream.to_string()).collect();
    L9.same("read the events it left", ["order-1", "order-2", "order-3"].map(str::to_owned).to_vec(), homes)?;
    L9.same("counted the commits it left", 4, log.commits(10)?.len())
}

fn a_commit_without_events_is_judged_as_well(case: &Case<'_>) -> Result<(), Failure> {
    let log = ordered(case)?;
    for part in PARTS {
        log.refused(L9, case.commit([]), parts(&[part]), error_of(part))?;
        log.refused(L9, case.outcome(rejected()), parts(&[part]), error_of(part))?;
    }
    let verdict = log.attempt(case.outcome(rejected()), parts(&[]))?;
    L9.holds(verdict.is_ok(), "appended a rejection where all four parts hold", "it to be stored", &verdict)
}

fn a_batch_of_none_has_no_verdicts(case: &Case<'_>) -> Result<(), Failure> {
    let log = ordered(case)?;
    let before = log.head()?;
    L9.same("appended an empty batch", Vec::new(), log.append(Vec::new())?)?;
    L9.same("asked for the head after it", before, log.head()?)?;
    L9.same("read every event after it", 1, log.select(&Query::All)?.len())
}
