//! Whether commands of a key wait undecided, and waiting until they do not.

use super::{
    Lanes,
    record::{self, key_of},
};
use crate::Status;
use factum_domain::{Key, Model, Models};
use factum_event::{CommandId, Position, Query, QueryItem, StreamName};
use factum_store::{ReadOptions, StoreError};
use futures_util::future::{Either, select};
use std::{pin::pin, time::Duration};

/// A key's marks are read over so many at a time.
const PAGE: usize = 16;

impl Lanes {
    /// Whether a command whose first model is `M` under `key` was accepted and has no final outcome: a parked
    /// one has none either.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn pending<M: Model>(&self, key: &Key<M>) -> Result<bool, StoreError> {
        let Some(last) = self.last_of::<M>(key).await? else { return Ok(false) };
        let status = self.status(last).await?;
        Ok(status.is_some_and(|status| !status.status.is_final()))
    }

    /// Waits until the commands accepted so far whose first model is `M` under `key` are decided, for `max`
    /// at most; tells whether they are. Those behind a parked one are not waited for, and none once the lanes
    /// ended.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn settled<M: Model>(&self, key: &Key<M>, max: Duration) -> Result<bool, StoreError> {
        let Some(last) = self.last_of::<M>(key).await? else { return Ok(true) };
        if !self.is_accepted(last).await? {
            return Ok(true);
        }
        if self.shared.parked.behind(&stream_of::<M>(key)).is_some() {
            return Ok(false);
        }
        let late = self.shared.engine.ports().sleep.sleep(max);
        match select(pin!(self.outcome(last)), late).await {
            Either::Left((outcome, _)) => Ok(outcome.is_ok()),
            Either::Right(((), _)) => Ok(false),
        }
    }

    async fn is_accepted(&self, command: CommandId) -> Result<bool, StoreError> {
        let status = self.status(command).await?;
        Ok(status.is_some_and(|status| status.status == Status::Accepted))
    }

    /// The command of a key that was accepted last: the key's commands are decided in order, so the others
    /// are decided when it is.
    async fn last_of<M: Model>(&self, key: &Key<M>) -> Result<Option<CommandId>, StoreError> {
        let query = Query::from(QueryItem::default().stream(stream_of::<M>(key)));
        let mut options = ReadOptions { backwards: true, limit: PAGE, ..ReadOptions::default() };
        loop {
            let page = self.commands().read(&query, options).await?;
            let is_command = |name: &str| !name.starts_with(record::OWN);
            if let Some(event) = page.events.iter().find(|event| is_command(event.event_type.as_str())) {
                let first = match event.corrects {
                    Some(first) => self.commands().event(first).await?,
                    None => None,
                };
                return Ok(Some(first.as_ref().unwrap_or(event).commit.command_id));
            }
            match page.next {
                Some(next) if next > Position::START => options.up_to = Some(next),
                _ => return Ok(None),
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
