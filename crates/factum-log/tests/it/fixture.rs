//! A log that format v1 left must open and read the same for ever.
//!
//! `FACTUM_LOG_FIXTURE_TO=DIR cargo test -p factum-log fixture` writes the files anew, for a later format.

use crate::{
    sim::Sim,
    support::{command, options, stream},
};
use factum_event::{
    CausationId, Codec, CommandId, CommandPayload, Condition, CorrelationId, EventId, EventType, NewCommit,
    NewEvent, Outcome, Position, Query, Rejection, Sequence, Source, Tag, Timestamp, Tracking,
};
use factum_log::{Log, Options, verify};
use factum_store::{Append, MemoryStore, ReadOptions, Store, SystemEntropy, block_on};
use factum_testkit::VirtualClock;
use std::{path::PathBuf, sync::Arc};
use uuid::Uuid;

const FILES: [&str; 4] = ["head", "meta", "00000000000000000001.seg", "00000000000000000007.seg"];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1")
}

fn new_event(n: u32) -> NewEvent {
    let tagged = ["n:1", "all", "ü:✓"];
    NewEvent {
        id: (n % 3 == 1).then(|| EventId::new(Uuid::from_u128(1000 + u128::from(n)))),
        stream: stream(["account-1", "account-2", "plain"][n as usize % 3]),
        event_type: EventType::new(["bank.opened", "bank.deposited"][n as usize % 2]).unwrap(),
        version: n + 1,
        codec: [Codec::RAW, Codec::JSON, Codec(900)][n as usize % 3],
        tags: tagged[..n as usize % 4].iter().map(|tag| Tag::new(*tag).unwrap()).collect(),
        payload: format!("{{\"n\":{n}}}").into_bytes().into(),
        effective_at: (n % 4 == 2).then(|| Timestamp::from_micros(-i64::from(n))),
        corrects: (n % 5 == 4).then(|| EventId::new(Uuid::from_u128(1001))),
    }
}

/// What the fixture holds: every outcome, every kind of payload, every optional field given and not.
pub(crate) fn content() -> Vec<Append> {
    let rejection = Rejection { code: "overdrawn".into(), reason: "there is 1".into(), status: 409 };
    let outcomes = [
        (Outcome::Succeeded, 0..3),
        (Outcome::Nothing, 0..0),
        (Outcome::Rejected(rejection), 0..0),
        (Outcome::Failed { cause: "broken".into(), by: "ann".into() }, 0..0),
        (Outcome::Parked { cause: "down".into() }, 0..0),
        (Outcome::SetAside { behind: CommandId::new(Uuid::from_u128(5)) }, 0..0),
        (Outcome::Succeeded, 3..4),
        (Outcome::Succeeded, 4..9),
    ];
    let payloads = [
        CommandPayload::None,
        CommandPayload::Inline { codec: Codec::JSON, version: 3, data: b"{\"a\":1}".to_vec().into() },
        CommandPayload::Logged(Position::new(1 << 40)),
    ];
    let mut appends = Vec::new();
    for (number, (outcome, events)) in (0_u32..).zip(outcomes) {
        let mut command = command(0x0189_0a5d_ac96_774b_bcce_b302_0000_0000 + u128::from(number));
        command.payload = payloads[number as usize % 3].clone();
        command.issued_at = Timestamp::from_micros(i64::from(number) - 2);
        if number % 2 == 0 {
            command.metadata.actor = Some("ann".into());
            command.metadata.correlation = Some(CorrelationId::new(Uuid::from_u128(77)));
            command.metadata.headers = vec![("trace".into(), "abc".into()), ("empty".into(), "".into())];
        }
        if number % 3 == 0 {
            command.metadata.tenant = Some("north".into());
            command.metadata.causation = Some(CausationId::new(Uuid::from_u128(78)));
        }
        let tracking = Tracking { source: Source::new("lane-0").unwrap(), progress: u64::from(number) };
        let condition =
            if number % 2 == 1 { Condition::none().tracking(tracking) } else { Condition::none() };
        let commit = NewCommit { command, outcome, events: events.map(new_event).collect() };
        appends.push(Append { commit, condition });
    }
    appends
}

pub(crate) fn clock() -> Arc<VirtualClock> {
    let clock = Arc::new(VirtualClock::default());
    clock.set(Timestamp::from_micros(1_700_000_000_000_000));
    clock
}

fn write() -> Sim {
    let sim = Sim::default();
    let options = Options { segment_bytes: 1400, clock: clock(), ..options(2026) };
    let (log, _) = Log::open_on(sim.storage(), options).unwrap();
    assert!(content().into_iter().all(|append| log.append(vec![append])[0].is_ok()));
    drop(log);
    sim
}

#[test]
fn the_fixture_of_format_v1_reads_as_it_was_written() {
    if let Some(to) = std::env::var_os("FACTUM_LOG_FIXTURE_TO") {
        let (sim, to) = (write(), PathBuf::from(to));
        std::fs::create_dir_all(&to).unwrap();
        sim.names().iter().for_each(|name| std::fs::write(to.join(name), sim.bytes(name)).unwrap());
    }
    let model = MemoryStore::with_ports(clock(), &SystemEntropy);
    assert!(block_on(model.append(content())).iter().all(Result::is_ok));
    let verified = verify(directory()).unwrap();
    assert_eq!((verified.segments, verified.torn), (2, None));
    let copy = tempfile::tempdir().unwrap();
    for file in FILES {
        std::fs::copy(directory().join(file), copy.path().join(file)).unwrap();
    }
    let (beside, report) = Log::open_read_only(directory(), options(1)).unwrap();
    assert_eq!((report.damage, report.torn, report.watermark_lost), (None, None, false));
    let (log, report) = Log::open(copy.path(), options(1)).unwrap();
    assert!(!report.created);
    let all = ReadOptions::default();
    for log in [&beside, &log] {
        assert_eq!(
            block_on(log.commits(Sequence::START, 99)).unwrap(),
            block_on(model.commits(Sequence::START, 99)).unwrap()
        );
        assert_eq!(
            block_on(log.read(&Query::All, all)).unwrap(),
            block_on(model.read(&Query::All, all)).unwrap()
        );
    }
    crate::support::store(&log, 1).unwrap();
}

#[test]
fn the_fixture_holds_every_optional_field_given_and_not() {
    let (log, _) = Log::open_read_only(directory(), options(1)).unwrap();
    let commits = block_on(log.commits(Sequence::START, 99)).unwrap().commits;
    let events = || commits.iter().flat_map(|commit| &commit.events);
    let metadata = || commits.iter().map(|commit| &commit.header.metadata);
    let both = |what: &str, given: Vec<bool>| {
        assert!(given.contains(&true) && given.contains(&false), "{what}: {given:?}");
    };
    both("actor", metadata().map(|of| of.actor.is_some()).collect());
    both("tenant", metadata().map(|of| of.tenant.is_some()).collect());
    both("correlation", metadata().map(|of| of.correlation.is_some()).collect());
    both("causation", metadata().map(|of| of.causation.is_some()).collect());
    both("headers", metadata().map(|of| !of.headers.is_empty()).collect());
    both("tracking", commits.iter().map(|commit| commit.tracking.is_some()).collect());
    both("events", commits.iter().map(|commit| !commit.events.is_empty()).collect());
    both("several events", commits.iter().map(|commit| commit.events.len() > 1).collect());
    both("corrects", events().map(|event| event.corrects.is_some()).collect());
    both("effective", events().map(|event| event.effective_at != event.commit.recorded_at).collect());
    let derived = |event: &factum_event::RecordedEvent| {
        (0..16).any(|index| EventId::derived(event.commit.command_id, index) == event.id)
    };
    both("id", events().map(derived).collect());
    both("tags", events().map(|event| !event.tags.is_empty()).collect());
    both("later revision", events().map(|event| event.revision.get() > 0).collect());
    let kinds = |of: fn(&factum_event::Commit) -> String| {
        commits.iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(kinds(|commit| format!("{:?}", std::mem::discriminant(&commit.outcome))), 6);
    assert_eq!(kinds(|commit| format!("{:?}", std::mem::discriminant(&commit.payload))), 3);
}

/// As long as this release writes v1. A later format keeps the fixture and drops this. The release that wrote
/// it did not seal; a footer follows the same frames now.
#[test]
fn this_release_writes_format_v1_to_the_byte() {
    let sim = write();
    for file in FILES {
        let written = std::fs::read(directory().join(file)).unwrap();
        let footer = if file.ends_with("1.seg") { 112 } else { 0 };
        assert_eq!(sim.bytes(file)[..written.len()], written, "{file}");
        assert_eq!(sim.bytes(file).len() - written.len(), footer, "{file}");
    }
}
