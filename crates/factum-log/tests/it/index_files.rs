//! Index files that are missing, cut off or damaged are never believed over the log, and never missed.

use crate::{
    sim::Sim,
    support::{numbers, options, simple, store, stream},
};
use factum_event::{Condition, Expected, Query, QueryItem, Revision};
use factum_log::{Log, Options, verify_on};
use factum_store::{Append, AppendError, ReadOptions, Store, block_on};

fn small() -> Options {
    Options { segment_bytes: 400, ..options(1) }
}

/// Six segments, five of them sealed.
fn sealed() -> (Sim, Vec<String>) {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), small()).unwrap();
    (1..=11).for_each(|n| drop(store(&log, n).unwrap()));
    drop(log);
    let files: Vec<_> = sim.names().into_iter().filter(|name| name.ends_with(".idx")).collect();
    assert!(files.len() > 3, "{files:?}");
    (sim, files)
}

/// Everything is found, by every way to it, and what is refused is refused.
fn is_all_there(log: &Log) {
    assert!(numbers(log).into_iter().eq(1..=11));
    let all = block_on(log.read(&Query::All, ReadOptions::default())).unwrap().events;
    assert_eq!(all.len(), 11);
    for n in 0..3 {
        let name = stream(&format!("a-{n}"));
        let query = Query::from(QueryItem::default().stream(name.clone()));
        let found = block_on(log.read(&query, ReadOptions::default())).unwrap().events;
        let due: Vec<_> = all.iter().filter(|event| event.stream == name).cloned().collect();
        assert_eq!(found, due);
        let revision = block_on(log.revision(&name, log.published().position)).unwrap();
        assert_eq!(revision, Some(Revision::new(due.len() as u64 - 1)));
    }
    for n in 1..=11 {
        assert_eq!(block_on(log.commits_of(simple(n).commit.command.id)).unwrap().len(), 1, "command {n}");
    }
}

fn is_whole(sim: &Sim, what: &str) {
    let (beside, report) = Log::open_read_only_on(sim.storage(), small()).unwrap();
    assert_eq!(report.damage, None, "{what}");
    is_all_there(&beside);
    for _ in 0..2 {
        let (log, _) = Log::open_on(sim.storage(), small()).unwrap_or_else(|error| panic!("{what}: {error}"));
        is_all_there(&log);
        let again = log.append(vec![simple(5)]).pop().unwrap();
        assert!(matches!(again, Err(AppendError::AlreadyDecided { .. })), "{what}: {again:?}");
        let none = Condition::none().stream(stream("a-1"), Expected::NoStream);
        let refused = log.append(vec![Append { condition: none, ..simple(99) }]).pop().unwrap();
        assert!(matches!(refused, Err(AppendError::WrongRevision { .. })), "{what}: {refused:?}");
    }
    verify_on(&*sim.storage()).unwrap();
}

#[test]
fn an_index_file_that_is_missing_anywhere_is_made_anew_from_its_segments() {
    let (whole, files) = sealed();
    for missing in 1..1_usize << files.len().min(5) {
        let sim = whole.copy();
        let gone = |(number, _): &(usize, &String)| missing & (1 << number) != 0;
        files.iter().enumerate().filter(gone).for_each(|(_, name)| sim.take_away(name));
        is_whole(&sim, &format!("{missing:b} are missing"));
        assert!(files.iter().all(|name| sim.names().contains(name)), "made anew");
    }
}

#[test]
fn an_index_file_that_is_cut_off_is_made_anew_from_its_segments() {
    let (whole, files) = sealed();
    for name in &files {
        let bytes = whole.bytes(name);
        for cut in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
            let sim = whole.copy();
            sim.put(name, bytes[..cut].to_vec());
            is_whole(&sim, &format!("{name} cut at {cut}"));
        }
    }
}

#[test]
fn an_index_file_with_a_changed_byte_is_told_of_at_open_and_answers_nothing() {
    let (whole, files) = sealed();
    for name in &files {
        let bytes = whole.bytes(name);
        for at in (0..bytes.len()).step_by(13) {
            let what = format!("{name} changed at {at}");
            let sim = whole.copy();
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            sim.put(name, changed);
            let (beside, report) = Log::open_read_only_on(sim.storage(), small()).unwrap();
            is_all_there(&beside);
            let told: Vec<_> = report.index_damage.iter().map(|damage| damage.segment.clone()).collect();
            assert_eq!(told, [name.clone()], "{what}");
            assert!(report.warnings().iter().any(|warning| warning.contains(name)), "{what}");
            is_whole(&sim, &what);
            let (_, report) = Log::open_on(sim.storage(), small()).unwrap();
            assert_eq!(report.index_damage, [], "{what}: made anew");
        }
    }
}
