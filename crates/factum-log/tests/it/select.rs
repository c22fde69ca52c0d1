//! Selections are shown as pages join to, from maps and from reads, beside a writer and over damage.

use crate::{
    sim::Sim,
    support::{Rng, command, event, options, simple, store},
};
use factum_event::{
    Category, Codec, Condition, EventId, EventType, NewCommit, NewEvent, Outcome, Position, Query, QueryItem,
    RecordedEvent, Sequence, StreamName, Tag, Timestamp,
};
use factum_log::{EventView, Log, Options};
use factum_store::{Append, ReadOptions, Store, StoreError, block_on};
use std::{fs, ops::ControlFlow, path::Path, sync::Arc, thread};
use uuid::Uuid;

const ALL: ReadOptions =
    ReadOptions { after: Position::START, up_to: None, backwards: false, limit: usize::MAX };

/// One log kept in memory, which is read, and one in files, which are mapped. Small segments, so that there
/// are many.
fn logs(seed: u64, dir: &Path) -> [Log; 2] {
    let options = || Options { segment_bytes: 6_000, ..options(seed) };
    let sim = Sim::default();
    [Log::open_on(sim.storage(), options()).unwrap().0, Log::open(dir, options()).unwrap().0]
}

fn streams(rng: &mut Rng) -> StreamName {
    StreamName::unchecked(["cart-1", "cart-2", "cart", "käse-1"][rng.below(4)])
}

fn types(rng: &mut Rng) -> EventType {
    EventType::unchecked(["a.one", "a.two", "b.one"][rng.below(3)])
}

fn tags(rng: &mut Rng) -> Tag {
    Tag::unchecked(["t:1", "t:2", "größe:3", "u:1"][rng.below(4)])
}

fn random_event(rng: &mut Rng) -> NewEvent {
    NewEvent {
        id: rng.one_in(5).then(|| EventId::new(Uuid::from_u128(u128::from(rng.next())))),
        stream: streams(rng),
        event_type: types(rng),
        version: 1,
        codec: Codec(u16::try_from(rng.below(3)).unwrap()),
        tags: (0..rng.below(4)).map(|_| tags(rng)).collect(),
        payload: vec![b'x'; rng.below(600)].into(),
        effective_at: rng.one_in(3).then(|| Timestamp::from_micros(-5)),
        corrects: rng.one_in(9).then(|| EventId::new(Uuid::from_u128(9))),
    }
}

fn random_query(rng: &mut Rng) -> Query {
    let item = |rng: &mut Rng| {
        let mut item = QueryItem::default();
        match rng.below(4) {
            0 => item = item.stream(streams(rng)),
            1 => item = item.category(Category::unchecked(["cart", "käse"][rng.below(2)])),
            _ => {}
        }
        if rng.one_in(2) {
            item.types = (0..=rng.below(2)).map(|_| types(rng)).collect();
        }
        item.tags = (0..rng.below(3)).map(|_| tags(rng)).collect();
        item
    };
    if rng.one_in(5) { Query::All } else { Query::Items((0..=rng.below(3)).map(|_| item(rng)).collect()) }
}

/// The view and the event say the same, as far as a view says it.
fn assert_same(view: &EventView<'_>, event: &RecordedEvent) {
    assert_eq!((view.position, view.revision), (event.position, event.revision));
    assert_eq!((view.stream, view.event_type), (event.stream.as_str(), event.event_type.as_str()));
    assert_eq!((view.version, view.codec, view.payload), (event.version, event.codec, &event.payload[..]));
    assert_eq!(view.tags.clone().collect::<Vec<_>>(), event.tags.iter().map(Tag::as_str).collect::<Vec<_>>());
    assert_eq!(view.effective_at.unwrap_or(event.recorded_at()), event.effective_at);
    assert_eq!(view.corrects, event.corrects);
    assert!(view.explicit_id.is_none_or(|id| id == event.id));
}

fn joined(log: &Log, query: &Query, options: ReadOptions) -> Vec<RecordedEvent> {
    let (mut events, mut page_options) = (Vec::new(), ReadOptions { limit: 7, ..options });
    loop {
        let page = block_on(log.read(query, page_options)).unwrap();
        events.extend(page.events);
        match page.next {
            Some(next) if options.backwards => page_options.up_to = Some(next),
            Some(next) => page_options.after = next,
            None => break,
        }
    }
    events.truncate(options.limit.max(1));
    events
}

#[test]
fn a_selection_is_what_pages_join_to() {
    for seed in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let logs = logs(seed, dir.path());
        let mut rng = Rng(seed);
        for n in 0..150 {
            let events = (0..1 + rng.below(5)).map(|_| random_event(&mut rng)).collect();
            let commit = NewCommit { command: command(n << 64), outcome: Outcome::Succeeded, events };
            let append = Append { commit, condition: Condition::none() };
            let stored = logs.each_ref().map(|log| log.append(vec![append.clone()]).pop().unwrap().unwrap());
            assert_eq!(stored[0], stored[1]);
        }
        let head = logs[0].published();
        assert!(head.position.get() > 300, "more than one step");
        for round in 0..150 {
            let query = random_query(&mut rng);
            let place = |rng: &mut Rng| Position::new(rng.below(500) as u64);
            let options = ReadOptions {
                after: if rng.one_in(2) { Position::START } else { place(&mut rng) },
                up_to: rng.one_in(2).then(|| place(&mut rng)),
                backwards: rng.one_in(2),
                limit: [0, 1, 5, 256, 257, usize::MAX, usize::MAX][rng.below(7)],
            };
            let [read, mapped] = logs.each_ref().map(|log| joined(log, &query, options));
            assert_eq!(read, mapped, "seed {seed}, round {round}");
            for log in &logs {
                let mut due = read.iter();
                let at = log.select(&query, options, |view| {
                    assert_same(view, due.next().expect("nothing else is selected"));
                    ControlFlow::Continue(())
                });
                assert_eq!(at.unwrap(), head);
                assert_eq!(due.len(), 0, "seed {seed}, round {round}: all are selected");
            }
        }
    }
}

#[test]
fn a_selection_ends_where_the_visitor_says() {
    let dir = tempfile::tempdir().unwrap();
    let [log, _] = logs(1, dir.path());
    (0..5).for_each(|n| assert!(store(&log, n).is_ok()));
    let mut seen = Vec::new();
    let end = |view: &EventView<'_>| {
        seen.push(view.position.get());
        if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    log.select(&Query::All, ReadOptions { backwards: true, ..ALL }, end).unwrap();
    assert_eq!(seen, [5, 4, 3]);
}

#[test]
fn what_is_appended_by_the_visitor_is_not_selected_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    for log in logs(1, dir.path()) {
        assert!(log.append((0..600).map(simple).collect()).iter().all(Result::is_ok));
        let (before, mut seen) = (log.published(), 0);
        let head = log.select(&Query::All, ALL, |view| {
            seen += 1;
            assert_eq!(view.position.get(), seen);
            if seen % 100 == 1 {
                // An index that was locked for the visitor would be waited for here for ever.
                assert!(store(&log, 1000 + seen).is_ok());
            }
            ControlFlow::Continue(())
        });
        assert_eq!(head.unwrap(), before);
        assert_eq!(seen, before.position.get());
    }
}

/// What a selection of everything shows before it fails, and how it fails.
fn until_damage(log: &Log, query: &Query) -> (Vec<u64>, String) {
    let mut seen = Vec::new();
    let visit = |view: &EventView<'_>| {
        seen.push(view.position.get());
        ControlFlow::Continue(())
    };
    let damage: StoreError = log.select(query, ALL, visit).unwrap_err();
    (seen, damage.to_string())
}

/// Where `what` stands in `bytes`, once.
fn find(bytes: &[u8], what: &[u8]) -> usize {
    let mut found = bytes.windows(what.len()).enumerate().filter(|(_, window)| *window == what);
    let (at, _) = found.next().unwrap();
    assert!(found.next().is_none());
    at
}

/// Bytes from the start of an event made by [`simple`] to its payload.
const BEFORE_PAYLOAD: usize = 32 + "a-0".len() + "test.done".len() + 2 + "n:10".len();

#[test]
fn damage_is_told_where_it_is_met() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("00000000000000000001.seg");
    let sim = Sim::default();
    let (in_files, _) = Log::open(dir.path(), options(1)).unwrap();
    let (in_memory, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    let (mut damaged, payload) = (Vec::new(), b"{\"n\":10}");
    for log in [&in_files, &in_memory] {
        (0..20).for_each(|n| assert!(store(log, n).is_ok()));
        assert!(log.select(&Query::All, ALL, |_| ControlFlow::Continue(())).is_ok());
    }
    damaged.extend(fs::read(&path).unwrap());
    let at = find(&damaged, payload);
    damaged[at + 5] ^= 1;
    // Without cutting it: the map of the file is held.
    let file = fs::File::options().write(true).open(&path).unwrap();
    std::io::Write::write_all(&mut &file, &damaged).unwrap();
    sim.put("00000000000000000001.seg", damaged);
    for log in [&in_files, &in_memory] {
        let (seen, damage) = until_damage(log, &Query::All);
        assert_eq!(seen, (1..=10).collect::<Vec<_>>());
        let offset = at - BEFORE_PAYLOAD;
        let told = format!("00000000000000000001.seg is damaged at byte {offset}: the checksum of the event");
        assert!(damage.contains(&told), "{damage}");
        let page = block_on(log.read(&Query::All, ReadOptions::default())).unwrap_err();
        assert!(page.to_string().contains(&told), "{page}");
        let others = Query::from(QueryItem::default().tag(Tag::new("n:11").unwrap()));
        assert!(log.select(&others, ALL, |_| ControlFlow::Continue(())).is_ok(), "an event stands alone");
        let scanned = log.scan(Sequence::START, |_| ControlFlow::Continue(())).unwrap_err();
        assert!(scanned.to_string().contains("00000000000000000001.seg is damaged at byte"), "{scanned}");
    }
}

#[test]
fn a_segment_that_was_cut_is_told_and_not_touched_beyond_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), options(1)).unwrap();
    assert!(log.append((0..200).map(simple).collect()).iter().all(Result::is_ok));
    let file = fs::File::options().write(true).open(dir.path().join("00000000000000000001.seg")).unwrap();
    file.set_len(9_000).unwrap();
    let (_, damage) = until_damage(&log, &Query::All);
    let told = "is damaged at byte 9000: the segment ends before the last commit in it";
    assert!(damage.contains(told), "{damage}");
    let scanned = log.scan(Sequence::START, |_| ControlFlow::Continue(())).unwrap_err();
    assert!(scanned.to_string().contains("00000000000000000001.seg is damaged at byte"), "{scanned}");
}

#[test]
fn what_a_growing_segment_takes_is_shown_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), options(1)).unwrap();
    let mut rng = Rng(7);
    for n in 1..=60 {
        let mut append = simple(n);
        append.commit.events[0].payload = vec![b'p'; rng.below(100_000)].into();
        let length = append.commit.events[0].payload.len();
        log.append(vec![append]).pop().unwrap().unwrap();
        let mut last = None;
        let newest = ReadOptions { backwards: true, limit: 1, ..ALL };
        let head = log.select(&Query::All, newest, |view| {
            last = Some((view.position.get(), view.payload.len()));
            ControlFlow::Continue(())
        });
        assert_eq!(head.unwrap().position.get(), n);
        assert_eq!(last, Some((n, length)));
    }
}

#[test]
fn a_reader_beside_a_writer_sees_whole_commits_up_to_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), Options { segment_bytes: 60_000, ..options(1) }).unwrap();
    let log = Arc::new(log);
    let writing = Arc::clone(&log);
    let writer = thread::spawn(move || {
        for n in 0..300 {
            let mut append = simple(n);
            let three = (0..3).map(|part| event(&format!("a-{part}"), "x", &"y".repeat(part * 100)));
            append.commit.events = three.collect();
            writing.append(vec![append]).pop().unwrap().unwrap();
        }
    });
    while log.published().sequence.get() < 300 {
        let before = log.published();
        for (query, share) in
            [(Query::All, 1), (Query::from(QueryItem::default().stream(StreamName::unchecked("a-1"))), 3)]
        {
            let (mut seen, mut last) = (0, 0);
            let head = log.select(&query, ALL, |view| {
                seen += 1;
                last = view.position.get();
                ControlFlow::Continue(())
            });
            let head = head.unwrap();
            assert!(before.position <= head.position && last <= head.position.get());
            assert_eq!(seen * share, head.position.get());
            assert_eq!(head.position.get(), head.sequence.get() * 3);
        }
    }
    writer.join().unwrap();
}
