//! What happened, in whichever service: one event with the command it came from, a list, and a stream.
//! Senders see the events of their own commands, operators all.

use crate::{
    Caller, PathId, Problem, ProblemType, Routes, Time,
    audit::{Auditor, Place},
    commands,
    cursor::{Cursor, Kind},
    endpoint::get,
    feeds::{
        Asked, Begin, CURSOR, LIMIT, Merged, Page, SERVICE, Slot, Told, Watched, describe, last_event_id,
        streams,
    },
    limits::PAGE_LOOKED_AT_MAX,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use factum::{
    CausationId, Codec, CommandId, CorrelationId, EventId, EventType, Position, Query, QueryItem,
    RecordedEvent, Revision, StreamName, Tag, Timestamp, Uuid,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// What the audit calls reading an event.
const READ_EVENT: &str = "factum.read-event";

/// What a list and a stream of events may be asked for.
const OF_LIST: [&str; 5] = [LIMIT, CURSOR, SERVICE, "type", "stream"];
const OF_STREAM: [&str; 1] = [SERVICE];

pub(crate) fn routes(watched: Watched) -> Routes {
    let list = get(list).about("Lists events, the first recorded first").answers::<Page<Wire>>();
    let updates = get(updates).about("Streams events as they are recorded");
    let event = get(event).about("Shows an event, with the command it came from").answers::<WithCommand>();
    Routes::new()
        .open("/events", list.with(|route| describe(route, &OF_LIST)))
        .open("/events/updates", updates.with(|route| streams(route, &OF_STREAM, UPDATE)))
        .open("/events/{id}", event)
        .with_state(watched)
}

/// An event, as it is told.
const UPDATE: &str = "Server-Sent Events: `id` is the place of the event, `event` its type, `data` an item of \
                      `GET /events`.";

/// An event.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
struct Wire {
    /// Which.
    #[schemars(with = "Uuid")]
    id: EventId,
    /// The service it happened in.
    service: &'static str,
    /// Its stored name.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    event_type: EventType,
    /// The version of its stored form, from 1.
    #[schemars(range(min = 1))]
    version: u32,
    /// The stream it is in.
    #[schemars(with = "String")]
    stream: StreamName,
    /// Where it stands in its stream, from 0.
    #[schemars(with = "u64")]
    revision: Revision,
    /// Where it stands in the log, from 1.
    #[schemars(with = "u64", range(min = 1))]
    position: Position,
    /// What it is found by.
    #[schemars(with = "Vec<String>")]
    tags: Vec<Tag>,
    /// Its stored form; in base64 where that is not JSON.
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
    /// The codec of a form that is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u16")]
    codec: Option<Codec>,
    /// When it became true.
    #[schemars(with = "Time")]
    effective_at: Timestamp,
    /// When it was stored.
    #[schemars(with = "Time")]
    recorded_at: Timestamp,
    /// The command that it came from.
    #[schemars(with = "Uuid")]
    command_id: CommandId,
    /// Who sent that.
    actor: Option<String>,
    /// On whose behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    /// What it belongs together with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Uuid")]
    correlation_id: Option<CorrelationId>,
    /// What brought it about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Uuid")]
    causation_id: Option<CausationId>,
    /// The event that it corrects.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Uuid")]
    corrects: Option<EventId>,
}

/// An event, and the command it came from.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventWithCommand")]
struct WithCommand {
    #[serde(flatten)]
    event: Wire,
    /// What became of the command.
    command: Option<commands::Wire>,
}

impl Wire {
    fn new(service: &'static str, event: RecordedEvent) -> Self {
        let (data, codec) = data(event.codec, &event.payload);
        let metadata = &event.commit.metadata;
        Self {
            id: event.id,
            service,
            version: event.version,
            revision: event.revision,
            position: event.position,
            data,
            codec,
            effective_at: event.effective_at,
            recorded_at: event.commit.recorded_at,
            command_id: event.commit.command_id,
            actor: metadata.actor.as_ref().map(ToString::to_string),
            tenant: metadata.tenant.as_ref().map(ToString::to_string),
            correlation_id: metadata.correlation,
            causation_id: metadata.causation,
            corrects: event.corrects,
            event_type: event.event_type,
            stream: event.stream,
            tags: event.tags,
        }
    }
}

/// The payload as it is if it is JSON; else in base64, with the number of its codec.
fn data(codec: Codec, payload: &[u8]) -> (Box<RawValue>, Option<Codec>) {
    if codec == Codec::JSON
        && let Ok(json) = serde_json::from_slice::<Box<RawValue>>(payload)
    {
        return (json, None);
    }
    let text = BASE64_STANDARD.encode(payload);
    (to_raw_value(&text).expect("a string makes JSON"), Some(codec))
}

async fn event(
    State(watched): State<Watched>,
    PathId(id): PathId<EventId>,
    caller: Caller,
    place: Place,
    Extension(auditor): Extension<Auditor>,
) -> Result<Json<WithCommand>, Problem> {
    for (service, app) in watched.apps.iter() {
        match app.feeds().event(id).await? {
            Some(event) if caller.may_see(event.actor()) => {
                let command = app.status(event.command_id()).await?;
                let command = command.map(|status| commands::Wire::new(service, status));
                return Ok(Json(WithCommand { event: Wire::new(service, event), command }));
            }
            Some(_) => auditor.denied(&caller, READ_EVENT, &place, "it is of another sender's command"),
            None => {}
        }
    }
    Err(Problem::new(ProblemType::NotFound, format!("there is no event with id {id}"))
        .field("id", "is not known"))
}

async fn list(State(watched): State<Watched>, uri: Uri, caller: Caller) -> Result<Json<Page<Wire>>, Problem> {
    let asked = Asked::of(&uri, &OF_LIST)?;
    let (limit, cursor) = (asked.limit()?, asked.cursor(Kind::Events)?);
    let query = query(&asked)?;
    let mut slots = Vec::new();
    for (service, app) in asked.services(&watched.apps)? {
        let feeds = app.feeds();
        let place = Begin::AtTheStart.events(&feeds, &cursor).await?;
        slots.push(Slot::new(service, &feeds, feeds.events(query.clone(), place)));
    }
    let mut merged = Merged::new(slots, cursor, &watched.apps);
    let (mut items, mut looked_at) = (Vec::new(), 0);
    while items.len() < limit
        && looked_at < PAGE_LOOKED_AT_MAX
        && let Some((slot, event)) = merged.next_now().await?
    {
        looked_at += 1;
        if caller.may_see(event.actor()) {
            items.push(Wire::new(slot.service, event));
        }
    }
    let cut = items.len() == limit || looked_at == PAGE_LOOKED_AT_MAX;
    Ok(Json(Page::after(items, &mut merged, cut).await?))
}

/// The events of this type, in this stream.
fn query(asked: &Asked) -> Result<Query, Problem> {
    let event_type = |text: &str| EventType::new(text).map_err(|invalid| invalid.to_string());
    let stream = |text: &str| StreamName::new(text).map_err(|invalid| invalid.to_string());
    let (event_type, stream) = (asked.filter("type", event_type)?, asked.filter("stream", stream)?);
    let mut item = QueryItem::default();
    if let Some(event_type) = event_type {
        item = item.event_type(event_type);
    }
    if let Some(stream) = stream {
        item = item.stream(stream);
    }
    Ok(if item.is_empty() { Query::All } else { item.into() })
}

async fn updates(
    State(watched): State<Watched>,
    uri: Uri,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    let asked = Asked::of(&uri, &OF_STREAM)?;
    let cursor = last_event_id(&headers, Kind::Events)?.unwrap_or(Cursor::new(Kind::Events));
    let mut slots = Vec::new();
    for (service, app) in asked.services(&watched.apps)? {
        let feeds = app.feeds();
        let place = Begin::Now.events(&feeds, &cursor).await?;
        slots.push(Slot::new(service, &feeds, feeds.events(Query::All, place)));
    }
    let merged = Merged::new(slots, cursor, &watched.apps);
    watched.streams.open(merged, true, move |slot, event| {
        let told = |event: RecordedEvent| Told {
            event: event.event_type.to_string(),
            data: Wire::new(slot.service, event),
        };
        caller.may_see(event.actor()).then(|| told(event))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(codec: Codec, payload: &[u8]) -> (String, Option<Codec>) {
        let (data, codec) = data(codec, payload);
        (data.get().to_owned(), codec)
    }

    #[test]
    fn json_is_shown_as_it_was_written() {
        for json in [r#"{"b": 1e400, "a": 18446744073709551616}"#, "null", "[1.0]"] {
            assert_eq!(shown(Codec::JSON, json.as_bytes()), (json.to_owned(), None));
        }
    }

    #[test]
    fn what_is_not_json_is_shown_in_base64_with_its_codec() {
        assert_eq!(shown(Codec::RAW, b"{}"), (r#""e30=""#.to_owned(), Some(Codec::RAW)));
        assert_eq!(shown(Codec(7), &[0, 255]), (r#""AP8=""#.to_owned(), Some(Codec(7))));
        assert_eq!(shown(Codec::JSON, b"{"), (r#""ew==""#.to_owned(), Some(Codec::JSON)));
    }
}
