//! `absent`: nothing that matches stands anywhere.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::L7,
        case::Case,
        draft::{fact, item, of_category, of_stream, tagged, typed},
        log::Log,
    },
};
use factum_event::{Condition, Position, Query};

checks! {
    absent_holds_where_nothing_matches: [L7] needs [GlobalConditions];
    absent_says_where_the_first_match_stands: [L7] needs [GlobalConditions];
    absent_that_held_once_is_asked_again: [L7] needs [GlobalConditions];
    absent_finds_old_events: [L7] needs [GlobalConditions];
}

fn holds(case: &Case<'_>, log: &Log, query: Query) -> Result<(), Failure> {
    let done = format!("appended under absent {query:?}");
    let verdict =
        log.attempt(case.commit([fact("other-1", "noted", &[])]), Condition::none().absent(query))?;
    L7.holds(verdict.is_ok(), done, "it to be stored: nothing matches", &verdict)
}

fn exists(case: &Case<'_>, log: &Log, query: Query, position: u64) -> Result<(), Failure> {
    let error = AppendError::AlreadyExists { position: Position::new(position) };
    let commit = case.commit([fact("other-1", "noted", &[])]);
    log.refused(L7, commit, Condition::none().absent(query), error)
}

/// User u1 claimed at 1 and released at 3, user u2 claimed at 2.
fn users(case: &Case<'_>) -> Result<Log, Failure> {
    let log = case.open();
    log.put(case.commit([fact("user-1", "claimed", &["name:u1"])]))?;
    log.put(case.commit([fact("user-2", "claimed", &["name:u2", "paid"])]))?;
    log.put(case.commit([fact("user-1", "released", &["name:u1"])]))?;
    Ok(log)
}

fn absent_holds_where_nothing_matches(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    holds(case, &log, Query::Items(Vec::new()))?;
    let log = case.open();
    holds(case, &log, Query::All)?;
    let log = users(case)?;
    holds(case, &log, tagged(&["name:u3"]))?;
    holds(case, &log, tagged(&["name:u"]))?;
    holds(case, &log, tagged(&["name:u1", "paid"]))?;
    holds(case, &log, item(&["released"], &["name:u2"]).into())?;
    holds(case, &log, typed(&["claim"]))?;
    holds(case, &log, of_stream("user"))?;
    holds(case, &log, of_category("use"))?;
    holds(case, &log, Query::Items(Vec::new()))
}

fn absent_says_where_the_first_match_stands(case: &Case<'_>) -> Result<(), Failure> {
    let log = users(case)?;
    exists(case, &log, tagged(&["name:u1"]), 1)?;
    exists(case, &log, tagged(&["name:u2"]), 2)?;
    exists(case, &log, item(&["released"], &["name:u1"]).into(), 3)?;
    exists(case, &log, typed(&["released", "claimed"]), 1)?;
    exists(case, &log, tagged(&["paid", "name:u2"]), 2)?;
    exists(case, &log, of_stream("user-2"), 2)?;
    exists(case, &log, of_category("user"), 1)?;
    exists(case, &log, Query::Items(vec![item(&["released"], &[]), item(&[], &["paid"])]), 2)?;
    exists(case, &log, Query::Items(vec![item(&["unheard"], &[]), item(&[], &[])]), 1)?;
    exists(case, &log, Query::All, 1)
}

fn absent_that_held_once_is_asked_again(case: &Case<'_>) -> Result<(), Failure> {
    let log = users(case)?;
    let claim = || case.commit([fact("user-3", "claimed", &["name:u3"])]);
    let free = || Condition::none().absent(tagged(&["name:u3"]));
    let verdict = log.attempt(claim(), free())?;
    L7.holds(verdict.is_ok(), "claimed what is free", "it to be stored", &verdict)?;
    let error = AppendError::AlreadyExists { position: Position::new(4) };
    log.refused(L7, claim(), free(), error.clone())?;
    log.put(case.commit([fact("user-3", "released", &["name:u3"])]))?;
    log.refused(L7, claim(), free(), error)
}

fn absent_finds_old_events(case: &Case<'_>) -> Result<(), Failure> {
    const BETWEEN: usize = 300;
    let log = users(case)?;
    log.put(case.commit_all((0..BETWEEN).map(|_| fact("other-1", "noted", &["noise"])).collect()))?;
    exists(case, &log, tagged(&["name:u2"]), 2)?;
    exists(case, &log, typed(&["released"]), 3)?;
    exists(case, &log, of_stream("user-1"), 1)?;
    exists(case, &log, typed(&["noted"]), 4)
}
