//! What an append of ours added, as the store will give it back: so that the states it was decided on go on
//! without reading it. A test holds this against what stores give.

use factum_event::{CommandRecord, CommitHeader, EventId, NewEvent, RecordedEvent, Tag};
use factum_store::Stored;
use std::sync::Arc;

/// The events of a commit, with their ids, where the store put them.
pub(crate) fn recorded(
    command: &CommandRecord,
    events: Vec<(EventId, NewEvent)>,
    stored: &Stored,
) -> Vec<RecordedEvent> {
    let commit = Arc::new(CommitHeader {
        sequence: stored.sequence,
        recorded_at: stored.recorded_at,
        command_id: command.id,
        command_name: command.name.clone(),
        issued_at: command.issued_at,
        metadata: command.metadata.clone(),
    });
    let mut position = stored.first;
    let mut recorded = Vec::with_capacity(events.len());
    for ((id, event), revision) in events.into_iter().zip(&stored.revisions) {
        recorded.push(RecordedEvent {
            position,
            id,
            stream: event.stream,
            revision: *revision,
            event_type: event.event_type,
            version: event.version,
            codec: event.codec,
            tags: without_repeats(event.tags),
            payload: event.payload,
            effective_at: event.effective_at.unwrap_or(stored.recorded_at),
            corrects: event.corrects,
            commit: Arc::clone(&commit),
        });
        position = position.next();
    }
    recorded
}

/// Repeated tags count once.
fn without_repeats(mut tags: Vec<Tag>) -> Vec<Tag> {
    let mut at = 1;
    while at < tags.len() {
        if tags[..at].contains(&tags[at]) {
            tags.remove(at);
        } else {
            at += 1;
        }
    }
    tags
}
