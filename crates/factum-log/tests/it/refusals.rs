//! Every single operation on the disk fails once, or finds no room, or fails for a while. Nothing is lost by it,
//! nothing is there that was refused, and all of it is stored in the end.

use crate::{
    script::{Player, script, small},
    sim::{Crash, Fault, Operation, Sim},
    support::Rng,
};
use factum_log::{Log, verify_on};
use std::{io, ops::Range};

/// With room ahead of the frames, and without.
const SEEDS: [u64; 2] = [1, 2];

/// Plays the script to its end, however often it takes, while these operations fail so; then ends it by a crash.
/// How many commits it stored.
fn played(seed: u64, steps: Range<usize>, fault: Fault, crash: Crash) -> usize {
    let sim = Sim::default();
    sim.fail_at(steps, fault);
    let mut player = Player::new(&sim, seed, true);
    player.play(&script());
    let seen = player.check();
    sim.crash(crash);
    player.log = None;
    let (log, _) = Log::open_on(sim.storage(), small(2)).unwrap();
    assert_eq!(player.ledger.check(&log), seen);
    drop(log);
    verify_on(&*sim.storage()).unwrap();
    seen.len()
}

fn undisturbed(seed: u64) -> (Vec<Operation>, usize) {
    let sim = Sim::default();
    let mut player = Player::new(&sim, seed, true);
    player.play(&script());
    let stored = player.check().len();
    (sim.steps(), stored)
}

#[test]
fn an_error_of_any_operation_loses_nothing_and_all_is_stored_after_it() {
    for seed in SEEDS {
        let (steps, stored) = undisturbed(seed);
        for (step, operation) in steps.iter().enumerate() {
            for (written, drops) in [(0, true), (70, false)] {
                let fault = Fault { written, drops, ..Fault::always(*operation) };
                let crash = if drops { Crash::Power } else { Crash::PowerAnyOrder(Rng(step as u64)) };
                assert_eq!(played(seed, step..step + 1, fault, crash), stored, "{operation:?} at {step}");
            }
        }
    }
}

#[test]
fn a_disk_full_at_any_write_refuses_and_works_again_when_there_is_room() {
    let takes_room =
        |operation: &Operation| matches!(operation, Operation::Write | Operation::Create | Operation::Rename);
    let mut runs = 0;
    for seed in SEEDS {
        let (steps, stored) = undisturbed(seed);
        for (step, operation) in steps.iter().enumerate().filter(|(_, operation)| takes_room(operation)) {
            for (times, written) in [(1, 0), (1, 200), (5, 90)] {
                let fault = Fault { error: io::ErrorKind::StorageFull, written, ..Fault::always(*operation) };
                let all = played(seed, step..step + times, fault, Crash::Power);
                assert_eq!(all, stored, "{operation:?} at {step}");
                runs += 1;
            }
        }
    }
    assert!(runs > 400, "{runs} runs");
}
