//! Tracking: how far an input was applied, so that nothing of it is applied twice.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::L8,
        case::Case,
        draft::{fact, rejected, stream, tracking},
        log::Log,
    },
};
use factum_event::{Condition, Expected, Revision, Sequence, Tracking};

checks! {
    progress_grows_with_each_commit: [L8] needs [];
    what_was_applied_is_refused_with_the_commit: [L8] needs [];
    sources_do_not_know_each_other: [L8] needs [];
    a_refused_commit_does_not_move_progress: [L8] needs [];
}

fn tracked(tracking: &Tracking) -> Condition {
    Condition::none().tracking(tracking.clone())
}

fn reached(log: &Log, source: &str, expected: Option<u64>) -> Result<(), Failure> {
    let came = log.progress(&tracking(source, 0).source)?;
    L8.same(format!("asked how far {source} was applied"), expected, came)
}

fn progress_grows_with_each_commit(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    reached(&log, "lane/0", None)?;
    for progress in [0, 1, 2, 7, 1_000, u64::MAX] {
        let input = tracking("lane/0", progress);
        let verdict = log.attempt(case.commit([fact("order-1", "placed", &[])]), tracked(&input))?;
        L8.holds(verdict.is_ok(), format!("appended at progress {progress}"), "growth to hold", &verdict)?;
        reached(&log, "lane/0", Some(progress))?;
    }
    log.put(case.commit([fact("order-1", "paid", &[])]))?;
    reached(&log, "lane/0", Some(u64::MAX))?;
    let kept: Vec<_> = log.commits(10)?.into_iter().map(|commit| commit.tracking).collect();
    let expected = [0, 1, 2, 7, 1_000, u64::MAX].map(|progress| Some(tracking("lane/0", progress)));
    L8.same("read what the commits tracked", expected.into_iter().chain([None]).collect(), kept)
}

fn what_was_applied_is_refused_with_the_commit(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let applied = |progress, reached, sequence| AppendError::AlreadyApplied {
        tracking: tracking("lane/0", progress),
        reached,
        sequence: Sequence::new(sequence),
    };
    let attempt = || case.commit([fact("order-1", "placed", &[])]);
    log.stored(attempt(), tracked(&tracking("lane/0", 3)))?;
    log.put(attempt())?;
    for progress in [3, 2, 0] {
        log.refused(L8, attempt(), tracked(&tracking("lane/0", progress)), applied(progress, 3, 1))?;
    }
    log.stored(case.outcome(rejected()), tracked(&tracking("lane/0", 9)))?;
    for progress in [9, 4, 3] {
        log.refused(L8, attempt(), tracked(&tracking("lane/0", progress)), applied(progress, 9, 3))?;
        let empty = case.commit([]);
        log.refused(L8, empty, tracked(&tracking("lane/0", progress)), applied(progress, 9, 3))?;
    }
    reached(&log, "lane/0", Some(9))
}

fn sources_do_not_know_each_other(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for (source, progress) in [("lane/0", 9), ("lane/1", 3), ("lane", 1), ("lane/10", 2), ("Lane/0", 0)] {
        let input = tracking(source, progress);
        let verdict = log.attempt(case.commit([fact("order-1", "placed", &[])]), tracked(&input))?;
        L8.holds(verdict.is_ok(), format!("applied {input:?} for the first time"), "it to hold", &verdict)?;
    }
    for (source, expected) in
        [("lane/0", Some(9)), ("lane/1", Some(3)), ("lane", Some(1)), ("lane/10", Some(2)), ("lane/2", None)]
    {
        reached(&log, source, expected)?;
    }
    let behind = AppendError::AlreadyApplied {
        tracking: tracking("lane/1", 3),
        reached: 3,
        sequence: Sequence::new(2),
    };
    let commit = case.commit([fact("order-1", "placed", &[])]);
    log.refused(L8, commit, tracked(&tracking("lane/1", 3)), behind)
}

fn a_refused_commit_does_not_move_progress(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let attempt = || case.commit([fact("order-1", "placed", &[])]);
    log.stored(attempt(), tracked(&tracking("lane/0", 1)))?;
    let wrong = tracked(&tracking("lane/0", 2)).stream(stream("order-1"), Expected::NoStream);
    let error = AppendError::WrongRevision {
        stream: stream("order-1"),
        expected: Expected::NoStream,
        actual: Some(Revision::new(0)),
    };
    log.refused(L8, attempt(), wrong, error)?;
    reached(&log, "lane/0", Some(1))?;
    let verdict = log.attempt(attempt(), tracked(&tracking("lane/0", 2)))?;
    L8.holds(verdict.is_ok(), "applied what a refused commit had tracked", "it to hold", &verdict)
}
