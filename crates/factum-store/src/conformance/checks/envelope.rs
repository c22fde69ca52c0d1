//! The envelope: what is read back is what was written, every field of it.

use crate::conformance::{
    Failure,
    Promise::L16,
    case::Case,
    draft::{failed, kind, parked, rejected, stream, tag, tracking},
    log::Log,
};
use bytes::Bytes;
use factum_event::{
    CausationId, Codec, CommandName, CommandPayload, CommandRecord, Commit, Condition, CorrelationId,
    EventId, Metadata, NewCommit, NewEvent, Outcome, Position, Query, RecordedEvent, Rejection, Timestamp,
};
use uuid::Uuid;

checks! {
    the_command_is_read_back_as_written: [L16] needs [];
    every_command_payload_is_read_back: [L16] needs [];
    events_are_read_back_as_written: [L16] needs [];
    every_outcome_is_read_back: [L16] needs [];
    what_was_not_given_is_not_there: [L16] needs [];
}

/// Times with every digit down to the microsecond, before and after 1970.
fn times() -> [Timestamp; 4] {
    [1_767_225_600_123_456, -1_000_001, i64::MIN / 2, i64::MAX].map(Timestamp::from_micros)
}

fn full_metadata(case: &Case<'_>) -> Metadata {
    let headers =
        [("trace", "1"), ("a", "x"), ("trace", "2"), ("B", ""), ("a", "x"), ("\u{e4}", "\u{1f9fe}\n")];
    Metadata {
        actor: Some("ann \u{e4}".into()),
        tenant: Some("acme".into()),
        correlation: Some(CorrelationId::new(case.command_id().get())),
        causation: Some(CausationId::new(Uuid::from_u128(u128::MAX - 3))),
        headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
    }
}

fn payloads() -> [CommandPayload; 5] {
    let inline = |codec, version, data: &[u8]| CommandPayload::Inline {
        codec,
        version,
        data: Bytes::copy_from_slice(data),
    };
    [
        CommandPayload::None,
        inline(Codec::JSON, 3, b"{\"amount\":7}"),
        inline(Codec(900), u32::MAX, &[0, 255, 13, 10, 0]),
        inline(Codec::RAW, 0, b""),
        CommandPayload::Logged(Position::new(u64::MAX - 1)),
    ]
}

fn full_event() -> NewEvent {
    let every_byte: Vec<u8> = (0..=255).collect();
    NewEvent {
        id: Some(EventId::new(Uuid::from_u128(41))),
        stream: stream("order-\u{e4} 1"),
        event_type: kind("shop.order \u{e4}"),
        version: 70_000,
        codec: Codec(513),
        tags: ["z", "a", "order:\u{1f9fe}", "m"].map(tag).into(),
        payload: every_byte.into(),
        effective_at: Some(times()[1]),
        corrects: Some(EventId::new(Uuid::from_u128(40))),
    }
}

/// The commit, by every way there is to it.
fn by_every_way(log: &Log, asked: &NewCommit) -> Result<Vec<(&'static str, Commit)>, Failure> {
    let id = asked.command.id;
    let correlation = asked.command.metadata.correlation.unwrap_or(CorrelationId::of(id));
    let of = |commits: Vec<Commit>| commits.into_iter().rfind(|commit| commit.header.command_id == id);
    let ways = [
        ("by command", of(log.commits_of(id)?)),
        ("by correlation", of(log.correlated(correlation, 5)?)),
        ("among all commits", of(log.commits(5)?)),
    ];
    let found = ways.map(|(way, commit)| {
        let missing = || L16.broken(format!("read a commit {way}"), "the commit", &"nothing");
        Ok((way, commit.ok_or_else(missing)?))
    });
    found.into_iter().collect()
}

fn the_command_is_read_back_as_written(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for issued_at in times() {
        let mut commit = case.commit([full_event()]);
        commit.events[0].id = None;
        commit.command = CommandRecord {
            id: commit.command.id,
            name: CommandName::unchecked("shop.place \u{e4}"),
            payload: payloads()[1].clone(),
            issued_at,
            metadata: full_metadata(case),
        };
        let input = tracking("lane/\u{e4}", u64::try_from(log.commits(5)?.len()).expect("few"));
        log.stored(commit.clone(), Condition::none().tracking(input.clone()))?;
        for (way, came) in by_every_way(&log, &commit)? {
            L16.same(format!("read a command {way}"), &commit.command, &came.command())?;
            L16.same(format!("read what a commit tracks {way}"), Some(&input), came.tracking.as_ref())?;
        }
        let last = log.all()?.into_iter().next_back();
        let header = last.map(|event| event.commit);
        let expected = log.commits_of(commit.command.id)?.into_iter().next().map(|commit| commit.header);
        L16.same("compared an event's header with its commit's", expected, header)?;
    }
    Ok(())
}

fn every_command_payload_is_read_back(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for payload in payloads() {
        for mut commit in [case.commit([full_event()]), case.outcome(rejected())] {
            commit.events.iter_mut().for_each(|event| event.id = None);
            commit.command.payload = payload.clone();
            log.put(commit.clone())?;
            for (way, came) in by_every_way(&log, &commit)? {
                L16.same(format!("read a command's payload {way}"), &payload, &came.payload)?;
            }
        }
    }
    Ok(())
}

/// An event as it was asked for, without what the store added.
fn asked_for(event: &RecordedEvent) -> NewEvent {
    NewEvent {
        id: Some(event.id),
        stream: event.stream.clone(),
        event_type: event.event_type.clone(),
        version: event.version,
        codec: event.codec,
        tags: event.tags.clone(),
        payload: event.payload.clone(),
        effective_at: Some(event.effective_at),
        corrects: event.corrects,
    }
}

fn events_are_read_back_as_written(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let mut events = vec![full_event()];
    for (nth, at) in (100..).zip(times()) {
        let id = Some(EventId::new(Uuid::from_u128(nth)));
        events.push(NewEvent { id, effective_at: Some(at), corrects: None, ..full_event() });
    }
    events.push(NewEvent { id: Some(EventId::new(Uuid::from_u128(7))), tags: Vec::new(), ..full_event() });
    events.push(NewEvent {
        id: Some(EventId::new(Uuid::from_u128(8))),
        payload: Bytes::new(),
        ..full_event()
    });
    let mut written = events.clone();
    written[0].tags.extend(["a", "z"].map(tag));
    let commit = case.commit_all(written);
    log.put(commit.clone())?;
    let compare = |way: &str, came: &[RecordedEvent]| {
        L16.same(format!("read events {way}"), events.clone(), came.iter().map(asked_for).collect())
    };
    compare("by position", &log.all()?)?;
    compare("by type", &log.select(&crate::conformance::draft::typed(&["shop.order \u{e4}"]))?)?;
    for (way, commit) in by_every_way(&log, &commit)? {
        compare(&format!("in their commit, {way}"), &commit.events)?;
    }
    for event in &events {
        let found = log.event(event.id.expect("each was given one"))?;
        L16.same("read an event by its id", Some(event.clone()), found.as_ref().map(asked_for))?;
    }
    Ok(())
}

fn every_outcome_is_read_back(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let empty = Rejection { code: "x".to_owned(), reason: String::new(), status: 0 };
    let outcomes = [
        rejected(),
        Outcome::Rejected(Rejection {
            status: u16::MAX,
            reason: "line\nline \u{e4}".to_owned(),
            ..empty.clone()
        }),
        Outcome::Rejected(empty),
        Outcome::Nothing,
        failed(),
        parked(),
        Outcome::SetAside { behind: case.command_id() },
    ];
    for outcome in outcomes {
        let commit = case.outcome(outcome.clone());
        log.put(commit.clone())?;
        for (way, came) in by_every_way(&log, &commit)? {
            L16.same(format!("read an outcome {way}"), &outcome, &came.outcome)?;
        }
    }
    L16.same("read the events of commits without any", 0, log.select(&Query::All)?.len())
}

fn what_was_not_given_is_not_there(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let commit = case.commit([NewEvent::json(stream("order-1"), kind("placed"), "{}")]);
    log.put(commit.clone())?;
    for (way, came) in by_every_way(&log, &commit)? {
        L16.same(format!("read a bare commit {way}"), &Metadata::default(), &came.header.metadata)?;
        L16.same(format!("read a bare commit {way}"), &CommandPayload::None, &came.payload)?;
        L16.same(format!("read a bare commit {way}"), None, came.tracking.as_ref())?;
        let bare: Vec<_> =
            came.events.iter().map(|event| (event.corrects, event.tags.len(), event.codec)).collect();
        L16.same(format!("read a bare event {way}"), vec![(None, 0, Codec::JSON)], bare)?;
    }
    Ok(())
}
