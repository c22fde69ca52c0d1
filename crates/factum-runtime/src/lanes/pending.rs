//! Whether commands of a key wait undecided, and waiting until they do not.

use super::{
    LaneMode, Lanes,
    record::{self, HELD, key_of},
};
use crate::Status;
use factum_domain::{Key, Model, Models};
use factum_event::{CommandId, EventType, Query, QueryItem, StreamName};
use factum_store::{ReadOptions, StoreError};
use futures_util::future::{Either, select};
use std::{pin::pin, sync::atomic::Ordering, time::Duration};

/// A key's marks are read over so many at a time.
const PAGE: usize = 16;

impl Lanes {
    /// Whether a command whose first model is `M` under `key` was accepted and has no final outcome: a parked
    /// one has none either.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn pending<M: Model>(&self, key: &Key<M>) -> Result<bool, StoreError> {
        let stream = stream_of::<M>(key);
        if self.shared.parked.is_held(&stream) {
            return Ok(true);
        }
        for last in self.last_of(&stream).await? {
            let status = self.status(last).await?;
            if status.is_some_and(|status| !status.status.is_final()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits until the commands accepted so far whose first model is `M` under `key` are decided, for `max`
    /// at most; tells whether they are. Those behind a parked one are not waited for, and none once the lanes
    /// ended.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn settled<M: Model>(&self, key: &Key<M>, max: Duration) -> Result<bool, StoreError> {
        let stream = stream_of::<M>(key);
        let mut late = None;
        for last in self.last_of(&stream).await? {
            if self.status(last).await?.is_none_or(|status| status.status != Status::Accepted) {
                continue;
            }
            if self.shared.parked.is_held(&stream) {
                return Ok(false);
            }
            let late = late.get_or_insert_with(|| self.shared.engine.ports().sleep.sleep(max));
            match select(pin!(self.outcome(last)), late).await {
                Either::Left((Ok(_), _)) => {}
                Either::Left((Err(_), _)) | Either::Right(((), _)) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The commands of a key that were accepted last, one a lane: each lane decides its own in order, so the
    /// others are decided when these are.
    async fn last_of(&self, stream: &StreamName) -> Result<Vec<CommandId>, StoreError> {
        let are_apart = self.shared.wanted.mode == LaneMode::ByCommand;
        let mut kinds: Vec<Option<&str>> = Vec::new();
        // Before the layout that was asked for is in force, kinds may have lanes of their own under an older one.
        if are_apart || !self.shared.is_in_force.load(Ordering::Acquire) {
            kinds.extend(self.command_names().into_iter().map(Some));
        }
        if !are_apart {
            kinds.push(None);
        }
        let mut last = Vec::with_capacity(kinds.len());
        for kind in kinds {
            last.extend(self.last_of_kind(stream, kind).await?);
        }
        Ok(last)
    }

    async fn last_of_kind(
        &self,
        stream: &StreamName,
        kind: Option<&str>,
    ) -> Result<Option<CommandId>, StoreError> {
        let types = kind.into_iter().map(EventType::unchecked).collect();
        let mut query = Query::from(QueryItem { types, ..QueryItem::default().stream(stream.clone()) });
        if kind.is_some() {
            query = query.or(record::releases_of(stream));
        }
        // What came again in a release that goes on stands before what is still to come again, wherever that
        // stands in the log: it is passed over.
        let (mut goes_on, mut part) = (true, None);
        let mut options = ReadOptions { backwards: true, limit: PAGE, ..ReadOptions::default() };
        loop {
            let page = self.commands().read(&query, options).await?;
            for event in &page.events {
                let (name, commit) = (event.event_type.as_str(), Some(event.commit.sequence));
                if goes_on && record::is_release(name) && part != commit {
                    goes_on = name == HELD;
                    part = commit.filter(|_| goes_on);
                }
                if record::is_own(name) || part == commit {
                    continue;
                }
                let first = match event.corrects {
                    Some(first) => self.commands().event(first).await?,
                    None => None,
                };
                return Ok(Some(first.as_ref().unwrap_or(event).commit.command_id));
            }
            match page.next {
                Some(next) => options.up_to = Some(next),
                None => return Ok(None),
            }
        }
    }
}

/// The stream of the command log that commands of this key stand in.
fn stream_of<M: Model>(key: &Key<M>) -> StreamName {
    let mut boundaries = Vec::new();
    <M as Models>::boundaries(key, &mut boundaries);
    key_of(CommandId::new(Default::default()), &boundaries)
}
