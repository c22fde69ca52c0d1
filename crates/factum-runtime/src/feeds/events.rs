//! The events of one application in their order, for those who follow or list them.

use super::READ_AHEAD_MAX;
use factum_event::{Position, Query, RecordedEvent, Sequence};
use factum_store::{ReadOptions, Store, StoreError};
use std::{collections::VecDeque, sync::Arc};

/// The events that match a query, from a position on. A commit may be left and taken up in its middle.
#[derive(Debug)]
pub struct EventFeed {
    store: Arc<dyn Store>,
    query: Query,
    /// Up to here everything was handed out.
    place: Position,
    ahead: VecDeque<RecordedEvent>,
    /// Up to here everything that matches was handed out or is held ahead.
    read: Position,
    /// Where the log stood before it was looked at last.
    seen: Sequence,
}

impl EventFeed {
    pub(super) fn new(store: Arc<dyn Store>, query: Query, after: Position) -> Self {
        Self { store, query, place: after, ahead: VecDeque::new(), read: after, seen: Sequence::START }
    }

    /// Up to where everything that matches was handed out.
    pub fn place(&self) -> Position {
        self.place
    }

    /// The next event, once there is one.
    ///
    /// # Errors
    /// When the log cannot be read. It may be called again.
    pub async fn next(&mut self) -> Result<RecordedEvent, StoreError> {
        loop {
            if let Some(event) = self.next_now().await? {
                return Ok(event);
            }
            self.changed().await?;
        }
    }

    /// Waits until there may be more than [`Self::next_now`] found.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn changed(&self) -> Result<(), StoreError> {
        self.store.appended(self.seen).await.map(drop)
    }

    /// The next event, if it has happened.
    ///
    /// # Errors
    /// When the log cannot be read. It may be called again.
    pub async fn next_now(&mut self) -> Result<Option<RecordedEvent>, StoreError> {
        if self.ahead.is_empty() {
            self.seen = self.store.head().await?.sequence;
            let options = ReadOptions { after: self.read, limit: READ_AHEAD_MAX, ..ReadOptions::default() };
            let page = self.store.read(&self.query, options).await?;
            // A place that is ahead of the log waits for it there.
            self.read = page.next.unwrap_or(page.head).max(self.read);
            self.ahead.extend(page.events);
        }
        let event = self.ahead.pop_front();
        self.place = match &event {
            Some(event) if !self.ahead.is_empty() => event.position,
            _ => self.read,
        };
        Ok(event)
    }
}
