//! What each target does with its bytes. `tests/it/corpus.rs` replays the corpus through the same functions.
//!
//! The first byte of an input says how the rest is taken: with [`MENDED`], checksums are made right before
//! anything is read, so that what they would have caught gets further in.

mod memory;

use factum_event::{
    CommandId, CommandName, CommandPayload, CommandRecord, Condition, EventType, Metadata, NewCommit,
    NewEvent, Outcome, Query, Sequence, StreamName, Timestamp,
};
use factum_log::{Log, OpenError, Options, fuzzing, inspect_on, verify_on};
use factum_store::{Append, Clock, Entropy, ReadOptions, Store, block_on};
use memory::Memory;
use std::{ops::ControlFlow, sync::Arc};

/// The bit of the first byte that asks for right checksums.
pub const MENDED: u8 = 1;
/// The bit of the first byte that leaves `head` out, where a target makes it.
pub const HEADLESS: u8 = 2;

const FIRST: &str = "00000000000000000001.seg";

/// A frame or footer: flags, salt 4, then its bytes.
pub fn frame(input: &[u8]) {
    let Some((&[flags, a, b, c, d], bytes)) = input.split_first_chunk() else { return };
    let salt = u32::from_le_bytes([a, b, c, d]);
    if flags & MENDED == 0 {
        fuzzing::frame(salt, bytes);
        return;
    }
    let mut bytes = bytes.to_vec();
    fuzzing::mend_frame(salt, &mut bytes);
    fuzzing::frame(salt, &bytes);
}

/// The only segment of a log: flags, then the whole file. With right checksums it gets the log's identity too.
pub fn segment(input: &[u8]) {
    let Some((flags, bytes)) = input.split_first() else { return };
    let memory = Memory::default();
    drop(Log::open_on(Arc::new(memory.clone()), options()).expect("an empty log is made"));
    let mut bytes = bytes.to_vec();
    if flags & MENDED != 0 {
        let identity = memory.bytes("meta")[16..36].to_vec();
        if let Some(own) = bytes.get_mut(16..36) {
            own.copy_from_slice(&identity);
        }
        fuzzing::mend_segment(&mut bytes);
    }
    if flags & HEADLESS != 0 {
        memory.put("head", Vec::new());
    }
    memory.put(FIRST, bytes);
    opens(&memory);
}

/// An index file: flags, then the whole file.
pub fn index_file(input: &[u8]) {
    let Some((flags, bytes)) = input.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if flags & MENDED != 0 {
        fuzzing::mend_index_file(&mut bytes);
    }
    fuzzing::index_file(&bytes);
}

/// Any files: flags, then for each a kind, two numbers that its name is made of, 8 each, its length 4, its bytes.
pub fn directory(input: &[u8]) {
    let Some((flags, mut rest)) = input.split_first() else { return };
    let memory = Memory::default();
    while let Some((head, after)) = rest.split_first_chunk::<21>() {
        let number = |at: usize| u64::from_le_bytes(*head[at..].first_chunk().expect("eight bytes"));
        let length = u32::from_le_bytes(*head[17..].first_chunk().expect("four bytes")) as usize;
        let (bytes, next) = after.split_at(length.min(after.len()));
        rest = next;
        let (name, mut bytes) = (name(head[0], number(1), number(9)), bytes.to_vec());
        if flags & MENDED != 0 {
            mend(&name, &mut bytes);
        }
        memory.put(&name, bytes);
    }
    opens(&memory);
}

/// The input for [`directory`] that these files make.
pub fn packed(flags: u8, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut input = vec![flags];
    for (name, bytes) in files {
        let (kind, numbers) = kind(name);
        input.push(kind);
        numbers.iter().for_each(|number| input.extend_from_slice(&number.to_le_bytes()));
        input.extend_from_slice(&u32::try_from(bytes.len()).expect("a short file").to_le_bytes());
        input.extend_from_slice(bytes);
    }
    input
}

fn name(kind: u8, first: u64, last: u64) -> String {
    match kind % 5 {
        0 => "meta".to_owned(),
        1 => "head".to_owned(),
        2 => "meta.next".to_owned(),
        3 => format!("{first:020}.seg"),
        _ => format!("{first:020}-{last:020}.idx"),
    }
}

fn kind(name: &str) -> (u8, [u64; 2]) {
    let number = |digits: Option<&str>| digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    match name {
        "meta" => (0, [0; 2]),
        "head" => (1, [0; 2]),
        "meta.next" => (2, [0; 2]),
        segment if segment.ends_with(".seg") => (3, [number(segment.get(..20)), 0]),
        index => (4, [number(index.get(..20)), number(index.get(21..41))]),
    }
}

fn mend(name: &str, bytes: &mut [u8]) {
    match name {
        "meta" | "meta.next" => fuzzing::mend_file(bytes, 48),
        "head" => bytes.chunks_mut(512).for_each(|slot| fuzzing::mend_file(slot, 64)),
        segment if segment.ends_with(".seg") => fuzzing::mend_segment(bytes),
        _ => fuzzing::mend_index_file(bytes),
    }
}

/// Opens a directory of anything: no panic, no end of time, and what opened is whole, is read, and is written on.
fn opens(memory: &Memory) {
    let storage = || Arc::new(memory.clone());
    let before = memory.files();
    let _ = inspect_on(memory);
    let verified = verify_on(memory);
    if let Ok((log, _)) = Log::open_read_only_on(storage(), options())
        && !reads(&log)
    {
        assert!(verified.is_err(), "what cannot be read is not whole");
    }
    assert_eq!(memory.files(), before, "looking changes nothing");
    let Ok((log, report)) = Log::open_on(storage(), options()) else {
        assert_eq!(memory.files_but_new(&before), before, "a log that is refused is left as it is");
        return;
    };
    assert_eq!(report.damage, None);
    let is_whole = reads(&log);
    let sequence = log.published().sequence;
    let stored = log.append(vec![one_more()]).pop().expect("one verdict for one commit");
    drop(log);
    if is_whole {
        verifies(memory);
    } else {
        assert!(matches!(verify_on(memory), Err(OpenError::Damaged { .. })), "it cannot be read");
    }
    let (log, report) = Log::open_on(storage(), options()).expect("what was opened opens again");
    assert_eq!(report.torn, None);
    let due = if stored.is_ok() { sequence.next() } else { sequence };
    assert_eq!(log.published().sequence, due);
}

/// Reads all that an open log holds. False if it cannot: what is sealed is not read when a log is opened.
fn reads(log: &Log) -> bool {
    let head = log.published();
    let (mut commits, mut events) = (0, 0);
    let scanned = log.scan(Sequence::START, |commit| {
        commits += 1;
        events += commit.events().count() as u64;
        ControlFlow::Continue(())
    });
    if scanned.is_ok() {
        assert_eq!((events, commits), (head.position.get(), head.sequence.get()));
    }
    for backwards in [false, true] {
        let page = block_on(log.read(&Query::All, ReadOptions { backwards, ..ReadOptions::default() }));
        for event in page.iter().flat_map(|page| &page.events) {
            let _ = block_on(log.event(event.id));
            let _ = block_on(log.revision(&event.stream, head.position));
        }
    }
    if let Ok(page) = block_on(log.commits(Sequence::START, usize::MAX)) {
        for commit in &page.commits {
            let _ = block_on(log.commits_of(commit.header.command_id));
        }
    }
    scanned.is_ok()
}

/// What verification alone finds, where right checksums stand over nonsense: a field that nobody can read, a
/// command that is decided twice, progress that does not grow, and in what is sealed any other commit or time.
const NONSENSE: [&str; 9] = [
    "contradict each other",
    "decides command",
    "does not grow",
    "is due",
    "; due is",
    "the root of the tree differs",
    "the chain differs",
    "names another end",
    "was recorded before the one it follows",
];

/// Sees that a log that opened verifies.
fn verifies(memory: &Memory) {
    match verify_on(memory) {
        Ok(verified) => assert_eq!(verified.torn, None),
        Err(OpenError::Damaged { reason, .. }) if NONSENSE.iter().any(|known| reason.contains(known)) => {}
        Err(error) => panic!("a log that opened does not verify: {error}"),
    }
}

fn one_more() -> Append {
    let command = CommandRecord {
        id: CommandId::from_mixed(*b"one more command"),
        name: CommandName::new("fuzz.add").expect("a name"),
        payload: CommandPayload::None,
        issued_at: Timestamp::EPOCH,
        metadata: Metadata::default(),
    };
    let stream = StreamName::new("more-1").expect("a name");
    let event = NewEvent::json(stream, EventType::new("fuzz.added").expect("a name"), b"{}".to_vec());
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: vec![event] };
    Append { commit, condition: Condition::none() }
}

fn options() -> Options {
    let (clock, entropy) = (Arc::new(Still), Arc::new(Still));
    Options { segment_bytes: 4096, background: false, clock, entropy, ..Options::default() }
}

/// Time that stands, and bytes that are always the same.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}
