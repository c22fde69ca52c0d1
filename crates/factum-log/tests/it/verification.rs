//! What verification finds: in sealed segments, in their footers, in index files.

use crate::{
    sealing::{FOOTER_BYTES, files, open, written},
    sim::Sim,
    support::simple,
};
use factum_event::Sequence;
use factum_log::{OpenError, verify_on};

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
            let named: Vec<_> = verified.index_damage.iter().map(|damage| damage.segment.as_str()).collect();
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
            append.commit.events[0].tags.push(factum_event::Tag::unchecked("n:9"));
        }
        log.append(vec![append])[0].as_ref().unwrap();
    }
    drop(log);
    let file = &files(&whole, ".idx")[0];
    whole.put(file, other.bytes(file));
    let verified = verify_on(&*whole.storage()).unwrap();
    assert_eq!(verified.index_damage.len(), 1);
    assert_eq!(verified.index_damage[0].segment, *file);
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
