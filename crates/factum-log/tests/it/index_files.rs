//! Index files that are missing, cut off or damaged are never believed over the log, and never missed.

use crate::{
    sealed_fixture::{answers_as, written},
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
            let told: Vec<_> = report.index_damage.iter().map(|damage| damage.file.clone()).collect();
            assert_eq!(told, std::slice::from_ref(name), "{what}");
            assert!(report.warnings().iter().any(|warning| warning.contains(name)), "{what}");
            is_whole(&sim, &what);
            let (_, report) = Log::open_on(sim.storage(), small()).unwrap();
            assert_eq!(report.index_damage, [], "{what}: made anew");
        }
    }
}

const INDEX_HEADER_BYTES: usize = 384;

fn number(file: &[u8], at: usize) -> usize {
    u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize
}

/// Where a section of an index file begins.
fn start_of(file: &[u8], section: usize) -> usize {
    number(file, 80 + section * 24)
}

/// The first byte of each section of an index file, its last one, and the last of the zeros after it, where it
/// has such.
fn of_sections(file: &[u8]) -> Vec<(usize, usize)> {
    let sections = (0..12).map(|section| (section, start_of(file, section), number(file, 88 + section * 24)));
    let ends = |(section, start, length): (usize, usize, usize)| {
        let end = start + length.next_multiple_of(64);
        [start, start + length.saturating_sub(1), end - 1]
            .map(|at| (section, at))
            .into_iter()
            .filter(move |_| length > 0)
    };
    sections.flat_map(ends).collect()
}

/// Every section holds something in one of the two files, and is damaged in both.
#[test]
fn a_flipped_byte_in_any_section_is_found_and_the_file_is_made_anew_and_answers_are_right() {
    let (whole, model) = written();
    let files: Vec<_> = whole.names().into_iter().filter(|name| name.ends_with(".idx")).collect();
    assert_eq!(files.len(), 2, "one of several segments and one of one");
    let mut sections = std::collections::BTreeSet::new();
    for name in &files {
        for (section, at) in of_sections(&whole.bytes(name)) {
            sections.insert(section);
            let what = format!("{name}, section {section}, byte {at}");
            let sim = whole.copy();
            let mut bytes = whole.bytes(name);
            bytes[at] ^= 0x10;
            sim.put(name, bytes);
            let found = verify_on(&*sim.storage()).unwrap().index_damage;
            assert_eq!(found.iter().map(|damage| &*damage.file).collect::<Vec<_>>(), [name], "{what}");
            let of_section = format!("from byte {}, does not match", start_of(&whole.bytes(name), section));
            assert!(found[0].reason.ends_with(&of_section), "{what}: {}", found[0]);
            let (log, report) = Log::open_on(sim.storage(), options(1)).unwrap();
            assert_eq!((report.damage, report.torn), (None, None), "{what}");
            let maintenance = log.maintenance();
            let told: Vec<_> = report.index_damage.iter().map(|damage| &*damage.file).collect();
            assert_eq!(told, [name], "{what}");
            assert_eq!((maintenance.unsealed, maintenance.trouble), (0, None), "{what}");
            answers_as(&log, &model);
            drop(log);
            assert_eq!(verify_on(&*sim.storage()).unwrap().index_damage, [], "{what}");
            let (log, report) = Log::open_on(sim.storage(), options(1)).unwrap();
            assert_eq!(report.index_damage, [], "{what}");
            answers_as(&log, &model);
        }
    }
    assert_eq!(sections.len(), 12, "{sections:?}");
}

/// As above, where streams go on in segments that are not sealed.
#[test]
fn a_flipped_byte_in_any_section_is_no_damage_of_the_log() {
    let (whole, files) = sealed();
    for name in &files {
        for (section, at) in of_sections(&whole.bytes(name)).into_iter().step_by(2) {
            let sim = whole.copy();
            let mut bytes = whole.bytes(name);
            bytes[at] ^= 0x10;
            sim.put(name, bytes);
            let (log, _) = Log::open_on(sim.storage(), small()).unwrap();
            is_all_there(&log);
            drop(log);
            is_whole(&sim, &format!("{name}, section {section}, byte {at}"));
        }
    }
}

#[test]
fn what_is_damaged_is_made_anew_by_a_thread_of_its_own_too() {
    let (whole, model) = written();
    for name in whole.names().into_iter().filter(|name| name.ends_with(".idx")) {
        let places = of_sections(&whole.bytes(&name)).into_iter().step_by(4);
        for (_, at) in places {
            let sim = whole.copy();
            let mut bytes = whole.bytes(&name);
            bytes[at] ^= 0x10;
            sim.put(&name, bytes);
            let options = Options { background: true, ..options(1) };
            let (log, _) = Log::open_on(sim.storage(), options).unwrap();
            let is_done = (0..30_000).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(1));
                log.maintenance().unsealed == 0
            });
            assert!(is_done, "{name}, byte {at}: {:?}", log.maintenance());
            answers_as(&log, &model);
            drop(log);
            assert_eq!(verify_on(&*sim.storage()).unwrap().index_damage, [], "{name}, byte {at}");
        }
    }
}

#[test]
fn a_flipped_byte_in_the_header_of_an_index_file_leaves_it_unused() {
    let (whole, model) = written();
    for name in whole.names().into_iter().filter(|name| name.ends_with(".idx")) {
        for at in (0..INDEX_HEADER_BYTES).step_by(7) {
            let sim = whole.copy();
            let mut bytes = whole.bytes(&name);
            bytes[at] ^= 0x10;
            sim.put(&name, bytes);
            let found = verify_on(&*sim.storage()).unwrap().index_damage;
            assert_eq!(found.iter().map(|damage| &*damage.file).collect::<Vec<_>>(), [&name], "byte {at}");
            let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
            answers_as(&log, &model);
            drop(log);
            assert_eq!(verify_on(&*sim.storage()).unwrap().index_damage, [], "byte {at}");
        }
    }
}

/// With every checksum made right, of the header and of the section of the segments.
fn forged(file: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = file.to_vec();
    bytes[at] ^= 1;
    let end = u64::from_le_bytes(bytes[104..112].try_into().unwrap()) as usize;
    let checksum = crc32fast::hash(&bytes[INDEX_HEADER_BYTES..end]);
    bytes[96..100].copy_from_slice(&checksum.to_le_bytes());
    factum_log::fuzzing::mend_index_file(&mut bytes);
    bytes
}

#[test]
fn an_index_file_of_another_log_or_a_later_generation_or_other_segments_is_not_used() {
    let (whole, model) = written();
    let (log, generation) = (16, 33);
    let [ordinal, salt, sequence, position, end] = [0, 4, 8, 16, 24].map(|at| INDEX_HEADER_BYTES + at);
    for name in whole.names().into_iter().filter(|name| name.ends_with(".idx")) {
        for at in [log, generation, ordinal, salt, sequence, position, end] {
            let sim = whole.copy();
            sim.put(&name, forged(&whole.bytes(&name), at));
            let (log, report) = Log::open_on(sim.storage(), options(1)).unwrap();
            assert_eq!(report.index_damage, [], "its bytes are right: {name}, byte {at}");
            answers_as(&log, &model);
            drop(log);
            assert_eq!(sim.bytes(&name), whole.bytes(&name), "made anew: {name}, byte {at}");
        }
    }
}

#[test]
fn an_index_file_that_covers_other_commits_than_its_name_says_is_not_used() {
    let (whole, model) = written();
    let name = "00000000000000000001-00000000000000000008.idx";
    let sim = whole.copy();
    sim.take_away(name);
    let other = name.replace("8.idx", "7.idx");
    sim.put(&other, whole.bytes(name));
    assert_eq!(verify_on(&*sim.storage()).unwrap().index_damage[0].file, other);
    let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    answers_as(&log, &model);
    drop(log);
    assert_eq!(sim.names(), whole.names());
}
