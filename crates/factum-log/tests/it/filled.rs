//! A process that dies, or a disk that fails, while another thread fills the next segment, or while that is taken
//! over. Who comes first follows from no seed here; whoever does, nothing may be lost.

use crate::{
    ledger::Ledger,
    sim::{Crash, Fault, Operation, Side, Sim},
    support::{Rng, event, options, simple},
};
use factum_log::{Log, Options, verify_on};
use factum_store::Append;
use factum_testkit::soak;
use std::{io, thread};

fn filling(seed: u64) -> Options {
    Options { segment_bytes: 8 * 1024 * 1024, room_ahead: true, background: true, ..options(seed) }
}

fn large(rng: &mut Rng, n: u64) -> Append {
    let mut append = simple(n);
    let payload = "x".repeat(1000 * (1 + rng.below(700)));
    append.commit.events = vec![event("a-1", "large", &payload)];
    append
}

/// Something that goes wrong with the file that is filled, or as it gets its name.
fn fault(rng: &mut Rng) -> Fault {
    let operations =
        [Operation::Write, Operation::Sync, Operation::Rename, Operation::Create, Operation::Remove];
    let operation = operations[rng.below(operations.len())];
    Fault {
        name: if operation == Operation::Rename { ".seg" } else { "next" },
        after: rng.below(40),
        error: if rng.one_in(2) { io::ErrorKind::StorageFull } else { io::ErrorKind::Other },
        written: rng.below(300_000),
        ..Fault::once(operation)
    }
}

fn run(seed: u64) {
    let (mut rng, sim, mut ledger) = (Rng(seed), Sim::default(), Ledger::default());
    for life in 0..3 {
        let (log, _) = Log::open_on(sim.storage(), filling(seed)).unwrap();
        ledger.check(&log);
        if rng.one_in(2) {
            sim.fail(fault(&mut rng));
        }
        if rng.one_in(2) {
            sim.die_at(sim.steps().len() + rng.below(250), [Side::Before, Side::After][rng.below(2)]);
        }
        for n in 0..25 + rng.below(25) as u64 {
            ledger.append(&log, vec![large(&mut rng, 100 * life + n)]);
            (0..rng.below(60)).for_each(|_| thread::yield_now());
        }
        match rng.below(4) {
            0 => sim.crash(Crash::Process),
            1 => sim.crash(Crash::Power),
            2 => sim.crash(Crash::PowerAnyOrder(rng.clone())),
            _ => {
                drop(log);
                sim.crash(Crash::Power);
                continue;
            }
        }
        drop(log);
    }
    let (log, _) = Log::open_on(sim.storage(), options(seed)).unwrap();
    ledger.check(&log);
    drop(log);
    assert!(!sim.names().iter().any(|name| name == "next"), "what was not taken over is removed");
    verify_on(&*sim.storage()).unwrap();
}

#[test]
fn soak_deaths_while_the_next_segment_is_filled_lose_nothing() {
    soak(0, 3, run);
}
