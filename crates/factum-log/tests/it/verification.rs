//! What verification finds: in sealed segments, in their footers, in index files.

use crate::{
    sealing::{FOOTER_BYTES, files, open, written},
    sim::Sim,
    support::{options, simple},
};
use factum_event::{
    CommandId, Condition, CorrelationId, EventId, EventType, Sequence, Source, StreamName, Tag, Tracking,
};
use factum_log::{Log, OpenError, Options, verify_on};
use factum_store::Append;
use uuid::Uuid;

#[test]
fn a_changed_byte_in_a_sealed_segment_or_its_footer_is_found_and_named() {
    let whole = written(9);
    let segments = whole.segments();
    for segment in &segments[..segments.len() - 1] {
        for at in 0..whole.bytes(segment).len() {
            let sim = whole.copy();
            let mut bytes = whole.bytes(segment);
            bytes[at] ^= 1;
            sim.put(segment, bytes);
            match verify_on(&*sim.storage()) {
                Err(OpenError::Damaged { segment: named, .. }) => assert_eq!(named, *segment, "byte {at}"),
                other => panic!("{segment}, byte {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_changed_byte_in_an_index_file_is_found_and_named_and_the_log_is_whole() {
    let whole = written(30);
    for file in files(&whole, ".idx") {
        for at in 0..whole.bytes(&file).len() {
            let sim = whole.copy();
            let mut bytes = whole.bytes(&file);
            bytes[at] ^= 0x40;
            sim.put(&file, bytes);
            let verified = verify_on(&*sim.storage()).unwrap();
            let named: Vec<_> = verified.index_damage.iter().map(|damage| damage.file.as_str()).collect();
            assert_eq!(named, [&file], "byte {at}");
        }
    }
}

#[test]
fn an_index_file_that_is_whole_and_says_something_else_is_found() {
    let whole = written(30);
    let other = Sim::default();
    let (log, _) = open(&other);
    for n in 1..=30 {
        let mut append = simple(n);
        if n == 3 {
            append.commit.events[0].tags.clear();
            append.commit.events[0].tags.push(Tag::unchecked("n:9"));
        }
        log.append(vec![append])[0].as_ref().unwrap();
    }
    drop(log);
    let file = &files(&whole, ".idx")[0];
    whole.put(file, other.bytes(file));
    let verified = verify_on(&*whole.storage()).unwrap();
    assert_eq!(verified.index_damage.len(), 1);
    assert_eq!(verified.index_damage[0].file, *file);
}

#[test]
fn frames_that_were_forged_with_their_checksums_have_another_root() {
    let whole = written(9);
    let forged = Sim::default();
    let (log, _) = open(&forged);
    for n in 1..=9 {
        let mut append = simple(n);
        if n == 2 {
            append.commit.events[0].payload = b"{\"n\":7}".to_vec().into();
        }
        log.append(vec![append])[0].as_ref().unwrap();
    }
    drop(log);
    let segments = whole.segments();
    let segment = segments.iter().find(|segment| whole.bytes(segment) != forged.bytes(segment)).unwrap();
    let (mut bytes, footer) = (forged.bytes(segment), whole.bytes(segment));
    let frames = bytes.len() - FOOTER_BYTES;
    bytes[frames..].copy_from_slice(&footer[frames..]);
    let sim = whole.copy();
    sim.put(segment, bytes);
    match verify_on(&*sim.storage()) {
        Err(OpenError::Damaged { segment: named, reason, .. }) => {
            assert_eq!(named, *segment);
            assert!(reason.contains("root"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    // With its own footer the root is right, and the chain of the next one is not.
    whole.put(segment, forged.bytes(segment));
    match verify_on(&*whole.storage()) {
        Err(OpenError::Damaged { segment: named, reason, .. }) => {
            assert!(named > *segment && reason.contains("chain"), "{named}: {reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_digest_names_what_the_sealed_segments_hold() {
    let (one, same, longer) = (written(9), written(9), written(11));
    let digest = |sim: &Sim| verify_on(&*sim.storage()).unwrap().digest.unwrap();
    assert_eq!(digest(&one), digest(&same));
    assert_ne!(digest(&one).chain, digest(&longer).chain);
    assert_eq!(digest(&one).reaches.sequence, Sequence::new(8));
    assert_eq!(verify_on(&*written(1).storage()).unwrap().digest, None);
}

#[test]
fn a_footer_that_says_something_else_than_its_frames_is_found() {
    let whole = written(9);
    let segment = &whole.segments()[1];
    let salt = u32::from_le_bytes(whole.bytes(segment)[56..60].try_into().unwrap());
    for at in [16, 24, 32] {
        let (sim, mut bytes) = (whole.copy(), whole.bytes(segment));
        let footer = bytes.len() - FOOTER_BYTES;
        bytes[footer + at] ^= 64;
        factum_log::fuzzing::mend_frame(salt, &mut bytes[footer..]);
        sim.put(segment, bytes);
        match verify_on(&*sim.storage()) {
            Err(OpenError::Damaged { segment: named, reason, .. }) => {
                assert_eq!(named, *segment);
                assert!(reason.contains("names another end"), "{reason}");
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

/// A log of five commits, each in a segment of its own, the third one changed.
fn with_third(change: impl Fn(&mut Append)) -> Sim {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 1, ..options(1) }).unwrap();
    for n in 1..=5 {
        let mut append = simple(n);
        append.commit.command.metadata.correlation = Some(CorrelationId::new(Uuid::from_u128(1)));
        append.commit.events[0].id = Some(EventId::new(Uuid::from_u128(u128::from(n))));
        let tracking = |source: &str| Tracking { source: Source::new(source).unwrap(), progress: n };
        append.condition = Condition::none().tracking(tracking("lane"));
        if n == 3 {
            change(&mut append);
        }
        log.append(vec![append])[0].as_ref().unwrap();
    }
    sim
}

type Change = (&'static str, fn(&mut Append));

/// Each with the segments of the log it is put into, so that nothing but what it says tells.
#[test]
fn whatever_else_an_index_file_says_is_found() {
    let changes: [Change; 13] = [
        ("another tag", |it| it.commit.events[0].tags = vec![Tag::unchecked("n:9")]),
        ("a tag more", |it| it.commit.events[0].tags.push(Tag::unchecked("more"))),
        ("a tag less", |it| it.commit.events[0].tags.clear()),
        ("another type", |it| it.commit.events[0].event_type = EventType::unchecked("test.dong")),
        ("another stream", |it| it.commit.events[0].stream = StreamName::unchecked("a-7")),
        ("another category", |it| it.commit.events[0].stream = StreamName::unchecked("b-0")),
        ("another id", |it| it.commit.events[0].id = Some(EventId::new(Uuid::from_u128(99)))),
        ("no id", |it| it.commit.events[0].id = None),
        ("another command", |it| it.commit.command.id = CommandId::new(Uuid::from_u128(98))),
        ("another correlation", |it| {
            it.commit.command.metadata.correlation = Some(CorrelationId::new(Uuid::from_u128(2)));
        }),
        ("another source", |it| {
            let source = Source::new("lanf").unwrap();
            it.condition = Condition::none().tracking(Tracking { source, progress: 3 });
        }),
        ("no progress", |it| it.condition = Condition::none()),
        ("an event more", |it| it.commit.events.push(crate::support::event("a-1", "n:3", "{}"))),
    ];
    let (whole, name) = (with_third(|_| {}), "00000000000000000003-00000000000000000003.idx");
    assert_eq!(verify_on(&*whole.storage()).unwrap().index_damage, []);
    let own = whole.bytes(name);
    for (what, change) in changes {
        let (sim, mut bytes) = (whole.copy(), with_third(change).bytes(name));
        bytes[96..100].copy_from_slice(&own[96..100]);
        bytes[384..448].copy_from_slice(&own[384..448]);
        factum_log::fuzzing::mend_index_file(&mut bytes);
        sim.put(name, bytes);
        let found = verify_on(&*sim.storage()).unwrap().index_damage;
        assert_eq!(found.iter().map(|damage| &*damage.file).collect::<Vec<_>>(), [name], "{what}");
        assert!(!found[0].reason.contains("other segments"), "{what}: {}", found[0].reason);
    }
}
