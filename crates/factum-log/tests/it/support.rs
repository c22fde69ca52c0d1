//! Seeded choices and bytes, and short ways to say a commit.

use factum_event::{
    CommandId, CommandName, CommandPayload, CommandRecord, Condition, EventType, Metadata, NewCommit,
    NewEvent, Outcome, Sequence, StreamName, Tag, Timestamp,
};
use factum_log::{Log, Options};
use factum_store::{Append, Entropy, Verdict};
use factum_testkit::VirtualClock;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// Once in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Random bytes that follow from a seed, one draw a byte. The fixture of format v1 is made of them: another
/// way to draw would write other files.
#[derive(Debug)]
pub(crate) struct SeededEntropy(Mutex<Rng>);

impl SeededEntropy {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Rng(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut rng = self.0.lock().unwrap();
        for byte in bytes {
            *byte = rng.next().to_le_bytes()[0];
        }
    }
}

/// Seeded, on a clock that stands still.
pub(crate) fn options(seed: u64) -> Options {
    let (clock, entropy) = (Arc::new(VirtualClock::default()), Arc::new(SeededEntropy::new(seed)));
    Options { clock, entropy, background: false, ..Options::default() }
}

pub(crate) fn command(id: u128) -> CommandRecord {
    CommandRecord {
        id: CommandId::new(Uuid::from_u128(id)),
        name: CommandName::new("test.do").unwrap(),
        payload: CommandPayload::None,
        issued_at: Timestamp::from_micros(5),
        metadata: Metadata::default(),
    }
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

pub(crate) fn event(to: &str, tag: &str, payload: &str) -> NewEvent {
    let event_type = EventType::new("test.done").unwrap();
    NewEvent::json(stream(to), event_type, payload.as_bytes().to_vec()).tag(Tag::new(tag).unwrap())
}

/// One event, in stream `a-<n % 3>`, by a command with this number.
pub(crate) fn simple(n: u64) -> Append {
    let commit = NewCommit {
        command: command(u128::from(n) << 64 | 7),
        outcome: Outcome::Succeeded,
        events: vec![event(&format!("a-{}", n % 3), &format!("n:{n}"), &format!("{{\"n\":{n}}}"))],
    };
    Append { commit, condition: Condition::none() }
}

pub(crate) fn store(log: &Log, n: u64) -> Verdict {
    log.append(vec![simple(n)]).pop().unwrap()
}

/// The numbers of the commits that [`simple`] made, in order.
pub(crate) fn numbers(log: &Log) -> Vec<u64> {
    let mut numbers = Vec::new();
    log.scan(Sequence::START, |commit| {
        numbers.push(u64::try_from(commit.command_id().get().as_u128() >> 64).unwrap());
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    numbers
}
