//! Races that one contender must win, and only one; every other learns by what it lost.

use crate::{
    AppendError, Verdict,
    conformance::{
        Failure, Promise,
        Promise::{L5, L6, L7, L8, L9, L11, L14, L15},
        case::Case,
        draft::{fact, item, stream, tagged, tracking, typed},
        log::Log,
        race::{CONTENDERS, ROUNDS, race},
    },
};
use factum_event::{Condition, EventId, Expected, NewCommit, Position, Query, Revision};

checks! {
    one_boundary_has_one_winner: [L6, L15] needs [GlobalConditions];
    one_stream_has_one_winner: [L5, L15] needs [];
    racing_creates_have_one_winner: [L6, L7] needs [GlobalConditions];
    one_input_is_applied_once: [L8] needs [];
    one_command_is_decided_once: [L11] needs [];
    one_event_id_is_stored_once: [L14] needs [];
    racing_batches_are_judged_commit_by_commit: [L9] needs [GlobalConditions];
}

/// What each contender of a race was told, whose `attempt` says what it appends.
pub(super) fn contest(
    log: &Log,
    contenders: usize,
    attempt: impl Fn(usize) -> (NewCommit, Condition) + Sync,
) -> Result<Vec<Verdict>, Failure> {
    let attempts: Vec<_> = (0..contenders).map(&attempt).collect();
    race(contenders, |nth| log.attempt(attempts[nth].0.clone(), attempts[nth].1.clone()))
        .into_iter()
        .collect()
}

/// One won; every other was told `lost`, made from where the winner stands.
fn one_winner(
    promise: Promise,
    done: &str,
    verdicts: &[Verdict],
    lost: impl Fn(&crate::Stored) -> AppendError,
) -> Result<(), Failure> {
    let winners: Vec<_> = verdicts.iter().filter_map(|verdict| verdict.as_ref().ok()).collect();
    let [winner] = winners[..] else {
        return Err(promise.broken(done, "exactly one winner", &verdicts));
    };
    let lost = lost(winner);
    let other = verdicts.iter().find(|verdict| matches!(verdict, Err(error) if *error != lost));
    promise.holds(other.is_none(), done, format!("every loser to be told {lost:?}"), &other)
}

fn one_boundary_has_one_winner(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..ROUNDS {
        let tags = [&*format!("course:{round}")];
        let enrolled = || fact("campus", "enrolled", &tags);
        let read = log.put(case.commit([enrolled()]))?.first;
        let fresh = Condition::none().fresh(tagged(&tags), read);
        let verdicts = contest(&log, CONTENDERS, |_| (case.commit([enrolled()]), fresh.clone()))?;
        let done = "raced for one boundary";
        one_winner(L6, done, &verdicts, |winner| AppendError::Stale { position: winner.first })?;
        L15.same("read the boundary after the race", 2, log.select(&tagged(&tags))?.len())?;
    }
    Ok(())
}

fn one_stream_has_one_winner(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..ROUNDS {
        let home = format!("order-{round}");
        for (expected, actual) in [(Expected::NoStream, 0), (Expected::Exactly(Revision::new(0)), 1)] {
            let condition = Condition::none().stream(stream(&home), expected);
            let placed = || case.commit([fact(&home, "placed", &[])]);
            let verdicts = contest(&log, CONTENDERS, |_| (placed(), condition.clone()))?;
            one_winner(L5, &format!("raced for {home}, expected {expected:?}"), &verdicts, |_| {
                let actual = Some(Revision::new(actual));
                AppendError::WrongRevision { stream: stream(&home), expected, actual }
            })?;
        }
    }
    Ok(())
}

fn racing_creates_have_one_winner(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..ROUNDS {
        let name = format!("name:{round}");
        let query: Query = item(&["claimed"], &[&name]).into();
        let absent = Condition::none().absent(query.clone());
        let claim = || case.commit([fact("user", "claimed", &[&name])]);
        let verdicts = contest(&log, CONTENDERS, |_| (claim(), absent.clone()))?;
        let done = "raced to create what was absent";
        one_winner(L7, done, &verdicts, |winner| AppendError::AlreadyExists { position: winner.first })?;
        let name = format!("other:{round}");
        let fresh = Condition::none().fresh(tagged(&[&name]), Position::START);
        let claim = || case.commit([fact("user", "claimed", &[&name])]);
        let verdicts = contest(&log, CONTENDERS, |_| (claim(), fresh.clone()))?;
        let done = "raced to create what is fresh from the start";
        one_winner(L6, done, &verdicts, |winner| AppendError::Stale { position: winner.first })?;
    }
    Ok(())
}

fn one_input_is_applied_once(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..ROUNDS as u64 {
        let input = tracking("lane/0", round);
        let condition = Condition::none().tracking(input.clone());
        let apply = || (case.commit([fact("order-1", "placed", &[])]), condition.clone());
        let verdicts = contest(&log, CONTENDERS, |_| apply())?;
        one_winner(L8, "raced to apply one input", &verdicts, |winner| AppendError::AlreadyApplied {
            tracking: input.clone(),
            reached: round,
            sequence: winner.sequence,
        })?;
    }
    Ok(())
}

fn one_command_is_decided_once(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for _ in 0..ROUNDS {
        let id = case.command_id();
        let decide = |nth: usize| {
            let mut commit = if nth.is_multiple_of(2) {
                case.commit([])
            } else {
                case.commit([fact("order-1", "placed", &[])])
            };
            commit.command.id = id;
            (commit, Condition::none())
        };
        let verdicts = contest(&log, CONTENDERS, decide)?;
        one_winner(L11, "raced to decide one command", &verdicts, |winner| AppendError::AlreadyDecided {
            command: id,
            sequence: winner.sequence,
        })?;
        L11.same("read its commits after the race", 1, log.commits_of(id)?.len())?;
    }
    Ok(())
}

fn one_event_id_is_stored_once(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..ROUNDS {
        let id = EventId::new(uuid::Uuid::from_u128(round as u128 + 1));
        let import = |nth: usize| {
            let mut event = fact(&format!("import-{nth}"), "imported", &[]);
            event.id = Some(id);
            (case.commit([event]), Condition::none())
        };
        let verdicts = contest(&log, CONTENDERS, import)?;
        one_winner(L14, "raced to store one event id", &verdicts, |winner| AppendError::EventExists {
            id,
            position: winner.first,
        })?;
        L14.same("read every event after the race", round + 1, log.select(&typed(&["imported"]))?.len())?;
    }
    Ok(())
}

fn racing_batches_are_judged_commit_by_commit(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for round in 0..ROUNDS {
        let names: Vec<_> = (0..4).map(|nth| format!("seat:{round}:{nth}")).collect();
        let take = |name: &String| {
            let condition = Condition::none().absent(tagged(&[name]));
            (case.commit([fact("hall", "taken", &[name])]), condition)
        };
        let verdicts = race(CONTENDERS, |nth| {
            let batch = if nth % 2 == 0 {
                names.iter().map(take).collect()
            } else {
                names.iter().rev().map(take).collect()
            };
            log.append(batch)
        });
        let verdicts: Vec<_> =
            verdicts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let won = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        L9.same("raced for four seats, each contender with one batch: seats won", names.len(), won)?;
        for name in &names {
            L9.same(format!("read {name} after the race"), 1, log.select(&tagged(&[name]))?.len())?;
        }
    }
    Ok(())
}
