//! What does not overlap does not collide, however much of it there is at once.

use crate::conformance::{
    Failure,
    Promise::{L1, L6, L18},
    case::Case,
    checks::races::contest,
    draft::{fact, item, of_category, of_stream, stream, tagged, tracking},
    race::{CONTENDERS, ROUNDS, race},
};
use factum_event::{Condition, Expected, Position, Query, Revision};

checks! {
    disjoint_boundaries_all_succeed_at_once: [L18] needs [GlobalConditions];
    disjoint_boundaries_in_sequence_never_refuse: [L18] needs [GlobalConditions];
    disjoint_streams_and_sources_all_succeed_at_once: [L18] needs [];
    types_of_one_tag_are_disjoint: [L18, L6] needs [GlobalConditions];
    unconditional_appends_all_succeed: [L18, L1] needs [];
}

fn disjoint_boundaries_all_succeed_at_once(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let outcomes = race(CONTENDERS, |nth| {
        let key = format!("course:{nth}");
        let mut read = Position::START;
        for round in 0..ROUNDS {
            let condition = match round {
                0 => Condition::none().absent(tagged(&[&key])),
                _ => Condition::none().fresh(tagged(&[&key]), read),
            };
            let verdict = log.attempt(case.commit([fact("campus", "enrolled", &[&key])]), condition)?;
            let done = format!("guarded {key} alone while others wrote elsewhere");
            let Ok(stored) = verdict else {
                return Err(L18.broken(done, "it to succeed at the first try", &verdict));
            };
            read = stored.first;
        }
        Ok(())
    });
    outcomes.into_iter().collect()
}

fn disjoint_boundaries_in_sequence_never_refuse(case: &Case<'_>) -> Result<(), Failure> {
    const BOUNDARIES: usize = 500;
    let log = case.open();
    for nth in 0..BOUNDARIES {
        let key = format!("seat:{nth}");
        let home = format!("hall{nth}-1");
        let conditions = [
            Condition::none().fresh(tagged(&[&key]), Position::START),
            Condition::none().absent(tagged(&["taken", &key])),
            Condition::none().fresh(of_category(&format!("hall{nth}")), Position::START),
            Condition::none().absent(of_stream(&home)),
        ];
        let condition = conditions[nth % conditions.len()].clone();
        let done = format!("appended under {condition:?}, after {nth} boundaries that have nothing of it");
        let verdict = log.attempt(case.commit([fact(&home, "taken", &[&key, "taken"])]), condition)?;
        L18.holds(verdict.is_ok(), done, "it to hold", &verdict)?;
    }
    Ok(())
}

fn disjoint_streams_and_sources_all_succeed_at_once(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let outcomes = race(CONTENDERS, |nth| {
        let home = format!("order-{nth}");
        for round in 0..ROUNDS as u64 {
            let expected = match round.checked_sub(1) {
                None => Expected::NoStream,
                Some(last) => Expected::Exactly(Revision::new(last)),
            };
            let condition = Condition::none()
                .stream(stream(&home), expected)
                .tracking(tracking(&format!("lane/{nth}"), round));
            let verdict = log.attempt(case.commit([fact(&home, "placed", &[])]), condition)?;
            let done = format!("expected {home} to be {expected:?} while others wrote elsewhere");
            L18.holds(verdict.is_ok(), done, "it to succeed at the first try", &verdict)?;
        }
        Ok(())
    });
    outcomes.into_iter().collect()
}

fn types_of_one_tag_are_disjoint(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..ROUNDS {
        let read = log.head()?.position;
        let verdicts = contest(&log, CONTENDERS, |nth| {
            let kind = format!("kind.{round}.{nth}");
            let query: Query = item(&[&kind], &["course:1"]).into();
            (case.commit([fact("campus", &kind, &["course:1"])]), Condition::none().fresh(query, read))
        })?;
        let lost = verdicts.iter().find(|verdict| verdict.is_err());
        L18.holds(lost.is_none(), "guarded one tag, each with its own type", "all to succeed", &lost)?;
    }
    let events = CONTENDERS * ROUNDS;
    L6.same("read the tag after the race", events, log.select(&tagged(&["course:1"]))?.len())
}

fn unconditional_appends_all_succeed(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for _ in 0..ROUNDS {
        let commit = |_| (case.commit([fact("order-1", "placed", &["order:1"])]), Condition::none());
        let verdicts = contest(&log, CONTENDERS, commit)?;
        let lost = verdicts.iter().find(|verdict| verdict.is_err());
        L18.holds(lost.is_none(), "appended without a condition at once", "all to succeed", &lost)?;
    }
    let all = (1..=(CONTENDERS * ROUNDS) as u64).collect::<Vec<_>>();
    L1.same("read every event after the race", all, log.positions(&Query::All)?)
}
