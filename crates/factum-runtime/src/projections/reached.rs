//! How far a build has come, for those who wait for it: published by who feeds it.

use super::{ProjectionState, StopReason};
use factum_event::{Position, Timestamp};
use factum_store::ErrorKind;
use std::time::Duration;
use tokio::sync::watch;

/// How far a build has come, and whether it goes on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    /// Every event up to here was applied, is parked, or is of no interest.
    pub(crate) position: Position,
    pub(crate) state: ProjectionState,
    /// When it moved last, by the clock.
    pub(crate) moved_at: Timestamp,
    /// Where it was, and when, when this process began to feed it.
    pub(crate) began: (Position, Timestamp),
}

/// The progress of one build.
#[derive(Debug)]
pub(crate) struct Reach(watch::Sender<Progress>);

impl Reach {
    pub(crate) fn new(position: Position, state: ProjectionState, now: Timestamp) -> Self {
        Self(watch::Sender::new(Progress { position, state, moved_at: now, began: (position, now) }))
    }

    pub(crate) fn now(&self) -> Progress {
        self.0.borrow().clone()
    }

    pub(crate) fn position(&self) -> Position {
        self.0.borrow().position
    }

    /// It has come further. Never less far: what was told of it stays true, also where a checkpoint that had
    /// nothing to it was not written.
    pub(crate) fn moved(&self, position: Position, now: Timestamp) {
        self.0.send_modify(|progress| {
            progress.position = progress.position.max(position);
            progress.moved_at = now;
        });
    }

    pub(crate) fn became(&self, state: ProjectionState) {
        self.0.send_if_modified(|progress| {
            let changed = progress.state != state;
            progress.state = state;
            changed
        });
    }

    /// Ready once it has come to `position`, or will not by itself; tells whether it has.
    pub(crate) async fn reached(&self, position: Position) -> bool {
        let there = |progress: &Progress| progress.position >= position || !goes_on(&progress.state);
        let mut progress = self.0.subscribe();
        match progress.wait_for(there).await {
            Ok(progress) => progress.position >= position,
            Err(_) => self.position() >= position,
        }
    }
}

/// Whether a projection in this state comes further by itself.
fn goes_on(state: &ProjectionState) -> bool {
    match state {
        ProjectionState::Starting
        | ProjectionState::CatchingUp
        | ProjectionState::CaughtUp
        | ProjectionState::Retrying(_) => true,
        // What could not be opened for a reason that passes is opened again.
        ProjectionState::Stopped(StopReason::Refused(cause)) => cause.kind() == ErrorKind::Retry,
        _ => false,
    }
}

/// How long it takes to come from `position` to `head`, at the pace kept since it began.
pub(crate) fn pace(progress: &Progress, head: Position, now: Timestamp) -> (f64, Option<Duration>) {
    let (from, since) = progress.began;
    let came = progress.position.get().saturating_sub(from.get());
    let took = now.since(since).as_secs_f64();
    if came == 0 || took <= 0.0 {
        return (0.0, None);
    }
    let pace = count(came) / took;
    let left = count(head.get().saturating_sub(progress.position.get())) / pace;
    (pace, Duration::try_from_secs_f64(left).ok())
}

/// A count as a number that can be divided: to within what a pace needs.
#[expect(clippy::cast_precision_loss, reason = "a pace is told to a few digits")]
fn count(events: u64) -> f64 {
    events as f64
}
