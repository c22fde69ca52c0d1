//! `fresh`: nothing that matches stands after what was read.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::L6,
        case::Case,
        draft::{fact, item, of_category, of_stream, tagged, typed},
        log::Log,
    },
};
use factum_event::{Condition, Position, Query};

checks! {
    fresh_holds_from_the_last_match_on: [L6] needs [GlobalConditions];
    stale_says_where_the_last_match_stands: [L6] needs [GlobalConditions];
    fresh_asks_the_whole_query: [L6] needs [GlobalConditions];
    fresh_finds_old_events: [L6] needs [GlobalConditions];
}

fn holds(case: &Case<'_>, log: &Log, query: Query, after: u64) -> Result<(), Failure> {
    let done = format!("appended under fresh {query:?} after {after}");
    let condition = Condition::none().fresh(query, Position::new(after));
    let verdict = log.attempt(case.commit([fact("other-1", "noted", &[])]), condition)?;
    L6.holds(verdict.is_ok(), done, "it to be stored: no match stands after that", &verdict)
}

fn stale(case: &Case<'_>, log: &Log, query: Query, after: u64, position: u64) -> Result<(), Failure> {
    let condition = Condition::none().fresh(query, Position::new(after));
    let error = AppendError::Stale { position: Position::new(position) };
    log.refused(L6, case.commit([fact("other-1", "noted", &[])]), condition, error)
}

/// Course c1 at 1 and 3, course c2 at 2, both at 4.
fn courses(case: &Case<'_>) -> Result<Log, Failure> {
    let log = case.open();
    log.put(case.commit([fact("course-1", "defined", &["course:1"])]))?;
    log.put(case.commit([fact("course-2", "defined", &["course:2"])]))?;
    log.put(case.commit([fact("course-1", "enrolled", &["course:1", "student:1"])]))?;
    log.put(case.commit([fact("campus", "merged", &["course:1", "course:2"])]))?;
    Ok(log)
}

fn fresh_holds_from_the_last_match_on(case: &Case<'_>) -> Result<(), Failure> {
    let log = courses(case)?;
    holds(case, &log, tagged(&["course:1"]), 4)?;
    holds(case, &log, tagged(&["course:1"]), 5)?;
    holds(case, &log, tagged(&["course:1"]), 4_000)?;
    holds(case, &log, tagged(&["student:1"]), 3)?;
    holds(case, &log, tagged(&["student:2"]), 0)?;
    holds(case, &log, tagged(&["course:1", "student:2"]), 0)?;
    holds(case, &log, typed(&["merged"]), 4)?;
    holds(case, &log, Query::Items(Vec::new()), 0)?;
    let head = log.head()?.position.get();
    holds(case, &log, Query::All, head)
}

fn stale_says_where_the_last_match_stands(case: &Case<'_>) -> Result<(), Failure> {
    let log = courses(case)?;
    for after in 0..4 {
        stale(case, &log, tagged(&["course:1"]), after, 4)?;
        stale(case, &log, Query::All, after, 4)?;
    }
    stale(case, &log, tagged(&["student:1"]), 0, 3)?;
    stale(case, &log, tagged(&["student:1"]), 2, 3)?;
    stale(case, &log, typed(&["defined"]), 0, 2)?;
    stale(case, &log, typed(&["defined"]), 1, 2)
}

fn fresh_asks_the_whole_query(case: &Case<'_>) -> Result<(), Failure> {
    let log = courses(case)?;
    let either = Query::Items(vec![item(&["unheard"], &[]), item(&["enrolled"], &["course:1"])]);
    stale(case, &log, either.clone(), 2, 3)?;
    holds(case, &log, either, 3)?;
    stale(case, &log, typed(&["unheard", "merged"]), 3, 4)?;
    stale(case, &log, tagged(&["course:2", "course:1"]), 3, 4)?;
    stale(case, &log, of_stream("course-1"), 2, 3)?;
    holds(case, &log, of_stream("course-1"), 3)?;
    stale(case, &log, of_category("course"), 2, 3)?;
    stale(case, &log, of_category("campus"), 0, 4)?;
    holds(case, &log, item(&["defined"], &["student:1"]).into(), 0)?;
    holds(case, &log, item(&["enrolled"], &["course:2"]).into(), 0)?;
    let head = log.head()?.position.get();
    stale(case, &log, Query::Items(vec![item(&["unheard"], &[]), item(&[], &[])]), head - 1, head)
}

fn fresh_finds_old_events(case: &Case<'_>) -> Result<(), Failure> {
    const BETWEEN: u64 = 300;
    let log = courses(case)?;
    let others = (0..BETWEEN).map(|_| fact("other-1", "noted", &["noise"])).collect();
    log.put(case.commit_all(others))?;
    stale(case, &log, tagged(&["student:1"]), 0, 3)?;
    stale(case, &log, tagged(&["student:1"]), 2, 3)?;
    stale(case, &log, typed(&["defined"]), 1, 2)?;
    stale(case, &log, of_stream("course-2"), 0, 2)?;
    holds(case, &log, tagged(&["student:1"]), 3)
}
