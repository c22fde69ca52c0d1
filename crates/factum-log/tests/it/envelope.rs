//! Everything that a commit may hold comes back as it was given.

use crate::support::{command, options, simple, store, stream};
use factum_event::{
    CausationId, Codec, CommandId, CommandPayload, Condition, CorrelationId, EventId, EventType, NewCommit,
    NewEvent, Outcome, Position, Query, Rejection, Sequence, Source, Tag, Timestamp, Tracking, limits,
};
use factum_log::{Log, Options};
use factum_store::{Append, ReadOptions, Store, block_on};
use factum_testkit::VirtualClock;
use std::sync::Arc;
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn rich() -> Append {
    let mut command = command(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
    command.payload =
        CommandPayload::Inline { codec: Codec(77), version: u32::MAX, data: vec![0, 255, 10].into() };
    command.issued_at = Timestamp::from_micros(i64::MIN);
    command.metadata.actor = Some("änn".into());
    command.metadata.tenant = Some("tenant".into());
    command.metadata.correlation = Some(CorrelationId::new(id(3)));
    command.metadata.causation = Some(CausationId::new(id(4)));
    command.metadata.headers = vec![("trace".into(), "1\n2".into()), ("empty".into(), "".into())];
    let bare = NewEvent {
        id: None,
        stream: stream("bare"),
        event_type: EventType::new("t.bare").unwrap(),
        version: 1,
        codec: Codec::RAW,
        tags: Vec::new(),
        payload: Vec::new().into(),
        effective_at: None,
        corrects: None,
    };
    let full = NewEvent {
        id: Some(EventId::new(id(8))),
        stream: stream("full-ö-1"),
        event_type: EventType::new("t.full").unwrap(),
        version: u32::MAX,
        codec: Codec(u16::MAX),
        tags: vec![Tag::new("a:1").unwrap(), Tag::new("b:ü").unwrap()],
        payload: vec![7; 100_000].into(),
        effective_at: Some(Timestamp::from_micros(-1)),
        corrects: Some(EventId::new(id(9))),
    };
    let tracking = Tracking { source: Source::new("lane-3").unwrap(), progress: u64::MAX };
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: vec![bare, full] };
    Append { commit, condition: Condition::none().tracking(tracking) }
}

#[test]
fn the_whole_envelope_is_read_back_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::default());
    clock.set(Timestamp::from_micros(1_000));
    let options = || Options { clock: clock.clone(), ..options(1) };
    let asked = rich();
    let (log, _) = Log::open(dir.path(), options()).unwrap();
    let stored = log.append(vec![asked.clone()]).pop().unwrap().unwrap();
    drop(log);
    let (log, _) = Log::open(dir.path(), options()).unwrap();
    let commit = block_on(log.commits(Sequence::START, 9)).unwrap().commits.pop().unwrap();
    assert_eq!(commit.command(), asked.commit.command);
    assert_eq!(commit.outcome, asked.commit.outcome);
    assert_eq!(commit.tracking, asked.condition.tracking);
    assert_eq!(commit.header.sequence, stored.sequence);
    assert_eq!(commit.header.recorded_at, Timestamp::from_micros(1_000));
    for (index, (given, kept)) in asked.commit.events.iter().zip(&commit.events).enumerate() {
        assert_eq!(kept.position, Position::new(index as u64 + 1));
        assert_eq!(kept.id, asked.commit.event_id(index));
        assert_eq!(kept.revision, stored.revisions[index]);
        assert_eq!((&kept.stream, &kept.event_type), (&given.stream, &given.event_type));
        assert_eq!((kept.version, kept.codec), (given.version, given.codec));
        assert_eq!((&kept.tags, &kept.payload), (&given.tags, &given.payload));
        assert_eq!(kept.effective_at, given.effective_at.unwrap_or(commit.header.recorded_at));
        assert_eq!(kept.corrects, given.corrects);
        assert_eq!(block_on(log.event(kept.id)).unwrap().as_ref(), Some(kept));
    }
    let page = block_on(log.read(&Query::All, ReadOptions::default())).unwrap();
    assert_eq!(page.events, commit.events);
}

#[test]
fn every_outcome_and_payload_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let rejection =
        Rejection { code: "no".into(), reason: "x".repeat(limits::REASON_BYTES_MAX), status: 999 };
    let outcomes = [
        Outcome::Nothing,
        Outcome::Rejected(rejection),
        Outcome::Failed { cause: String::new(), by: "ann".into() },
        Outcome::Parked { cause: "down".into() },
        Outcome::SetAside { behind: CommandId::new(id(5)) },
    ];
    let payloads = [CommandPayload::None, CommandPayload::Logged(Position::new(u64::MAX))];
    let (log, _) = Log::open(dir.path(), options(1)).unwrap();
    let mut asked = Vec::new();
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let mut command = command(number as u128 + 1);
        command.payload = payloads[number % 2].clone();
        let commit = NewCommit { command, outcome, events: Vec::new() };
        log.append(vec![Append { commit: commit.clone(), condition: Condition::none() }])[0]
            .as_ref()
            .unwrap();
        asked.push(commit);
    }
    drop(log);
    let (log, _) = Log::open(dir.path(), options(1)).unwrap();
    let kept = block_on(log.commits(Sequence::START, 99)).unwrap().commits;
    assert_eq!(kept.len(), asked.len());
    for (kept, asked) in kept.iter().zip(&asked) {
        assert_eq!((&kept.command(), &kept.outcome), (&asked.command, &asked.outcome));
    }
}

#[test]
fn the_largest_commit_fits_in_a_segment_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), Options { segment_bytes: 4096, ..options(1) }).unwrap();
    store(&log, 1).unwrap();
    let mut big = simple(2);
    let event = big.commit.events.pop().unwrap();
    let tags: Vec<_> = (0..limits::TAGS_PER_EVENT_MAX).map(|n| Tag::new(format!("{n}")).unwrap()).collect();
    big.commit.events = vec![NewEvent { tags, ..event }; limits::EVENTS_PER_COMMIT_MAX];
    let room = limits::COMMIT_BYTES_MAX
        - big.commit.events.len() * (118 + "a-2".len() + "test.done".len() + "{\"n\":2}".len());
    let parts = room / limits::EVENT_BYTES_MAX;
    for event in &mut big.commit.events[..parts] {
        event.payload = vec![1; limits::EVENT_BYTES_MAX].into();
    }
    log.append(vec![big.clone()])[0].as_ref().unwrap();
    store(&log, 3).unwrap();
    drop(log);
    let (log, report) = Log::open(dir.path(), options(1)).unwrap();
    assert_eq!(report.segments, 3);
    let page = block_on(log.commits(Sequence::new(1), 1)).unwrap();
    assert_eq!(page.commits[0].events.len(), big.commit.events.len());
    assert!(
        page.commits[0]
            .events
            .iter()
            .zip(&big.commit.events)
            .all(|(kept, given)| kept.payload == given.payload)
    );
    assert_eq!(page.next, Some(Sequence::new(2)));
}

#[test]
fn recorded_time_never_runs_back_and_effective_time_defaults_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::default());
    let options = || Options { clock: clock.clone(), ..options(1) };
    clock.set(Timestamp::from_micros(500));
    let (log, _) = Log::open(dir.path(), options()).unwrap();
    store(&log, 1).unwrap();
    clock.set(Timestamp::from_micros(400));
    assert_eq!(store(&log, 2).unwrap().recorded_at, Timestamp::from_micros(500));
    drop(log);
    let (log, _) = Log::open(dir.path(), options()).unwrap();
    assert_eq!(store(&log, 3).unwrap().recorded_at, Timestamp::from_micros(500));
    let page = block_on(log.read(&Query::All, ReadOptions::default())).unwrap();
    assert!(page.events.iter().all(|event| event.effective_at == Timestamp::from_micros(500)));
}

#[test]
fn the_same_seed_and_commits_give_the_same_bytes() {
    let bytes = || {
        let sim = crate::sim::Sim::default();
        let clock = Arc::new(VirtualClock::default());
        let (log, _) = Log::open_on(sim.storage(), Options { clock, ..options(7) }).unwrap();
        log.append(vec![rich(), simple(1)]);
        drop(log);
        sim.names().into_iter().map(|name| (sim.bytes(&name), name)).collect::<Vec<_>>()
    };
    assert_eq!(bytes(), bytes());
}
