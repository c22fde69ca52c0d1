//! Whether an event matches, as a faulty index would say it.

use super::fault::Fault;
use factum_event::{EventType, Query, QueryItem, RecordedEvent, StreamFilter, Tag};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    Reader,
    Guard,
}

pub(super) fn matches(fault: Option<Fault>, asker: Asker, query: &Query, event: &RecordedEvent) -> bool {
    let Query::Items(items) = query else { return true };
    let Some(fault) = fault else { return query.matches(event) };
    let items = match fault {
        Fault::FirstItemOfQueryOnly if asker == Asker::Reader => &items[..items.len().min(1)],
        _ => &items[..],
    };
    items.iter().any(|item| item_matches(fault, asker, item, event))
}

fn item_matches(fault: Fault, asker: Asker, item: &QueryItem, event: &RecordedEvent) -> bool {
    types_match(fault, asker, item, &event.event_type)
        && tags_match(fault, asker, item, &event.tags)
        && home_matches(fault, item, event)
}

fn types_match(fault: Fault, asker: Asker, item: &QueryItem, event_type: &EventType) -> bool {
    let ignored = fault == Fault::GuardsIgnoreTypes && asker == Asker::Guard && !item.tags.is_empty();
    ignored || item.types.is_empty() || item.types.contains(event_type)
}

fn tags_match(fault: Fault, asker: Asker, item: &QueryItem, tags: &[Tag]) -> bool {
    let hashed = |tag: &Tag| tags.iter().any(|known| one_byte(known) == one_byte(tag));
    match (fault, asker) {
        (Fault::TagsByHash, Asker::Reader) | (Fault::GuardsByHash, Asker::Guard) => {
            item.tags.iter().all(hashed)
        }
        (Fault::TagsJoinedByOr, Asker::Reader) => {
            item.tags.is_empty() || item.tags.iter().any(|tag| tags.contains(tag))
        }
        _ => item.tags.iter().all(|tag| tags.contains(tag)),
    }
}

fn home_matches(fault: Fault, item: &QueryItem, event: &RecordedEvent) -> bool {
    match &item.stream {
        None => true,
        Some(StreamFilter::Name(name)) => *name == event.stream,
        Some(StreamFilter::Category(category)) if fault == Fault::CategoryByPrefix => {
            event.stream.as_str().starts_with(category.as_str())
        }
        Some(StreamFilter::Category(category)) => category.as_str() == event.stream.category_str(),
    }
}

fn one_byte(tag: &Tag) -> u8 {
    tag.as_str().bytes().fold(7, |hash: u8, byte| hash.wrapping_mul(31).wrapping_add(byte))
}
