//! One service's commands or events, and those of several merged: what was recorded first comes first, and of
//! the same time, what the first service has.

use crate::cursor::Cursor;
use factum::{
    App, Arrival, Arrivals, CommandHistory, CommandPlace, CommandUpdate, CommandUpdates, EventFeed, Feeds,
    LogIdentity, Position, RecordedEvent, StoreError, Timestamp,
};
use futures_util::future::{FutureExt, select_all};
use std::sync::Arc;

/// The apps of all services, each with its name.
pub(crate) type Apps = Arc<[(&'static str, App)]>;

/// What one service has to tell, in its order.
pub(crate) trait Source: Send + Sync {
    type Item: Send + Sync;

    /// The next item, if there is one.
    fn next_now(&mut self) -> impl Future<Output = Result<Option<Self::Item>, StoreError>> + Send;

    /// Waits until there may be one.
    fn changed(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether there may be more although there is no next item, because enough was read.
    fn may_go_on(&self) -> bool {
        false
    }

    /// Whether there never will be a next item.
    fn ended(&self) -> bool {
        false
    }

    /// When an item was recorded.
    fn at(item: &Self::Item) -> Timestamp;

    /// Puts into `cursor` that `item` was told, or without one, that everything was.
    fn mark(&self, item: Option<&Self::Item>, logs: Logs, cursor: &mut Cursor);
}

/// The logs of one service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Logs {
    events: LogIdentity,
    commands: Option<LogIdentity>,
}

/// Where a log is begun at that the cursor knows no place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    AtTheStart,
    Now,
}

impl Begin {
    /// The place to begin at in the logs of commits.
    pub(crate) async fn commits(self, feeds: &Feeds, cursor: &Cursor) -> Result<CommandPlace, StoreError> {
        let (now, logs) = (feeds.now().await?, Logs::of(feeds));
        let commands = logs.commands.and_then(|commands| cursor.get(commands));
        Ok(CommandPlace {
            commands: self.place(commands, now.commands.get()).into(),
            events: self.place(cursor.get(logs.events), now.events.get()).into(),
        })
    }

    /// The place to begin at in the log of events.
    pub(crate) async fn events(self, feeds: &Feeds, cursor: &Cursor) -> Result<Position, StoreError> {
        let now = feeds.position().await?.get();
        Ok(self.place(cursor.get(feeds.events_identity()), now).into())
    }

    /// A place that the log has not come to was never told by it.
    fn place(self, told: Option<u64>, now: u64) -> u64 {
        told.filter(|told| *told <= now).unwrap_or(match self {
            Self::AtTheStart => 0,
            Self::Now => now,
        })
    }
}

impl Logs {
    pub(crate) fn of(feeds: &Feeds) -> Self {
        Self { events: feeds.events_identity(), commands: feeds.commands_identity() }
    }

    pub(crate) fn has(self, log: LogIdentity) -> bool {
        self.events == log || self.commands == Some(log)
    }

    fn mark(self, place: CommandPlace, cursor: &mut Cursor) {
        cursor.set(self.events, place.events.get());
        if let Some(commands) = self.commands {
            cursor.set(commands, place.commands.get());
        }
    }
}

/// A service among those that are merged.
pub(crate) struct Slot<S: Source> {
    pub(crate) service: &'static str,
    pub(crate) source: S,
    logs: Logs,
    ahead: Option<S::Item>,
}

impl<S: Source> Slot<S> {
    pub(crate) fn new(service: &'static str, feeds: &Feeds, source: S) -> Self {
        Self { service, source, logs: Logs::of(feeds), ahead: None }
    }
}

/// Several services as one.
pub(crate) struct Merged<S: Source> {
    slots: Vec<Slot<S>>,
    cursor: Cursor,
}

impl<S: Source> Merged<S> {
    /// The services of `slots`; what `cursor` knows of others of `apps` is kept.
    pub(crate) fn new(slots: Vec<Slot<S>>, mut cursor: Cursor, apps: &Apps) -> Self {
        cursor.retain(|log| apps.iter().any(|(_, app)| Logs::of(&app.feeds()).has(log)));
        let mut merged = Self { slots, cursor };
        merged.mark();
        merged
    }

    /// Where everything before was told and nothing after.
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The next item of all, if there is one, with the service it is of.
    pub(crate) async fn next_now(&mut self) -> Result<Option<(&Slot<S>, S::Item)>, StoreError> {
        if !self.look_ahead().await? || self.may_go_on() {
            return Ok(None);
        }
        let ahead = |slot: &Slot<S>| slot.ahead.as_ref().map(S::at);
        let times = self.slots.iter().enumerate().filter_map(|(index, slot)| Some((ahead(slot)?, index)));
        let Some((_, first)) = times.min() else { return Ok(None) };
        let Some(item) = self.slots[first].ahead.take() else { return Ok(None) };
        let slot = &self.slots[first];
        slot.source.mark(Some(&item), slot.logs, &mut self.cursor);
        Ok(Some((slot, item)))
    }

    /// Whether there is a next item.
    pub(crate) async fn look_ahead(&mut self) -> Result<bool, StoreError> {
        for slot in &mut self.slots {
            if slot.ahead.is_none() {
                slot.ahead = slot.source.next_now().await?;
            }
        }
        self.mark();
        Ok(self.slots.iter().any(|slot| slot.ahead.is_some()))
    }

    /// Whether there may be more although there is no next item, because enough was read. The others wait for
    /// that service, which may have what comes first.
    pub(crate) fn may_go_on(&self) -> bool {
        self.slots.iter().any(|slot| slot.ahead.is_none() && slot.source.may_go_on())
    }

    /// Whether there never will be a next item.
    pub(crate) fn ended(&self) -> bool {
        let ended = |slot: &Slot<S>| slot.ahead.is_none() && slot.source.ended();
        !self.slots.is_empty() && self.slots.iter().all(ended)
    }

    /// Waits until there may be a next item. To be called when there was none.
    pub(crate) async fn changed(&self) -> Result<(), StoreError> {
        let waits: Vec<_> = self.slots.iter().map(|slot| slot.source.changed().boxed()).collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        select_all(waits).await.0
    }

    /// Notes what was told of those who have nothing more to tell.
    fn mark(&mut self) {
        for slot in self.slots.iter().filter(|slot| slot.ahead.is_none()) {
            slot.source.mark(None, slot.logs, &mut self.cursor);
        }
    }
}

impl Source for CommandUpdates {
    type Item = CommandUpdate;

    async fn next_now(&mut self) -> Result<Option<CommandUpdate>, StoreError> {
        self.next_now().await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        self.changed().await
    }

    fn at(item: &CommandUpdate) -> Timestamp {
        item.at
    }

    fn mark(&self, item: Option<&CommandUpdate>, logs: Logs, cursor: &mut Cursor) {
        logs.mark(item.map_or_else(|| self.place(), |update| update.place), cursor);
    }
}

impl Source for CommandHistory {
    type Item = CommandUpdate;

    async fn next_now(&mut self) -> Result<Option<CommandUpdate>, StoreError> {
        self.next_now().await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        self.changed().await
    }

    fn ended(&self) -> bool {
        self.ended()
    }

    fn at(item: &CommandUpdate) -> Timestamp {
        item.at
    }

    fn mark(&self, item: Option<&CommandUpdate>, logs: Logs, cursor: &mut Cursor) {
        logs.mark(item.map_or_else(|| self.place(), |update| update.place), cursor);
    }
}

impl Source for Arrivals {
    type Item = Arrival;

    async fn next_now(&mut self) -> Result<Option<Arrival>, StoreError> {
        self.next().await
    }

    /// A list waits for nothing.
    async fn changed(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn may_go_on(&self) -> bool {
        self.may_go_on()
    }

    fn at(item: &Arrival) -> Timestamp {
        item.at
    }

    fn mark(&self, item: Option<&Arrival>, logs: Logs, cursor: &mut Cursor) {
        logs.mark(item.map_or_else(|| self.place(), |arrival| arrival.place), cursor);
    }
}

impl Source for EventFeed {
    type Item = RecordedEvent;

    async fn next_now(&mut self) -> Result<Option<RecordedEvent>, StoreError> {
        self.next_now().await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        self.changed().await
    }

    fn at(item: &RecordedEvent) -> Timestamp {
        item.recorded_at()
    }

    fn mark(&self, item: Option<&RecordedEvent>, logs: Logs, cursor: &mut Cursor) {
        cursor.set(logs.events, item.map_or_else(|| self.place(), |event| event.position).get());
    }
}
