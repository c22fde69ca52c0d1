//! Tephra, configured as the example of its documentation does it: segments of 256 MiB, the default writer.
//!
//! It knows tags and no streams: the stream of an account is what has its tag. The stream's name is not stored.

use super::{
    engine::{Asynchronous, Conditional, Engine},
    events::{Account, Digest, EVENT_TYPE, Event},
    work::Durability,
};
use crate::Failure;
use std::path::Path;
use tephra::{
    AppendCondition, EventType, Position, Query, QueryItem, SegmentConfig, SegmentSet, Tag, Tags,
    WriteCoordinator, WriteHandle, WriterConfig,
};

const SEGMENT_BYTES: usize = 256 << 20;

pub(crate) struct Tephra {
    coordinator: WriteCoordinator,
    handle: WriteHandle,
    event_type: EventType,
}

impl Tephra {
    fn encode(&self, event: &Event<'_>) -> Result<tephra::Event, Failure> {
        Ok(tephra::Event::new(&self.event_type, &tags(event.account)?, &event.payload)?)
    }

    fn read(&self, query: &Query, read: &mut Digest) -> Result<(), Failure> {
        let mut events = self.handle.read(query, Position::ZERO, None);
        while let Some(event) = events.next() {
            read.take(event?.event.data());
        }
        Ok(())
    }
}

fn tags(account: &Account) -> Result<Tags, Failure> {
    Ok(Tags::new([Tag::new(&*account.tag)?])?)
}

fn of(account: &Account) -> Result<Query, Failure> {
    Ok(Query::item(QueryItem::with_tags(tags(account)?)))
}

fn condition(event: &Event<'_>, after: u64) -> Result<AppendCondition, Failure> {
    Ok(AppendCondition::new(of(event.account)?).after(Position::new(after)))
}

impl Engine for Tephra {
    /// `seglog` 0.3.6, below it, syncs a batch by `File::sync_data` (`src/write.rs`).
    const DURABILITY: Durability = Durability::Fdatasync;

    fn open(dir: &Path) -> Result<Self, Failure> {
        let segments = SegmentSet::open(dir.join("tephra"), SegmentConfig::new(SEGMENT_BYTES))?;
        let (coordinator, handle) = WriteCoordinator::start(segments, WriterConfig::default())?;
        Ok(Self { coordinator, handle, event_type: EventType::new(EVENT_TYPE)? })
    }

    fn append(&self, events: Vec<Event<'_>>) -> Result<(), Failure> {
        let events = events.iter().map(|event| self.encode(event)).collect::<Result<_, _>>()?;
        self.handle.append(events, None)?;
        Ok(())
    }

    fn replay(&self, read: &mut Digest) -> Result<(), Failure> {
        self.read(&Query::all(), read)
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.handle);
        self.coordinator.shutdown();
        Ok(())
    }
}

impl Conditional for Tephra {
    fn append_next(&self, event: Event<'_>, after: u64) -> Result<u64, Failure> {
        let condition = condition(&event, after)?;
        Ok(self.handle.append(vec![self.encode(&event)?], Some(condition))?.last.get())
    }

    fn stream(&self, account: &Account, read: &mut Digest) -> Result<(), Failure> {
        self.read(&of(account)?, read)
    }
}

impl Asynchronous for Tephra {
    async fn append_next_async(&self, event: Event<'_>, after: u64) -> Result<u64, Failure> {
        let condition = condition(&event, after)?;
        Ok(self.handle.append_async(vec![self.encode(&event)?], Some(condition)).await?.last.get())
    }
}
