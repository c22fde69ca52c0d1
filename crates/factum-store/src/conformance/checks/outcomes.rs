//! Outcomes: every step of a command is a commit, with or without events, and only one is final.

use crate::{
    AppendError, Stored,
    conformance::{
        Failure,
        Promise::L11,
        case::{Case, command},
        draft::{fact, failed, parked, rejected},
        log::Log,
    },
};
use factum_event::{Commit, Condition, CorrelationId, NewCommit, Outcome, Position, Sequence};

checks! {
    an_outcome_without_events_is_stored_and_found: [L11] needs [];
    a_command_has_one_final_outcome: [L11] needs [];
    a_parked_command_may_still_be_decided: [L11] needs [];
    a_command_is_found_by_its_own_id_alone: [L11] needs [];
    a_correlation_finds_every_commit_of_it: [L11] needs [];
}

fn every_outcome(case: &Case<'_>) -> Vec<NewCommit> {
    let behind = case.command_id();
    let mut commits: Vec<_> =
        [rejected(), Outcome::Nothing, failed(), parked(), Outcome::SetAside { behind }]
            .map(|outcome| case.outcome(outcome))
            .into();
    commits.insert(2, case.commit([fact("order-1", "placed", &[]), fact("order-2", "placed", &[])]));
    commits
}

fn found(
    log: &Log,
    done: &str,
    (asked, stored): (&NewCommit, &Stored),
    commits: &[Commit],
) -> Result<(), Failure> {
    let [commit] = commits else {
        return Err(L11.broken(done, "the one commit of that command", &commits));
    };
    L11.same(done, (&asked.command, &asked.outcome), (&commit.command(), &commit.outcome))?;
    L11.same(done, asked.events.len(), commit.events.len())?;
    let beyond = asked.events.len().saturating_sub(1) as u64;
    let position = Position::new(stored.first.get() + beyond);
    L11.same(format!("{done}, and where it stands"), position, commit.position)?;
    let listed = log.commits(100)?.into_iter().find(|listed| listed.header.command_id == asked.command.id);
    L11.same(format!("{done}, and among all commits"), Some(commit), listed.as_ref())
}

fn an_outcome_without_events_is_stored_and_found(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let commits = every_outcome(case);
    let mut places = Vec::new();
    for (nth, commit) in (1..).zip(&commits) {
        let stored = log.put(commit.clone())?;
        L11.same("appended an outcome", Sequence::new(nth), stored.sequence)?;
        places.push(stored);
    }
    for asked in commits.iter().zip(&places) {
        let (commit, _) = asked;
        let done = format!("looked up a command whose outcome is {:?}", commit.outcome);
        found(&log, &done, asked, &log.commits_of(commit.command.id)?)?;
        let correlated = log.correlated(CorrelationId::of(commit.command.id), 10)?;
        found(&log, &format!("{done}, by its correlation"), asked, &correlated)?;
    }
    let listed: Vec<_> = log.commits(4)?.into_iter().map(|commit| commit.outcome).collect();
    let asked: Vec<_> = commits.into_iter().map(|commit| commit.outcome).collect();
    L11.same("read the outcomes of all commits", asked, listed)
}

fn a_command_has_one_final_outcome(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let finals: Vec<_> = every_outcome(case).into_iter().filter(|commit| commit.outcome.is_final()).collect();
    for (nth, commit) in (1..).zip(&finals) {
        log.put(commit.clone())?;
        let id = commit.command.id;
        let decided = || AppendError::AlreadyDecided { command: id, sequence: Sequence::new(nth) };
        log.refused(L11, commit.clone(), Condition::none(), decided())?;
        for outcome in [Outcome::Nothing, rejected(), failed(), parked()] {
            let second = NewCommit { command: command(id), outcome, events: Vec::new() };
            log.refused(L11, second, Condition::none(), decided())?;
        }
        let second = NewCommit { command: command(id), ..case.commit([fact("order-9", "placed", &[])]) };
        log.refused(L11, second, Condition::none(), decided())?;
    }
    Ok(())
}

fn a_parked_command_may_still_be_decided(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let behind = case.command_id();
    for last in [Outcome::Succeeded, rejected(), Outcome::Nothing, failed()] {
        let id = case.command_id();
        let steps = [parked(), Outcome::SetAside { behind }, parked(), last];
        for outcome in &steps {
            let events = if outcome.has_events() { vec![fact("order-1", "placed", &[])] } else { Vec::new() };
            let step = NewCommit { command: command(id), outcome: outcome.clone(), events };
            let verdict = log.attempt(step, Condition::none())?;
            let done = format!("appended {outcome:?} for a command that has no final outcome");
            L11.holds(verdict.is_ok(), done, "it to be stored", &verdict)?;
        }
        let sequence = log.head()?.sequence;
        let came: Vec<_> = log.commits_of(id)?.into_iter().map(|commit| commit.outcome).collect();
        L11.same("read every step of the command", steps.to_vec(), came)?;
        let late = NewCommit { command: command(id), outcome: parked(), events: Vec::new() };
        let error = AppendError::AlreadyDecided { command: id, sequence };
        log.refused(L11, late, Condition::none(), error)?;
    }
    Ok(())
}

fn a_command_is_found_by_its_own_id_alone(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let mut bytes = *case.command_id().get().as_bytes();
    let mut ids = Vec::new();
    for last in [0x10, 0x20, 0x30] {
        bytes[15] = last;
        let mut commit = case.commit([fact("order-1", "placed", &[])]);
        commit.command.id = uuid::Uuid::from_bytes(bytes).into();
        let id = commit.command.id;
        let verdict = log.attempt(commit, Condition::none())?;
        L11.holds(verdict.is_ok(), format!("appended command {id}, new"), "it to be stored", &verdict)?;
        ids.push(id);
    }
    bytes[15] = 0x40;
    L11.same(
        "looked up a command that was never sent",
        Vec::new(),
        log.commits_of(uuid::Uuid::from_bytes(bytes).into())?,
    )?;
    for (nth, id) in (1..).zip(ids) {
        let came: Vec<_> = log.commits_of(id)?.iter().map(|commit| commit.header.sequence).collect();
        L11.same(format!("looked up command {id}"), vec![Sequence::new(nth)], came)?;
    }
    Ok(())
}

fn a_correlation_finds_every_commit_of_it(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let first = case.commit([fact("order-1", "placed", &[])]);
    let correlation = CorrelationId::of(first.command.id);
    let related = |mut commit: NewCommit| {
        commit.command.metadata.correlation = Some(correlation);
        commit
    };
    log.put(first)?;
    log.put(related(case.outcome(rejected())))?;
    log.put(case.outcome(rejected()))?;
    log.put(related(case.commit([fact("order-2", "placed", &[])])))?;
    log.put(related(case.outcome(parked())))?;
    let came: Vec<_> =
        log.correlated(correlation, 2)?.iter().map(|commit| commit.header.sequence.get()).collect();
    L11.same("read a correlation that a command without one began", vec![1, 2, 4, 5], came)
}
