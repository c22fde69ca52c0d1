//! Who acts beside the lanes: senders, those who wait for an outcome, operators.

use super::world::{Item, Way, World};
use factum::{
    App, CommandId, ErrorKind, ExecuteError, LaneState, OperateError, Reject, Spawn, Status, StoreError,
    SubmitError,
};
use factum_testkit::{Death, Process};
use std::sync::Arc;

/// Whether the process of this life still works.
enum Sent {
    Done,
    /// This build does not take it.
    Refused,
    Over,
}

/// A sender takes commands from the script and sends each until it is answered.
pub(super) fn send(world: &Arc<World>, app: &App, process: &Process) {
    let (world, app, beside) = (Arc::clone(world), app.clone(), process.clone());
    world.add_senders(1);
    process.spawn(Box::pin(async move {
        while let Some(item) = world.next() {
            if world.one_in(2) {
                world.pause(5).await;
            }
            if let Sent::Over = send_one(&world, &app, &beside, item).await {
                break;
            }
            if world.one_in(6)
                && let Some(before) = world.some_done()
                && let Sent::Over = send_one(&world, &app, &beside, before).await
            {
                break;
            }
        }
        world.add_senders(-1);
    }));
}

async fn send_one(world: &Arc<World>, app: &App, process: &Process, at: usize) -> Sent {
    let item = world.script[at];
    let (now, later) = (item.way != Way::Later, item.way != Way::Now);
    let now_first = world.one_in(2);
    for turn in [now_first, !now_first] {
        let sent = match turn {
            true if now => execute(world, app, at, &item).await,
            false if later => submit(world, app, process, at, &item).await,
            _ => Sent::Done,
        };
        if !matches!(sent, Sent::Done) {
            return sent;
        }
    }
    world.done(at);
    Sent::Done
}

async fn submit(world: &Arc<World>, app: &App, process: &Process, at: usize, item: &Item) -> Sent {
    loop {
        let key = format!("k{}", item.number);
        let answer = match item.sign {
            true => app.submit(item.sign()).actor("ann").idempotency_key(key).await,
            false => app.submit(item.write()).actor("ann").idempotency_key(key).await,
        };
        match answer {
            Ok(ticket) => {
                let (id, repeated) = (ticket.command_id(), ticket.repeated());
                let first = world.accept(id, at);
                // Where the answer to a repeat is lost, nobody knows that it was one.
                let lost = world.faults().unknown_one_in > 0;
                assert!(first || repeated || lost, "{id} was accepted before, and again as new");
                if first && world.one_in(2) {
                    watch(world, app, process, id);
                }
                return Sent::Done;
            }
            Err(SubmitError::NotRegistered { .. }) => return Sent::Refused,
            Err(SubmitError::Unavailable(cause)) if cause.kind() == ErrorKind::Reopen => return Sent::Over,
            Err(SubmitError::Unavailable(_) | SubmitError::Unknown { .. }) => world.pause(20).await,
            Err(other) => panic!("{item:?}: {other}"),
        }
    }
}

async fn execute(world: &World, app: &App, at: usize, item: &Item) -> Sent {
    loop {
        let key = format!("k{}", item.number);
        let answer = match item.sign {
            true => decided(app.execute(item.sign()).actor("ann").idempotency_key(key).await),
            false => decided(app.execute(item.write()).actor("ann").idempotency_key(key).await),
        };
        match answer {
            Ok(id) => {
                id.into_iter().for_each(|id| world.execute(id, at));
                return Sent::Done;
            }
            Err(Some(cause)) if cause.kind() == ErrorKind::Reopen => return Sent::Over,
            Err(_) => world.pause(20).await,
        }
    }
}

/// The command, as far as the answer tells it; or why it must be sent again.
fn decided<E, R: Reject>(
    answer: Result<factum::Done<E>, ExecuteError<R>>,
) -> Result<Option<CommandId>, Option<StoreError>> {
    match answer {
        Ok(done) => Ok(Some(done.command_id())),
        Err(ExecuteError::Rejected(_) | ExecuteError::RejectedEarlier(_)) => Ok(None),
        Err(ExecuteError::FailedEarlier { command, .. }) => Ok(Some(command)),
        Err(ExecuteError::Unavailable(cause)) => Err(Some(cause)),
        Err(ExecuteError::Unknown { .. } | ExecuteError::Conflict { .. }) => Err(None),
        Err(other) => panic!("{other}"),
    }
}

/// Waits for what becomes of a command: by asking for the outcome until it is final, or by watching.
pub(super) fn watch(world: &Arc<World>, app: &App, process: &Process, id: CommandId) {
    let (world, app) = (Arc::clone(world), app.clone());
    world.add_watchers(1);
    process.spawn(Box::pin(async move {
        let lanes = app.lanes().unwrap();
        let mut watch = lanes.watch(id);
        let asks = world.one_in(2);
        loop {
            let told = if asks { lanes.outcome(id).await.map(Some) } else { watch.next().await };
            match told {
                Ok(Some(status)) if status.status.is_final() => {
                    if !asks {
                        assert_eq!(watch.next().await, Ok(None), "{id}: a final status, and then another");
                    }
                    break;
                }
                Ok(Some(status)) if asks => {
                    assert_eq!(status.status, Status::Parked, "an outcome, not an interim");
                    // Only an operator goes on from here; he is not waited for.
                    break;
                }
                Ok(Some(_)) => {}
                Ok(None) => panic!("{id}: the watch ended without a final status"),
                Err(cause) if cause.kind() == ErrorKind::Retry => world.pause(20).await,
                Err(cause) => {
                    let running =
                        lanes.state() == LaneState::Running && world.faults().death == Death::Silent;
                    assert!(!running, "{id}: told that the lanes ended, and they did not: {cause}");
                    break;
                }
            }
        }
        world.add_watchers(-1);
    }));
}

/// An operator comes by now and then and acts on something that is parked.
pub(super) fn operate(world: &Arc<World>, app: &App, process: &Process) {
    let (world, app) = (Arc::clone(world), app.clone());
    process.spawn(Box::pin(async move {
        for _ in 0..1 + world.below(6) {
            world.pause(400).await;
            let Ok(parked) = app.lanes().unwrap().parked().await else { continue };
            if parked.is_empty() {
                continue;
            }
            let drawn = usize::try_from(world.below(parked.len() as u64)).unwrap();
            world.pause(20).await;
            release(&world, &app, parked[drawn].command).await;
        }
    }));
}

/// Acts on everything that is parked. Whether there was, or may be, anything.
pub(super) async fn release_all(world: &World, app: &App) -> bool {
    let Ok(parked) = app.lanes().unwrap().parked().await else { return true };
    for parking in &parked {
        release(world, app, parking.command).await;
    }
    !parked.is_empty()
}

async fn release(world: &World, app: &App, command: CommandId) {
    let lanes = app.lanes().unwrap();
    let released = match world.one_in(6) {
        true => lanes.discard(command, "olga", "it is of no use").await,
        false => lanes.redrive(command, "olga").await,
    };
    match released {
        Ok(parking) => assert!(!parking.waiting.contains(&command)),
        Err(
            OperateError::NotParked { .. }
            | OperateError::Conflict { .. }
            | OperateError::Unavailable(_)
            | OperateError::Refused(_),
        ) => {}
        Err(other) => panic!("{other}"),
    }
}
