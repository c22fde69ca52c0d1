//! A process dies before and after every single operation on its disk, and again while it recovers. What it
//! acknowledged is there, to the byte; the rest is there whole or not at all.

use crate::{
    ledger::Ledger,
    script::{Player, script, sized, small},
    sim::{Crash, Operation, Side, Sim},
    support::Rng,
};
use factum_log::{Log, verify_on};
use std::collections::BTreeMap;

const SIDES: [Side; 2] = [Side::Before, Side::After];

/// The ways to die: with the page cache left behind, without anything unsynced, with some of it.
fn crash(kind: usize, seed: u64) -> Crash {
    match kind {
        0 => Crash::Process,
        1 => Crash::Power,
        _ => Crash::PowerAnyOrder(Rng(seed)),
    }
}

/// What the whole script asks of the disk, if nobody dies.
fn steps() -> Vec<Operation> {
    let sim = Sim::default();
    let mut player = Player::new(&sim, 1, false);
    player.play(&script());
    player.log = None;
    sim.steps()
}

/// Plays until the process dies, if it gets so far.
fn died(step: usize, side: Side) -> (Sim, Ledger) {
    let sim = Sim::default();
    sim.die_at(step, side);
    let mut player = Player::new(&sim, 1, false);
    player.play(&script());
    (sim, player.ledger)
}

/// Opens what a crash left, sees that all is right, stores one more, loses power, and sees that it was durable: what
/// is acknowledged, and what a reader has seen.
fn recovers(sim: &Sim, ledger: &Ledger) {
    let mut ledger = ledger.clone();
    let (log, report) = Log::open_on(sim.storage(), small(2)).unwrap();
    assert!(!report.watermark_lost);
    assert_eq!(report.index_damage, [], "no index file has its name before it is durable");
    let mut seen = ledger.check(&log);
    let more = sized(1001);
    seen.push(more.commit.command.id);
    ledger.append(&log, vec![more]).pop().unwrap().unwrap();
    sim.crash(Crash::Power);
    drop(log);
    let (log, report) = Log::open_on(sim.storage(), small(3)).unwrap();
    assert_eq!((ledger.check(&log), report.torn), (seen, None));
    drop(log);
    verify_on(&*sim.storage()).unwrap();
}

/// The process that recovers dies too, at each of its operations; the next one recovers. How many deaths.
fn dies_while_it_recovers(sim: &Sim, ledger: &Ledger, kind: usize, seed: u64, sides: &[Side]) -> usize {
    let whole = sim.fork();
    drop(Log::open_on(whole.storage(), small(2)).unwrap());
    let steps = whole.steps().len();
    for (step, side) in (0..steps).flat_map(|step| sides.iter().map(move |side| (step, *side))) {
        let sim = sim.fork();
        sim.die_at(step, side);
        drop(Log::open_on(sim.storage(), small(2)));
        sim.crash(crash(kind, seed.wrapping_add(step as u64)));
        recovers(&sim, ledger);
    }
    steps * sides.len()
}

#[test]
fn a_death_at_any_operation_loses_nothing_acknowledged_and_keeps_no_half_commit() {
    let steps = steps();
    let mut met = BTreeMap::new();
    steps.iter().for_each(|operation| *met.entry(*operation).or_insert(0_usize) += 1);
    let due = [
        Operation::Write,
        Operation::Sync,
        Operation::SetLen,
        Operation::Create,
        Operation::Rename,
        Operation::Remove,
        Operation::SyncDir,
    ];
    assert!(met.keys().eq(&due), "the script meets every operation: {met:?}");
    assert!(steps.len() > 150, "{} operations: {met:?}", steps.len());
    let mut acknowledged = 0;
    for (step, side) in (0..steps.len()).flat_map(|step| SIDES.map(|side| (step, side))) {
        let (sim, ledger) = died(step, side);
        assert!(ledger.acknowledged() >= acknowledged, "the run is the same up to the death");
        acknowledged = ledger.acknowledged();
        for kind in 0..3 {
            let sim = sim.fork();
            sim.crash(crash(kind, (step * 4 + kind) as u64));
            recovers(&sim, &ledger);
        }
    }
}

#[test]
fn a_death_while_recovering_from_a_death_loses_nothing_either() {
    let steps = steps().len();
    let mut deaths = 0;
    for step in 0..steps {
        // Each death with one way to die, and the recovery with another, in turn.
        let (sim, ledger) = died(step, SIDES[step % 2]);
        sim.crash(crash(step % 3, step as u64));
        let sides = &SIDES[step / 2 % 2..][..1];
        deaths += dies_while_it_recovers(&sim, &ledger, step / 3 % 3, step as u64, sides);
    }
    assert!(deaths > 1000, "{deaths} deaths");
}

/// The same with both sides of every operation and every pair of ways to die, in some order.
#[test]
fn soak_deaths_while_recovering_from_a_death_lose_nothing_either() {
    let steps = steps().len();
    factum_testkit::soak(0, 8, |seed| {
        let mut rng = Rng(seed);
        let (sim, ledger) = died(rng.below(steps), SIDES[rng.below(2)]);
        sim.crash(crash(rng.below(3), rng.next()));
        dies_while_it_recovers(&sim, &ledger, rng.below(3), rng.next(), &SIDES);
    });
}

#[test]
fn soak_deaths_at_random_operations_one_after_another_lose_nothing() {
    factum_testkit::soak(0, 150, |seed| {
        let (mut rng, steps) = (Rng(seed), steps().len());
        let (sim, mut ledger) = died(rng.below(steps), SIDES[rng.below(2)]);
        for life in 0..1 + rng.below(5) {
            sim.crash(crash(rng.below(3), rng.next()));
            sim.die_at(rng.below(12 + life * 20), SIDES[rng.below(2)]);
            let Ok((log, _)) = Log::open_on(sim.storage(), small(seed)) else { continue };
            if sim.has_died() {
                continue;
            }
            ledger.check(&log);
            for n in 0..rng.below(12) as u64 {
                let first = 2000 + life as u64 * 200 + n * 10;
                ledger.append(&log, (first..first + 1 + rng.below(5) as u64).map(sized).collect());
            }
        }
        sim.crash(crash(rng.below(3), rng.next()));
        recovers_from(&sim, &ledger);
    });
}

/// As [`recovers`], after lives whose commits came in the order of their numbers no more.
fn recovers_from(sim: &Sim, ledger: &Ledger) {
    let (log, _) = Log::open_on(sim.storage(), small(2)).unwrap();
    ledger.check(&log);
    drop(log);
    verify_on(&*sim.storage()).unwrap();
}
