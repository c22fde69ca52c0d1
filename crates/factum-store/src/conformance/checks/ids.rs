//! Event ids: given or derived, stored once, and a way to the event.

use crate::{
    AppendError,
    conformance::{
        Failure,
        Promise::L14,
        case::Case,
        draft::{fact, rejected},
        log::Log,
    },
};
use factum_event::{CommandId, Condition, EventId, InvalidCommit, NewEvent, Position};

checks! {
    an_id_follows_from_command_and_index: [L14] needs [];
    a_given_id_is_kept_and_finds_its_event: [L14] needs [];
    an_id_is_stored_once: [L14] needs [];
    an_id_is_used_once_in_a_commit: [L14] needs [];
    ids_of_one_family_are_told_apart: [L14] needs [];
    commands_that_count_their_ids_do_not_clash: [L14] needs [];
}

fn with_id(id: EventId) -> NewEvent {
    NewEvent { id: Some(id), ..fact("order-1", "imported", &[]) }
}

fn foreign(number: u128) -> EventId {
    EventId::new(uuid::Uuid::from_u128(number))
}

fn finds(log: &Log, id: EventId, position: u64) -> Result<(), Failure> {
    let came = log.event(id)?.map(|event| (event.id, event.position.get()));
    L14.same(format!("looked up event {id}"), Some((id, position)), came)
}

fn an_id_follows_from_command_and_index(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let mut next = 1;
    for _ in 0..3 {
        log.put(case.outcome(rejected()))?;
        let commit =
            case.commit([fact("a", "placed", &[]), fact("b", "placed", &[]), fact("a", "paid", &[])]);
        let ids = [0, 1, 2].map(|index| EventId::derived(commit.command.id, index));
        let beyond = EventId::derived(commit.command.id, 3);
        log.put(commit)?;
        let came: Vec<_> = log.all()?.iter().skip(next - 1).map(|event| event.id).collect();
        L14.same("read the ids of a commit that gave none", ids.to_vec(), came)?;
        for (position, id) in (next..).zip(ids) {
            finds(&log, id, position as u64)?;
        }
        L14.same("looked up an id beyond the commit", None, log.event(beyond)?)?;
        next += 3;
    }
    Ok(())
}

fn a_given_id_is_kept_and_finds_its_event(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let commit = case.commit([with_id(foreign(7)), fact("order-1", "placed", &[]), with_id(foreign(9))]);
    let derived = EventId::derived(commit.command.id, 1);
    let mut own = case.commit([fact("order-1", "placed", &[])]);
    let same = own.event_id(0);
    own.events[0].id = Some(same);
    let unused = EventId::derived(commit.command.id, 0);
    log.put(commit)?;
    finds(&log, foreign(7), 1)?;
    finds(&log, derived, 2)?;
    finds(&log, foreign(9), 3)?;
    log.put(own)?;
    finds(&log, same, 4)?;
    L14.same("looked up an id nobody has", None, log.event(foreign(8))?)?;
    L14.same("looked up the derived id of an event that has its own", None, log.event(unused)?)
}

fn an_id_is_stored_once(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let first = case.commit([fact("order-1", "placed", &[]), with_id(foreign(7))]);
    let derived = first.event_id(0);
    log.put(first)?;
    log.put(case.commit([fact("order-2", "placed", &[])]))?;
    for (id, position) in [(foreign(7), 2), (derived, 1)] {
        let error = || AppendError::EventExists { id, position: Position::new(position) };
        log.refused(L14, case.commit([with_id(id)]), Condition::none(), error())?;
        let second = case.commit([fact("order-3", "placed", &[]), with_id(foreign(70)), with_id(id)]);
        log.refused(L14, second, Condition::none(), error())?;
        finds(&log, id, position)?;
    }
    L14.same("looked up an id that only a refused commit had", None, log.event(foreign(70))?)?;
    let later = case.commit([fact("order-4", "placed", &[])]);
    let taken = later.event_id(0);
    log.put(case.commit([with_id(taken)]))?;
    let error = AppendError::EventExists { id: taken, position: Position::new(4) };
    log.refused(L14, later, Condition::none(), error)
}

fn an_id_is_used_once_in_a_commit(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let id = foreign(7);
    let repeated = AppendError::Invalid(InvalidCommit::RepeatedId { event: 2, id });
    let commit = case.commit([with_id(id), fact("order-1", "placed", &[]), with_id(id)]);
    log.refused(L14, commit, Condition::none(), repeated)?;
    let mut commit = case.commit([fact("order-1", "placed", &[]), fact("order-1", "placed", &[])]);
    let id = commit.event_id(0);
    commit.events[1].id = Some(id);
    let repeated = AppendError::Invalid(InvalidCommit::RepeatedId { event: 1, id });
    log.refused(L14, commit, Condition::none(), repeated)
}

fn ids_of_one_family_are_told_apart(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let mut bytes = case.command_id().mixed();
    let mut ids = Vec::new();
    for last in [0x00, 0x40, 0x80] {
        bytes[15] = last;
        let mut commit = case.commit([fact("order-1", "placed", &[]), fact("order-1", "paid", &[])]);
        commit.command.id = CommandId::from_mixed(bytes);
        ids.extend([commit.event_id(0), commit.event_id(1)]);
        let verdict = log.attempt(commit, Condition::none())?;
        L14.holds(verdict.is_ok(), "appended commands of one family", "them to be stored", &verdict)?;
    }
    for (position, id) in (1..).zip(&ids) {
        finds(&log, *id, position)?;
    }
    bytes[15] = 0x20;
    let unknown = EventId::derived(uuid::Uuid::from_bytes(bytes).into(), 0);
    L14.same("looked up an id that begins as others do", None, log.event(unknown)?)
}

fn commands_that_count_their_ids_do_not_clash(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let events = || fact("order-1", "placed", &[]);
    for number in 1..=24 {
        let mut commit = case.commit([events(), events(), events(), events()]);
        commit.command.id = uuid::Uuid::from_u128(number).into();
        let verdict = log.attempt(commit, Condition::none())?;
        L14.holds(verdict.is_ok(), "appended commands with ids 1, 2, 3 ...", "them to be stored", &verdict)?;
    }
    Ok(())
}
