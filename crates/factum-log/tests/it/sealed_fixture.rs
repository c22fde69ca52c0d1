//! A log whose segments are sealed, with an index file of one segment and one of many, opens and reads the same
//! for ever.
//!
//! `FACTUM_LOG_FIXTURE_TO=DIR cargo test -p factum-log sealed_fixture` writes the files anew, for a later format.

use crate::{
    fixture::{clock, content},
    sim::Sim,
    support::{command, options, simple, store, stream},
};
use factum_event::{
    Category, CommandId, CorrelationId, EventId, EventType, Position, Query, QueryItem, Sequence, Source, Tag,
};
use factum_log::{Log, Options, verify};
use factum_store::{Append, MemoryStore, ReadOptions, Store, SystemEntropy, block_on};
use std::path::PathBuf;
use uuid::Uuid;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1-sealed")
}

/// What a log of the other fixture holds, and two more: nine segments that ended and one that did not.
fn all() -> Vec<Append> {
    content().into_iter().chain([simple(1), simple(2)]).collect()
}

/// Every commit in a segment of its own.
fn small() -> Options {
    Options { segment_bytes: 1, clock: clock(), ..options(2027) }
}

/// The log and its reference.
pub(crate) fn written() -> (Sim, MemoryStore) {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), small()).unwrap();
    assert!(all().into_iter().all(|append| log.append(vec![append])[0].is_ok()));
    drop(log);
    let model = MemoryStore::with_ports(clock(), &SystemEntropy);
    assert!(block_on(model.append(all())).iter().all(Result::is_ok));
    (sim, model)
}

/// Every question that an index file answers, and some that it must not answer.
pub(crate) fn answers_as(log: &dyn Store, model: &MemoryStore) {
    let head = block_on(model.head()).unwrap();
    let read = |query: &Query, options| {
        assert_eq!(block_on(log.read(query, options)), block_on(model.read(query, options)), "{query:?}");
    };
    let streams = ["account-1", "account-2", "plain", "a-1", "a-2", "a-3"].map(stream);
    let item = QueryItem::default;
    let mut queries = vec![Query::All, Query::from(item().category(Category::new("account").unwrap()))];
    queries.extend(streams.iter().map(|stream| Query::from(item().stream(stream.clone()))));
    queries.extend(
        ["n:1", "all", "ü:✓", "n:2", "none"].map(|tag| Query::from(item().tag(Tag::new(tag).unwrap()))),
    );
    let types =
        ["bank.opened", "bank.deposited", "test.done", "none"].map(|one| EventType::new(one).unwrap());
    queries.extend(types.map(|one| Query::from(item().event_type(one))));
    for query in &queries {
        for backwards in [false, true] {
            read(query, ReadOptions { backwards, ..ReadOptions::default() });
            read(query, ReadOptions { backwards, after: Position::new(4), ..ReadOptions::default() });
        }
    }
    let commits = |after| block_on(model.commits(after, usize::MAX)).unwrap().commits;
    assert_eq!(block_on(log.commits(Sequence::START, usize::MAX)).unwrap().commits, commits(Sequence::START));
    let others = [CommandId::new(Uuid::from_u128(5)), command(99).id];
    for id in commits(Sequence::START).iter().map(|commit| commit.header.command_id).chain(others) {
        assert_eq!(block_on(log.commits_of(id)), block_on(model.commits_of(id)), "{id}");
        for index in 0..5 {
            let event = EventId::derived(id, index);
            assert_eq!(block_on(log.event(event)), block_on(model.event(event)), "{event}");
        }
    }
    for given in 999..1012 {
        let event = EventId::new(Uuid::from_u128(given));
        assert_eq!(block_on(log.event(event)), block_on(model.event(event)), "{event}");
    }
    for id in [77, 78].map(|id| CorrelationId::new(Uuid::from_u128(id))) {
        let (mine, theirs) =
            (log.correlated(id, Sequence::START, 99), model.correlated(id, Sequence::START, 99));
        assert_eq!(block_on(mine), block_on(theirs), "{id}");
    }
    for (stream, at) in
        streams.iter().flat_map(|stream| (0..=head.position.get()).map(move |at| (stream, at)))
    {
        let (mine, theirs) =
            (log.revision(stream, Position::new(at)), model.revision(stream, Position::new(at)));
        assert_eq!(block_on(mine), block_on(theirs), "{stream} at {at}");
    }
    let lane = Source::new("lane-0").unwrap();
    assert_eq!(block_on(log.progress(&lane)), block_on(model.progress(&lane)));
}

#[test]
fn the_fixture_of_a_sealed_log_reads_as_it_was_written_and_nothing_of_it_is_made_anew() {
    if let Some(to) = std::env::var_os("FACTUM_LOG_FIXTURE_TO") {
        let ((sim, _), to) = (written(), PathBuf::from(to));
        std::fs::create_dir_all(&to).unwrap();
        sim.names().iter().for_each(|name| std::fs::write(to.join(name), sim.bytes(name)).unwrap());
    }
    let (_, model) = written();
    let verified = verify(directory()).unwrap();
    assert_eq!((verified.segments, verified.torn, verified.index_files), (10, None, 2));
    assert_eq!(verified.index_damage, []);
    let reaches = verified.digest.unwrap().reaches;
    assert_eq!(reaches.sequence, Sequence::new(9));
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(directory()).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let (beside, report) = Log::open_read_only(directory(), options(1)).unwrap();
    assert_eq!((report.damage, report.torn, report.watermark_lost), (None, None, false));
    let (log, _) = Log::open(copy.path(), options(1)).unwrap();
    answers_as(&beside, &model);
    answers_as(&log, &model);
    let maintenance = log.maintenance();
    assert_eq!((maintenance.index_files, maintenance.unsealed), (2, 0));
    store(&log, 3).unwrap();
}

/// As long as this release writes v1.
#[test]
fn this_release_writes_a_sealed_log_to_the_byte() {
    let (sim, _) = written();
    let files = std::fs::read_dir(directory()).unwrap().map(|file| file.unwrap().file_name());
    let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    files.sort();
    assert_eq!(sim.names(), files);
    for file in files {
        assert_eq!(sim.bytes(&file), std::fs::read(directory().join(&file)).unwrap(), "{file}");
    }
}
