//! Turns verified bytes into the values of the vocabulary.

use crate::{
    format::{CommitFields, CommitPart, EventView, Flaw, FrameHeader},
    view::CommitView,
};
use bytes::Bytes;
use factum_event::{
    Commit, CommitHeader, EventId, EventType, Metadata, Position, RecordedEvent, StreamName, Tag,
};
use std::sync::Arc;

/// What the events of a commit share.
pub(crate) fn commit_header(header: &FrameHeader, part: &CommitPart<'_>, metadata: Metadata) -> CommitHeader {
    CommitHeader {
        sequence: header.sequence,
        recorded_at: header.recorded_at,
        command_id: part.command_id,
        command_name: part.name(),
        issued_at: part.issued_at,
        metadata,
    }
}

/// A whole commit.
pub(crate) fn commit(view: &CommitView<'_>) -> Result<Commit, Flaw> {
    let CommitFields { payload, metadata, outcome, tracking } = view.part.fields()?;
    let header = Arc::new(commit_header(&view.header, &view.part, metadata));
    let base = view.base_position();
    let events = view.events().map(|event| recorded(&event, base, &header)).collect();
    Ok(Commit { header, position: view.last_position(), payload, outcome, tracking, events })
}

/// One event of the commit whose first event stands at `base`.
pub(crate) fn recorded(event: &EventView<'_>, base: Position, commit: &Arc<CommitHeader>) -> RecordedEvent {
    let derived = || {
        let index = event.position.get() - base.get();
        EventId::derived(
            commit.command_id,
            u32::try_from(index).expect("a commit holds fewer than 2^32 events"),
        )
    };
    RecordedEvent {
        position: event.position,
        id: event.explicit_id.unwrap_or_else(derived),
        stream: StreamName::unchecked(event.stream),
        revision: event.revision,
        event_type: EventType::unchecked(event.event_type),
        version: event.version,
        codec: event.codec,
        tags: event.tags.clone().map(Tag::unchecked).collect(),
        payload: Bytes::copy_from_slice(event.payload),
        effective_at: event.effective_at.unwrap_or(commit.recorded_at),
        corrects: event.corrects,
        commit: Arc::clone(commit),
    }
}
