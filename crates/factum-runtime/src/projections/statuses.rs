//! Looks at how projections stand.

use super::{
    BuildProgress, ProjectionError, ProjectionState, ProjectionStatus, Projections, STALLED_AFTER,
    StopReason, reached::pace, slot::Slot,
};
use factum_event::Position;
use factum_store::{ErrorKind, ReadOptions, StoreError};
use std::time::Duration;

impl Projections {
    /// How each stands, in the order of their names.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn statuses(&self) -> Result<Vec<ProjectionStatus>, StoreError> {
        let mut statuses = Vec::new();
        for slot in self.host.slots.values() {
            statuses.push(self.look(slot).await?);
        }
        Ok(statuses)
    }

    /// How one stands.
    ///
    /// # Errors
    /// When there is none of that name, or the log cannot be read.
    pub async fn status(&self, name: &str) -> Result<ProjectionStatus, ProjectionError> {
        let slot = self.slot(name).await?;
        Ok(self.look(&slot).await?)
    }

    async fn look(&self, slot: &Slot) -> Result<ProjectionStatus, StoreError> {
        let (live, building, notes) = (slot.live(), slot.building(), slot.notes());
        // In this order, so that it is never ahead of the head.
        let progress = live.as_ref().map(|live| live.reach.now());
        let position = progress.as_ref().map_or(Position::START, |progress| progress.position);
        let head = self.host.store().head().await?.position;
        let now = self.host.ports().clock.now();
        let mut state = slot.shown(live.as_ref(), &notes);
        if state == ProjectionState::CaughtUp && position < head {
            state = ProjectionState::CatchingUp;
        }
        let lag = self.lag(position, head).await?;
        let runs = matches!(
            state,
            ProjectionState::CatchingUp | ProjectionState::Retrying(_) | ProjectionState::Starting
        );
        let rested = match &progress {
            Some(progress) => now.since(progress.moved_at),
            // It could not be opened so far.
            None if slot.failed().is_some() => lag,
            None => Duration::ZERO,
        };
        let counts = match live.as_ref().map(|live| &live.model) {
            Some(Ok(model)) => model.parked_counts().await,
            _ => Ok((0, 0)),
        };
        if let Err(cause) = &counts
            && matches!(state, ProjectionState::CaughtUp | ProjectionState::CatchingUp)
        {
            // It cannot be looked into, so nobody may take it for whole.
            state = match cause.kind() {
                ErrorKind::Retry => ProjectionState::Retrying(cause.clone()),
                _ => ProjectionState::Stopped(StopReason::Refused(cause.clone())),
            };
        }
        let (parked, waiting) = counts.unwrap_or_default();
        let newest = slot.newest();
        Ok(ProjectionStatus {
            name: slot.name,
            version: newest.version(),
            mode: newest.mode(),
            stalled: runs && position < head && rested.min(lag) >= STALLED_AFTER,
            state,
            build: live.map(|live| live.build),
            position,
            head,
            lag_events: head.get().saturating_sub(position.get()),
            lag,
            parked,
            waiting,
            building: building.map(|building| {
                let progress = building.reach.now();
                let (events_per_second, time_left) = pace(&progress, head, now);
                BuildProgress {
                    build: building.build,
                    state: progress.state,
                    position: progress.position,
                    head,
                    began: progress.began.1,
                    events_per_second,
                    time_left,
                }
            }),
            previous: notes.previous,
            discarded: notes.discarded,
        })
    }

    /// How long ago the first event after `position` was recorded.
    async fn lag(&self, position: Position, head: Position) -> Result<Duration, StoreError> {
        if position >= head {
            return Ok(Duration::ZERO);
        }
        let options = ReadOptions { after: position, limit: 1, ..ReadOptions::default() };
        let page = self.host.store().read(&factum_event::Query::All, options).await?;
        let first = page.events.first();
        Ok(first.map_or(Duration::ZERO, |first| self.host.ports().clock.now().since(first.recorded_at())))
    }
}
