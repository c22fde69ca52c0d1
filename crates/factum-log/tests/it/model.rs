//! Random operations against the in-memory reference: every verdict and every read must be equal, through
//! reopens and crashes.

use crate::{
    sim::{Crash, Sim},
    support::{Rng, SeededEntropy, options},
};
use factum_event::{
    Category, CausationId, Codec, CommandId, CommandName, CommandPayload, CommandRecord, Condition,
    CorrelationId, EventId, EventType, Expected, Metadata, NewCommit, NewEvent, Outcome, Position, Query,
    QueryItem, Rejection, Revision, Sequence, Source, StreamName, Tag, Timestamp, Tracking,
};
use factum_log::{Log, Options};
use factum_store::{Append, MemoryStore, ReadOptions, Store, block_on};
use factum_testkit::{VirtualClock, soak};
use std::sync::Arc;
use uuid::Uuid;

/// Command ids that share a family with another, and ids that are correlations as well.
fn command_id(rng: &mut Rng) -> CommandId {
    let base = 0x0189_0a5d_ac96_774b_bcce_b302_0000_0000_u128;
    let left_out = if rng.one_in(8) { (3_u128 << 76) ^ (1_u128 << 62) } else { 0 };
    let other = (rng.below(12) as u128) << 40;
    CommandId::from_mixed(((base + other + rng.below(9) as u128) ^ left_out).to_be_bytes())
}

/// Ids that were given, ids that are derived, and ids that are derived but for their version.
fn event_id(rng: &mut Rng) -> EventId {
    if rng.one_in(2) {
        return EventId::new(Uuid::from_u128(rng.below(30) as u128));
    }
    let derived = EventId::derived(command_id(rng), u32::try_from(rng.below(4)).unwrap());
    let other = u128::from(rng.one_in(4)) << 76;
    EventId::new(Uuid::from_u128(derived.get().as_u128() ^ other))
}

fn stream(rng: &mut Rng) -> StreamName {
    StreamName::unchecked(["account-1", "account-2", "account-3", "cart-1", "cart", "x-1-2"][rng.below(6)])
}

fn event_type(rng: &mut Rng) -> EventType {
    EventType::unchecked(["a.one", "a.two", "b.one"][rng.below(3)])
}

fn tag(rng: &mut Rng) -> Tag {
    Tag::unchecked(["t:1", "t:2", "t:3", "u:1", "account-1"][rng.below(5)])
}

fn new_event(rng: &mut Rng) -> NewEvent {
    NewEvent {
        id: if rng.one_in(5) { Some(event_id(rng)) } else { None },
        stream: if rng.one_in(200) { StreamName::unchecked("") } else { stream(rng) },
        event_type: event_type(rng),
        version: u32::from(!rng.one_in(200)),
        codec: Codec(u16::try_from(rng.below(3)).unwrap()),
        tags: (0..rng.below(4)).map(|_| tag(rng)).collect(),
        payload: vec![b'x'; rng.below(60)].into(),
        effective_at: rng.one_in(3).then(|| Timestamp::from_micros(-5)),
        corrects: if rng.one_in(9) { Some(event_id(rng)) } else { None },
    }
}

fn commit(rng: &mut Rng) -> NewCommit {
    let (outcome, events) = match rng.below(12) {
        0 => (Outcome::Nothing, 0),
        1 => (Outcome::Rejected(Rejection { code: "no".into(), reason: "because".into(), status: 409 }), 0),
        2 => (Outcome::Failed { cause: "broken".into(), by: "ann".into() }, 0),
        3 => (Outcome::Parked { cause: "down".into() }, 0),
        4 => (Outcome::SetAside { behind: command_id(rng) }, 0),
        _ => (Outcome::Succeeded, 1 + rng.below(4)),
    };
    let payload = match rng.below(3) {
        0 => CommandPayload::None,
        1 => CommandPayload::Inline { codec: Codec::JSON, version: 2, data: b"{}".to_vec().into() },
        _ => CommandPayload::Logged(Position::new(rng.next())),
    };
    let text = |rng: &mut Rng, text: &str| rng.one_in(2).then(|| text.into());
    let metadata = Metadata {
        actor: text(rng, "ann"),
        tenant: text(rng, "t1"),
        correlation: rng.one_in(3).then(|| CorrelationId::of(command_id(rng))),
        causation: rng.one_in(3).then(|| CausationId::new(Uuid::from_u128(9))),
        headers: (0..rng.below(3)).map(|_| ("k".into(), "".into())).collect(),
    };
    let (id, issued_at) = (command_id(rng), Timestamp::from_micros(7));
    let command = CommandRecord { id, name: CommandName::unchecked("c.do"), payload, issued_at, metadata };
    NewCommit { command, outcome, events: (0..events).map(|_| new_event(rng)).collect() }
}

fn query(rng: &mut Rng) -> Query {
    if rng.one_in(12) {
        return Query::All;
    }
    (0..rng.below(4)).map(|_| item(rng)).collect()
}

fn item(rng: &mut Rng) -> QueryItem {
    let mut item = QueryItem::default();
    for _ in 0..rng.below(3) {
        item = item.event_type(event_type(rng));
    }
    for _ in 0..rng.below(3) {
        item = item.tag(tag(rng));
    }
    match rng.below(6) {
        0 => item.stream(stream(rng)),
        1 => item.category(Category::unchecked(["account", "cart", "none"][rng.below(3)])),
        _ => item,
    }
}

fn condition(rng: &mut Rng, head: u64) -> Condition {
    let mut condition = Condition::none();
    if rng.one_in(3) {
        let expected = match rng.below(4) {
            0 => Expected::Any,
            1 => Expected::NoStream,
            2 => Expected::Exists,
            _ => Expected::Exactly(Revision::new(rng.below(6) as u64)),
        };
        let stream = if rng.one_in(50) { StreamName::unchecked("\n") } else { stream(rng) };
        condition = condition.stream(stream, expected);
    }
    if rng.one_in(3) {
        let back = rng.below(8) as u64;
        condition = condition.fresh(query(rng), Position::new(head.saturating_sub(back)));
    }
    if rng.one_in(8) {
        condition = condition.absent(query(rng));
    }
    if rng.one_in(4) {
        let source = Source::unchecked(["lane-0", "lane-1"][rng.below(2)]);
        condition = condition.tracking(Tracking { source, progress: rng.below(40) as u64 });
    }
    condition
}

fn compare_reads(rng: &mut Rng, log: &dyn Store, model: &MemoryStore) {
    let head = block_on(model.head()).unwrap();
    assert_eq!(block_on(log.head()).unwrap(), head);
    for _ in 0..6 {
        let options = ReadOptions {
            after: Position::new(rng.below(head.position.get() as usize + 2) as u64),
            up_to: rng.one_in(3).then(|| Position::new(rng.below(head.position.get() as usize + 3) as u64)),
            backwards: rng.one_in(2),
            limit: if rng.one_in(2) { rng.below(6) } else { usize::MAX },
        };
        let options = if rng.one_in(2) { ReadOptions { after: Position::START, ..options } } else { options };
        let query = query(rng);
        let (mine, theirs) = (block_on(log.read(&query, options)), block_on(model.read(&query, options)));
        assert_eq!(mine, theirs, "{query:?} {options:?}");
    }
    let after = Sequence::new(rng.below(head.sequence.get() as usize + 2) as u64);
    let limit = rng.below(12);
    assert_eq!(block_on(log.commits(after, limit)), block_on(model.commits(after, limit)));
    let command = command_id(rng);
    assert_eq!(block_on(log.commits_of(command)), block_on(model.commits_of(command)));
    let correlation = CorrelationId::of(command_id(rng));
    assert_eq!(
        block_on(log.correlated(correlation, after, limit)),
        block_on(model.correlated(correlation, after, limit))
    );
    for _ in 0..4 {
        let id = event_id(rng);
        assert_eq!(block_on(log.event(id)), block_on(model.event(id)));
    }
    let (stream, at) = (stream(rng), Position::new(rng.below(head.position.get() as usize + 2) as u64));
    assert_eq!(block_on(log.revision(&stream, at)), block_on(model.revision(&stream, at)));
    let source = Source::unchecked("lane-0");
    assert_eq!(block_on(log.progress(&source)), block_on(model.progress(&source)));
}

fn run(seed: u64) {
    let mut rng = Rng(seed);
    let (sim, clock) = (Sim::default(), Arc::new(VirtualClock::default()));
    let model = MemoryStore::with_ports(clock.clone(), &SeededEntropy::new(seed));
    let options = || Options { segment_bytes: 2048, group_commits: 3, clock: clock.clone(), ..options(seed) };
    let mut log = Some(Log::open_on(sim.storage(), options()).unwrap().0);
    for _ in 0..70 {
        clock.set(Timestamp::from_micros(rng.below(1000) as i64));
        let open = log.as_ref().unwrap();
        let head = open.published().position.get();
        let batch: Vec<_> = (0..1 + rng.below(5))
            .map(|_| Append { commit: commit(&mut rng), condition: condition(&mut rng, head) })
            .collect();
        let theirs = block_on(model.append(batch.clone()));
        let mine = if rng.one_in(2) { open.append(batch) } else { block_on(Store::append(open, batch)) };
        assert_eq!(mine, theirs);
        if rng.one_in(4) {
            compare_reads(&mut rng, open, &model);
        }
        match rng.below(16) {
            0 => drop(log.take()),
            1 => sim.crash(Crash::Process),
            2 => sim.crash(Crash::Power),
            3 => sim.crash(Crash::PowerAnyOrder(rng.clone())),
            _ => continue,
        }
        drop(log.take());
        let (reopened, report) = Log::open_on(sim.storage(), options()).unwrap();
        assert_eq!(report.torn, None);
        log = Some(reopened);
    }
    compare_reads(&mut rng, log.as_ref().unwrap(), &model);
    let verified = factum_log::verify_on(&*sim.storage()).unwrap();
    assert_eq!(verified.index_damage, []);
}

#[test]
fn soak_verdicts_and_reads_equal_those_of_the_reference() {
    soak(0, 300, run);
}
