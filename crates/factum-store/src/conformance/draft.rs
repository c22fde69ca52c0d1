//! Short words for what checks write and ask.

use factum_event::{
    Category, EventType, NewEvent, Outcome, Query, QueryItem, Rejection, Source, StreamName, Tag, Tracking,
};

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::unchecked(name)
}

pub(crate) fn tag(name: &str) -> Tag {
    Tag::unchecked(name)
}

pub(crate) fn kind(name: &str) -> EventType {
    EventType::unchecked(name)
}

/// An event of a type, about these tags.
pub(crate) fn fact(home: &str, event_type: &str, tags: &[&str]) -> NewEvent {
    let event = NewEvent::json(stream(home), kind(event_type), "{}");
    tags.iter().fold(event, |event, name| event.tag(tag(name)))
}

/// Any of these types, and all of these tags.
pub(crate) fn item(types: &[&str], tags: &[&str]) -> QueryItem {
    let item = types.iter().fold(QueryItem::default(), |item, name| item.event_type(kind(name)));
    tags.iter().fold(item, |item, name| item.tag(tag(name)))
}

pub(crate) fn typed(types: &[&str]) -> Query {
    item(types, &[]).into()
}

pub(crate) fn tagged(tags: &[&str]) -> Query {
    item(&[], tags).into()
}

pub(crate) fn of_stream(name: &str) -> Query {
    QueryItem::default().stream(stream(name)).into()
}

pub(crate) fn of_category(name: &str) -> Query {
    QueryItem::default().category(Category::unchecked(name)).into()
}

pub(crate) fn tracking(source: &str, progress: u64) -> Tracking {
    Tracking { source: Source::unchecked(source), progress }
}

pub(crate) fn rejected() -> Outcome {
    let reason = "the account holds 5 and 7 were asked for".to_owned();
    Outcome::Rejected(Rejection { code: "overdrawn".to_owned(), reason, status: 409 })
}

pub(crate) fn failed() -> Outcome {
    Outcome::Failed { cause: "the payload no longer parses".to_owned(), by: "operator ann".to_owned() }
}

pub(crate) fn parked() -> Outcome {
    Outcome::Parked { cause: "the store was full".to_owned() }
}
