//! Read models: kept up with the log, each in a build of its own, exactly once.
//!
//! A projection is fed by one runner at a time, page by page: what follows from a page is kept in one transaction
//! with the checkpoint, for who claimed the build last. That the log grew is only ever a reason to look. A new
//! build is made beside the one that is read, never passes it, and takes its place at one position of the log.
//!
//! `member` writes builds and nothing else does; `worker` drives them; `verbs` is what operators ask.

mod ahead;
mod at_rest;
mod bounds;
mod definition;
mod documents;
mod error;
mod fold_tables;
mod fold_views;
mod host;
mod list;
mod member;
mod notes;
mod parked;
mod reached;
mod rows;
mod set;
mod slot;
mod sql;
mod start;
mod status;
mod statuses;
mod sweep;
mod tasks;
mod verbs;
mod worker;

pub use bounds::ProjectionBounds;
pub use documents::{Documents, Found};
pub use error::{ProjectionError, QueryError};
pub use fold_views::DOCUMENTS_AT_HAND_MAX;
pub use list::{Keyed, List, Lister};
pub use notes::{DISCARDED_MAX, restored_notes};
pub use rows::{Rows, TablesOf};
pub use set::ProjectionSet;
pub use sql::{ApplyError, SqlProjection};
pub use status::{
    BuildProgress, DiscardedEvent, ParkedEvent, ProjectionState, ProjectionStatus, STALLED_AFTER, StopReason,
};

use crate::{Ports, Spawn};
use factum_event::Position;
use factum_store::{ReadModels, Store};
use futures_util::future::{Either, select};
use host::Host;
use slot::{Live, Slot};
use std::{pin::pin, sync::Arc, time::Duration};

/// The projections of an application. They end when the last clone is dropped, or by [`Projections::stop`].
#[derive(Clone, Debug)]
pub struct Projections {
    host: Arc<Host>,
    /// Held by every clone.
    _running: Arc<Running>,
}

/// Ends the runners when it is dropped.
#[derive(Debug)]
struct Running(Arc<Host>);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.close());
    }
}

impl Projections {
    /// Takes up those of `set` where they were left in `models`, on runners of their own.
    pub fn start(
        store: Arc<dyn Store>,
        ports: Ports,
        models: Arc<dyn ReadModels>,
        set: ProjectionSet,
        spawn: Arc<dyn Spawn>,
        bounds: ProjectionBounds,
    ) -> Self {
        let host = Arc::new(Host::new(store, ports, models, set.into_slots(), spawn, bounds));
        if !host.slots.is_empty() {
            let starting = Arc::clone(&host);
            let start = async move { starting.start().await };
            host.tasks.begin("factum-projections", Box::pin(start));
        }
        Self { _running: Arc::new(Running(Arc::clone(&host))), host }
    }

    /// Ends the runners after what they are at. The log is let go of when it is done, but for what clones of this
    /// hold.
    pub async fn stop(&self) {
        self.host.started().await;
        let mut verbs = Vec::with_capacity(self.host.slots.len());
        for slot in self.host.slots.values() {
            verbs.push(slot.verbs.lock().await);
        }
        // All at once: one runner may feed builds of several.
        let ended: Vec<_> = self.host.close().into_iter().map(|run| run.ended).collect();
        for ended in ended {
            // An error means that the runner is gone, which is what is waited for.
            let _ = ended.await;
        }
        // Who waits to do something about one finds that it has ended.
        drop(verbs);
        self.host.tasks.ended().await;
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.host.slots.keys().copied()
    }

    async fn slot(&self, name: &str) -> Result<Arc<Slot>, ProjectionError> {
        let found = self.host.slots.get(name);
        let slot = found.map(Arc::clone).ok_or_else(|| ProjectionError::Unknown {
            name: name.to_owned(),
            known: self.names().collect::<Vec<_>>().join(", "),
        })?;
        self.host.started().await;
        Ok(slot)
    }

    /// Waits until what is read of a projection holds every event up to `position`, for `within` at most, and
    /// tells whether it does. One that does not go on by itself is not waited for.
    ///
    /// # Errors
    /// When there is no such projection.
    pub async fn reached(
        &self,
        name: &str,
        position: Position,
        within: Duration,
    ) -> Result<bool, ProjectionError> {
        let slot = self.slot(name).await?;
        Ok(self.within(within, until_reached(&slot, position)).await.unwrap_or(false))
    }

    /// Waits until a projection holds every event up to the head, for `within` at most, and tells whether it does.
    ///
    /// # Errors
    /// When there is no such projection, or the log cannot be read.
    pub async fn caught_up(&self, name: &str, within: Duration) -> Result<bool, ProjectionError> {
        let head = self.host.store().head().await?.position;
        self.reached(name, head, within).await
    }

    /// Waits until every projection that commands wait for holds `position`, and tells whether all do.
    pub(crate) async fn seen(&self, position: Position) -> bool {
        let waited = |slot: &&Arc<Slot>| slot.newest().mode() == factum_domain::Mode::Wait;
        let all = async {
            let mut seen = true;
            for slot in self.host.slots.values().filter(waited) {
                self.host.started().await;
                seen &= until_reached(slot, position).await;
            }
            seen
        };
        self.within(self.host.bounds().wait, all).await.unwrap_or(false)
    }

    /// What comes of `wait`, if it comes in time.
    async fn within<T>(&self, within: Duration, wait: impl Future<Output = T>) -> Option<T> {
        let over = self.host.ports().sleep.sleep(within);
        match select(pin!(wait), over).await {
            Either::Left((came, _)) => Some(came),
            Either::Right(_) => None,
        }
    }
}

/// Waits for the build that is read, and for the one that takes its place meanwhile.
async fn until_reached(slot: &Slot, position: Position) -> bool {
    let mut waited_for: Option<Live> = None;
    loop {
        let mut changed = slot.changed.subscribe();
        let Some(live) = slot.live() else {
            if slot.may_pass() && changed.changed().await.is_ok() {
                continue;
            }
            return false;
        };
        if waited_for.as_ref().is_some_and(|before| before.build == live.build) || slot.notes().disabled {
            return false;
        }
        if live.reach.reached(position).await {
            return true;
        }
        waited_for = Some(live);
    }
}
