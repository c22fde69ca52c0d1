//! After a reopen: all that was acknowledged is there, nothing else is, and the log goes on as before.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::{L1, L17},
        case::Case,
        draft::{fact, of_stream, parked, rejected, stream, tagged, tracking, typed},
        log::Log,
    },
};
use factum_event::{
    Commit, Condition, Expected, NewCommit, Position, Query, RecordedEvent, Revision, Sequence, Timestamp,
};

checks! {
    a_reopened_log_reads_the_same: [L17] needs [Durable];
    the_last_commit_survives_a_reopen: [L17] needs [Durable];
    refused_commits_stay_away_after_a_reopen: [L17] needs [Durable];
    a_reopened_log_judges_as_before: [L17] needs [Durable];
    a_reopened_log_goes_on: [L17, L1] needs [Durable];
    an_empty_log_is_empty_after_a_reopen: [L17] needs [Durable];
}

/// All there is to read.
type Everything = (Vec<Commit>, Vec<Vec<RecordedEvent>>, [Option<u64>; 2]);

fn everything(log: &Log) -> Result<Everything, Failure> {
    let queries = [Query::All, tagged(&["order:1"]), typed(&["paid"]), of_stream("order-1")];
    let selected: Result<Vec<_>, _> = queries.iter().map(|query| log.select(query)).collect();
    let progress = |source| log.progress(&tracking(source, 0).source);
    Ok((log.commits(7)?, selected?, [progress("lane/0")?, progress("lane/1")?]))
}

/// Orders with every kind of commit among them.
fn ordered(case: &Case<'_>, log: &Log) -> Result<(), Failure> {
    for nth in 0..5 {
        let home = format!("order-{}", nth % 2);
        let tags: &[&str] = &[if nth % 2 == 1 { "order:1" } else { "order:0" }];
        log.put(case.commit([fact(&home, "placed", tags), fact("order-1", "paid", tags)]))?;
        let input = Condition::none().tracking(tracking("lane/0", nth));
        log.stored(case.outcome(rejected()), input)?;
        log.put(case.outcome(parked()))?;
        log.put(case.commit([]))?;
    }
    Ok(())
}

fn a_reopened_log_reads_the_same(case: &Case<'_>) -> Result<(), Failure> {
    let mut log = case.open();
    for round in 1..=3 {
        ordered_again(case, &log, round)?;
        let (identity, head, before) = (log.identity(), log.head()?, everything(&log)?);
        log = case.reopen(log)?;
        L17.same("compared the log's identity before and after a reopen", identity, log.identity())?;
        L17.same("compared the head before and after a reopen", head, log.head()?)?;
        L17.same(
            "compared all there is to read before and after a reopen",
            before.clone(),
            everything(&log)?,
        )?;
        for event in before.1.iter().flatten() {
            let found = log.event(event.id)?;
            L17.same("looked up an event after a reopen", Some(event), found.as_ref())?;
        }
        for commit in &before.0 {
            let found = log.commits_of(commit.header.command_id)?;
            L17.same("looked up a command after a reopen", std::slice::from_ref(commit), &found[..])?;
        }
    }
    Ok(())
}

fn ordered_again(case: &Case<'_>, log: &Log, round: u64) -> Result<(), Failure> {
    log.put(case.commit([fact("order-1", "placed", &["order:1"])]))?;
    let input = Condition::none().tracking(tracking("lane/1", round));
    log.stored(case.commit([fact("order-1", "paid", &["order:1"])]), input)?;
    log.put(case.outcome(rejected())).map(drop)
}

fn the_last_commit_survives_a_reopen(case: &Case<'_>) -> Result<(), Failure> {
    let mut log = case.open();
    for nth in 0..8 {
        let commit = if nth % 2 == 0 {
            case.commit([fact("order-1", "placed", &[])])
        } else {
            case.outcome(rejected())
        };
        let id = commit.command.id;
        let stored = log.put(commit)?;
        log = case.reopen(log)?;
        let came: Vec<_> = log.commits_of(id)?.iter().map(|commit| commit.header.sequence).collect();
        L17.same(
            "closed the log right after `Stored`, opened it, looked up the command",
            vec![stored.sequence],
            came,
        )?;
        L17.same("asked for the head after it", stored.sequence, log.head()?.sequence)?;
    }
    Ok(())
}

fn refused_commits_stay_away_after_a_reopen(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    log.put(case.commit([fact("order-1", "placed", &["order:1"])]))?;
    let refusing = [
        Condition::none().stream(stream("order-1"), Expected::NoStream),
        Condition::none().absent(tagged(&["order:1"])),
        Condition::none().fresh(tagged(&["order:1"]), Position::START),
    ];
    let mut refused = Vec::new();
    for condition in refusing {
        let commit = case.commit([fact("order-1", "paid", &["order:1"])]);
        refused.push(commit.command.id);
        log.refusal(L17, commit, condition)?;
    }
    let mut invalid = case.commit([fact("order-1", "paid", &["order:1"])]);
    invalid.events[0].version = 0;
    refused.push(invalid.command.id);
    log.refusal(L17, invalid, Condition::none())?;
    let before = everything(&log)?;
    let log = case.reopen(log)?;
    L17.same("opened a log again after refusals", before, everything(&log)?)?;
    for id in refused {
        L17.same("looked up a refused command after a reopen", Vec::new(), log.commits_of(id)?)?;
    }
    Ok(())
}

fn a_reopened_log_judges_as_before(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    ordered(case, &log)?;
    let head = log.head()?;
    let events = log.select(&of_stream("order-1"))?;
    let (first, last) = (events[0].clone(), events[events.len() - 1].clone());
    let decided = log.commits(100)?[1].header.clone();
    let log = case.reopen(log)?;
    let commit = || case.commit([fact("order-1", "paid", &["order:1"])]);
    let none = Condition::none;
    let error = AppendError::WrongRevision {
        stream: stream("order-1"),
        expected: Expected::NoStream,
        actual: Some(last.revision),
    };
    log.refused(L17, commit(), none().stream(stream("order-1"), Expected::NoStream), error)?;
    let error = AppendError::Stale { position: last.position };
    log.refused(L17, commit(), none().fresh(of_stream("order-1"), first.position), error)?;
    let error = AppendError::AlreadyExists { position: first.position };
    log.refused(L17, commit(), none().absent(of_stream("order-1")), error)?;
    let tracked = tracking("lane/0", 4);
    let error =
        AppendError::AlreadyApplied { tracking: tracked.clone(), reached: 4, sequence: Sequence::new(18) };
    log.refused(L17, commit(), none().tracking(tracked), error)?;
    let error = AppendError::AlreadyDecided { command: decided.command_id, sequence: decided.sequence };
    let mut repeat = commit();
    repeat.command.id = decided.command_id;
    log.refused(L17, repeat, none(), error)?;
    let error = AppendError::EventExists { id: first.id, position: first.position };
    let mut repeat = commit();
    repeat.events[0].id = Some(first.id);
    log.refused(L17, repeat, none(), error)?;
    L17.same("asked for the head after refusals", head, log.head()?)
}

fn a_reopened_log_goes_on(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    ordered(case, &log)?;
    case.set_clock(Timestamp::from_micros(2_000_000_000_000_000));
    let last = log.put(case.commit([fact("order-1", "placed", &[])]))?;
    let early = Timestamp::from_micros(1_000);
    case.set_clock(early);
    let log = case.reopen(log)?;
    let waiting = log.appended_now(last.sequence);
    L17.holds(waiting.is_none(), "waited for the next commit after a reopen", "no answer yet", &waiting)?;
    let commit: NewCommit = case.commit([fact("order-1", "paid", &[]), fact("order-0", "paid", &[])]);
    let stored = log.put(commit)?;
    let expected = (last.sequence.next(), last.first.next(), last.revisions[0].next(), Revision::new(3));
    let came = (stored.sequence, stored.first, stored.revisions[0], stored.revisions[1]);
    L1.same("appended after a reopen", expected, came)?;
    let done = "appended after a reopen, on a clock that had run backwards";
    L17.holds(stored.recorded_at >= last.recorded_at, done, "no earlier time", &stored.recorded_at)?;
    let head = log.appended(last.sequence, || ())?;
    L17.same("waited for a commit made after a reopen", stored.sequence, head.sequence)
}

fn an_empty_log_is_empty_after_a_reopen(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let identity = log.identity();
    let log = case.reopen(log)?;
    L17.same("opened an empty log again", identity, log.identity())?;
    L17.same("read an empty log after a reopen", 0, log.all()?.len())?;
    let stored = log.put(case.commit([fact("order-1", "placed", &[])]))?;
    L1.same("appended the first event after a reopen", Position::new(1), stored.first)
}
