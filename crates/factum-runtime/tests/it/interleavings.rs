//! The whole of commands for later in a seeded scheduler: senders who repeat themselves, commands decided at
//! once beside them, operators who drive again and give up, builds with defects, processes that die, layouts
//! that change. What stands in both logs at the end is compared with what one after another would have given.

mod actors;
mod judge;
mod world;

use crate::desk::deploy;
use crate::interleavings::{
    judge::judge,
    world::{World, app},
};
use factum::{LaneState, Sleep, block_on, store::Store};
use factum_testkit::{Death, Faults, Life, Scheduler, soak};
use futures_util::future::select;
use std::{pin::pin, sync::Arc, time::Duration};

/// What is waited for comes within so many turns of the clock, or never.
const TURNS_MAX: usize = 20_000;
const TURN: Duration = Duration::from_millis(50);

/// One whole history: some lives with defects and deaths, then one in which everything comes to its end.
fn play(seed: u64) -> Arc<World> {
    let scheduler = Scheduler::new(seed);
    let world = Arc::new(World::new(&scheduler, seed));
    scheduler.run(async {
        for _ in 0..1 + world.below(4) {
            live(&world).await;
        }
        settle(&world).await;
        rest(&world).await;
    });
    judge(&world);
    world
}

/// A life with faults, to whatever end it comes.
async fn live(world: &Arc<World>) {
    let process = world.scheduler.process();
    let faults = some_faults(world);
    world.set_faults(faults);
    let life = Life::new(faults, world.draw());
    deploy(!world.one_in(4));
    let app = app(world, &life, &process, world.one_in(3));
    world.begin();
    for _ in 0..1 + world.below(4) {
        actors::send(world, &app, &process);
    }
    for _ in 0..world.below(3) {
        actors::operate(world, &app, &process);
    }
    until(world, "senders to end", || life.is_over() || world.senders() == 0).await;
    if !life.is_over() && !world.one_in(3) {
        let stopping = pin!(async {
            world.pause(3000).await;
            app.stop().await;
        });
        select(stopping, pin!(life.over())).await;
        let ended = || process.tasks() == 0 || life.is_over();
        until(world, "those who wait to hear that the lanes stopped", ended).await;
        assert!(life.is_over() || app.lanes().unwrap().state() != LaneState::Running);
    }
    if life.is_over() && faults.death == Death::Told {
        until(world, "a process that sees its end to end", || process.tasks() == 0).await;
        assert_ne!(app.lanes().unwrap().state(), LaneState::Running);
    }
    process.kill();
}

fn some_faults(world: &World) -> Faults {
    let death = if world.one_in(2) { Death::Silent } else { Death::Told };
    Faults {
        yields_max: world.below(8),
        retry_one_in: if world.one_in(2) { 0 } else { 5 + world.below(40) },
        unknown_one_in: if world.one_in(2) { 0 } else { 20 + world.below(100) },
        dies_at: (!world.one_in(3)).then(|| world.below(900)),
        death,
    }
}

/// A life without defects, in which an operator acts until nothing is open.
async fn settle(world: &Arc<World>) {
    let process = world.scheduler.process();
    let faults = Faults { yields_max: world.below(8), retry_one_in: 500, ..Faults::default() };
    world.set_faults(faults);
    let life = Life::new(faults, world.draw());
    deploy(false);
    let app = app(world, &life, &process, true);
    world.begin();
    for _ in 0..1 + world.below(3) {
        actors::send(world, &app, &process);
    }
    until(world, "senders to end", || world.senders() == 0).await;
    let mut turns = 0;
    // One that was parked, and then decided at once under the same id, holds its key as well.
    while actors::release_all(world, &app).await || !judge::open(world).is_empty() {
        assert_eq!(app.lanes().unwrap().state(), LaneState::Running);
        world.scheduler.sleep(TURN).await;
        turns += 1;
        assert!(turns < 2000, "nothing becomes of {:?}", judge::open(world));
    }
    for id in world.accepted() {
        actors::watch(world, &app, &process, id);
    }
    until(world, "all who wait for an outcome to be woken", || world.watchers() == 0).await;
    assert_eq!(app.lanes().unwrap().state(), LaneState::Running);
    app.stop().await;
    process.kill();
}

/// A start that finds nothing to do, and does nothing.
async fn rest(world: &Arc<World>) {
    let before = judge::outcomes(world);
    let process = world.scheduler.process();
    let app = app(world, &Life::new(Faults::default(), 0), &process, true);
    world.pause(5000).await;
    app.stop().await;
    assert_eq!(judge::outcomes(world), before, "a restart repeats nothing");
}

async fn until(world: &World, what: &str, mut come: impl FnMut() -> bool) {
    for _ in 0..TURNS_MAX {
        if come() {
            return;
        }
        world.scheduler.sleep(TURN).await;
    }
    panic!("waited in vain for {what}: {} senders, {} watchers", world.senders(), world.watchers());
}

/// All that both logs hold, in words.
fn history(world: &World) -> String {
    let of = |store: &dyn Store| block_on(store.commits(Default::default(), usize::MAX)).unwrap();
    format!("{:#?}\n{:#?}", of(&*world.commands), of(&*world.events))
}

#[test]
fn soak_every_interleaving_is_one_after_another() {
    soak(0, 150, |seed| {
        play(seed);
    });
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..5 {
        assert_eq!(history(&play(seed)), history(&play(seed)), "seed {seed}");
    }
    assert_ne!(history(&play(0)), history(&play(1)));
}

/// Of a desk a writing was parked and a signature set aside behind it while the desk was one key; where the kinds
/// had lanes of their own, the next signature was decided.
#[test]
fn seed_20261121706_what_waits_behind_another_kind_is_not_overtaken_where_kinds_are_apart() {
    play(20_261_121_706);
}
