//! What became of commands, in whichever service they were sent to: one, a list, and streams of updates.
//! Senders are told of their own, operators of all; to others there is no such command, so that an id they
//! come by tells them nothing.

use crate::{
    Caller, PathId, Problem, ProblemType, Routes, Time,
    audit::{Auditor, Place},
    cursor::{Cursor, Kind},
    endpoint::get,
    feeds::{
        Asked, Begin, CURSOR, LIMIT, Merged, Page, SERVICE, Slot, Told, Watched, describe, last_event_id,
        streams,
    },
    openapi::HeldAt,
    send, since,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use factum::{App, CommandId, CommandStatus, CommandUpdate, EventPlace, Status, Timestamp, Uuid};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

/// What the audit calls reading the status of a command.
const READ_COMMAND: &str = "factum.read-command";

/// What a list and a stream of commands may be asked for.
const OF_LIST: [&str; 4] = [LIMIT, CURSOR, SERVICE, "status"];
const OF_STREAM: [&str; 1] = [SERVICE];

pub(crate) fn routes(watched: Watched) -> Routes {
    let list = get(list).about("Lists commands, the first accepted first").answers::<Page<Wire>>();
    let all = get(all_updates).about("Streams what becomes of commands");
    let status = get(status).about("Tells what became of a command").answers::<Wire>();
    let status = status.with(|route| route.held_at = HeldAt::Final);
    let updates = get(updates).about("Streams what becomes of a command, from its beginning to its end");
    Routes::new()
        .open("/commands", list.with(|route| describe(route, &OF_LIST)))
        .open("/commands/updates", all.with(|route| streams(route, &OF_STREAM, UPDATE)))
        .open("/commands/{id}", status)
        .open(
            "/commands/{id}/updates",
            updates.with(|route| {
                streams(route, &[], UPDATE);
                route.answer(204, "All that there will ever be was told: do not come back.", None);
            }),
        )
        .with_state(watched)
}

/// An update, as it is told.
const UPDATE: &str = "Server-Sent Events: `id` is the place of the update, `event` the status of the command, \
                      `data` what `GET /commands/{id}` answers.";

/// Where a command stands.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CommandStatus")]
pub(crate) struct Wire {
    /// Which command.
    #[schemars(with = "Uuid")]
    command_id: CommandId,
    /// The service it was sent to.
    service: &'static str,
    /// Its stored name.
    action: String,
    /// Where it stands: `succeeded`, `rejected` and `failed` are final.
    #[schemars(schema_with = "status_schema")]
    status: Status,
    /// What happened, in order.
    #[schemars(with = "Vec<EventPlaceSchema>")]
    events: Vec<EventPlace>,
    /// Why the domain said no.
    rejection: Option<Why>,
    /// Why it was parked or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Who sent it.
    actor: Option<String>,
    /// When it came in.
    #[schemars(with = "Time")]
    issued_at: Timestamp,
    /// When its status last changed.
    #[schemars(with = "Time")]
    updated_at: Timestamp,
}

/// Why a command was rejected.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rejection")]
struct Why {
    /// Stable and short: programs branch on it.
    code: String,
    /// For a person.
    reason: String,
}

// As `EventPlace` is written.
/// Where an event came to stand.
#[derive(JsonSchema)]
#[schemars(rename = "EventPlace")]
#[allow(dead_code, reason = "only its form is used")]
struct EventPlaceSchema {
    /// Which event.
    id: Uuid,
    /// Its stored name.
    r#type: String,
    /// The stream it is in.
    stream: String,
    /// Where it stands in its stream, from 0.
    revision: u64,
    /// Where it stands in the log, from 1.
    #[schemars(range(min = 1))]
    position: u64,
}

/// Everywhere a command may stand.
const STATUSES: [Status; 5] =
    [Status::Accepted, Status::Succeeded, Status::Rejected, Status::Parked, Status::Failed];

/// The form of a status.
pub(crate) fn status_form() -> Value {
    json!({"type": "string", "enum": STATUSES.map(|status| status.to_string())})
}

fn status_schema(_: &mut SchemaGenerator) -> Schema {
    Schema::try_from(status_form()).expect("an object is a schema")
}

impl Wire {
    pub(crate) fn new(service: &'static str, status: CommandStatus) -> Self {
        Self {
            command_id: status.command_id,
            service,
            action: status.name.to_string(),
            status: status.status,
            events: status.events,
            rejection: status.rejection.map(|why| Why { code: why.code, reason: why.reason }),
            cause: status.cause,
            actor: status.actor.map(|actor| actor.to_string()),
            issued_at: status.issued_at,
            updated_at: status.updated_at,
        }
    }
}

/// Who asks about one command, and how that is kept if it is another's.
struct Asking<'a> {
    caller: &'a Caller,
    place: &'a Place,
    auditor: &'a Auditor,
}

impl Asking<'_> {
    /// The service that has the command, and where the command stands.
    ///
    /// # Errors
    /// 404 when there is none that the caller may see.
    async fn find<'a>(
        &self,
        watched: &'a Watched,
        id: CommandId,
    ) -> Result<(&'static str, &'a App, CommandStatus), Problem> {
        for (service, app) in watched.apps.iter() {
            match app.status(id).await? {
                Some(status) if self.caller.may_see(status.actor.as_deref()) => {
                    return Ok((service, app, status));
                }
                Some(_) => {
                    self.auditor.denied(
                        self.caller,
                        READ_COMMAND,
                        self.place,
                        "it is another sender's command",
                    );
                }
                None => {}
            }
        }
        Err(Problem::new(ProblemType::NotFound, format!("there is no command with id {id}"))
            .field("id", "is not known"))
    }
}

async fn status(
    State(watched): State<Watched>,
    PathId(id): PathId<CommandId>,
    caller: Caller,
    place: Place,
    Extension(auditor): Extension<Auditor>,
) -> Result<Response, Problem> {
    let asking = Asking { caller: &caller, place: &place, auditor: &auditor };
    let (service, app, status) = asking.find(&watched, id).await?;
    let place = send::place(app, &status);
    let response = Json(Wire::new(service, status));
    Ok(match place {
        Some(place) => since::at(&place, response),
        None => response.into_response(),
    })
}

async fn list(State(watched): State<Watched>, uri: Uri, caller: Caller) -> Result<Json<Page<Wire>>, Problem> {
    let asked = Asked::of(&uri, &OF_LIST)?;
    let (limit, cursor) = (asked.limit()?, asked.cursor(Kind::Commands)?);
    let wanted = asked.filter("status", status_named)?;
    let mut slots = Vec::new();
    for (service, app) in asked.services(&watched.apps)? {
        let feeds = app.feeds();
        let place = Begin::AtTheStart.commits(&feeds, &cursor).await?;
        slots.push(Slot::new(service, &feeds, feeds.arrivals(place)));
    }
    let mut merged = Merged::new(slots, cursor, &watched.apps);
    let mut items = Vec::new();
    while items.len() < limit
        && let Some((slot, arrival)) = merged.next_now().await?
    {
        if !caller.may_see(arrival.actor.as_deref()) {
            continue;
        }
        let status = slot.source.status(&arrival).await?;
        let status = status.filter(|status| wanted.is_none_or(|wanted| wanted == status.status));
        items.extend(status.map(|status| Wire::new(slot.service, status)));
    }
    let cut = items.len() == limit;
    Ok(Json(Page::after(items, &mut merged, cut).await?))
}

fn status_named(text: &str) -> Result<Status, String> {
    let named = STATUSES.into_iter().find(|status| status.to_string() == text);
    named.ok_or_else(|| format!("is one of {}", STATUSES.map(|status| status.to_string()).join(", ")))
}

async fn updates(
    State(watched): State<Watched>,
    PathId(id): PathId<CommandId>,
    uri: Uri,
    headers: HeaderMap,
    caller: Caller,
    place: Place,
    Extension(auditor): Extension<Auditor>,
) -> Result<Response, Problem> {
    Asked::of(&uri, &[])?;
    let told = last_event_id(&headers, Kind::Commands)?;
    let asking = Asking { caller: &caller, place: &place, auditor: &auditor };
    let (service, app, _) = asking.find(&watched, id).await?;
    let comes_back = told.is_some();
    let (feeds, cursor) = (app.feeds(), told.unwrap_or(Cursor::new(Kind::Commands)));
    let history = feeds.command_history(id, Begin::AtTheStart.commits(&feeds, &cursor).await?);
    let slots = vec![Slot::new(service, &feeds, history)];
    let mut merged = Merged::new(slots, cursor, &watched.apps);
    if comes_back && !merged.look_ahead().await? && merged.ended() {
        // What tells a browser not to come back again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    watched.streams.open(merged, false, |slot, update| Some(told_as(slot.service, update)))
}

async fn all_updates(
    State(watched): State<Watched>,
    uri: Uri,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    let asked = Asked::of(&uri, &OF_STREAM)?;
    let cursor = last_event_id(&headers, Kind::Commands)?.unwrap_or(Cursor::new(Kind::Commands));
    let mut slots = Vec::new();
    for (service, app) in asked.services(&watched.apps)? {
        let feeds = app.feeds();
        let place = Begin::Now.commits(&feeds, &cursor).await?;
        slots.push(Slot::new(service, &feeds, feeds.command_updates(place)));
    }
    let merged = Merged::new(slots, cursor, &watched.apps);
    watched.streams.open(merged, true, move |slot, update| {
        caller.may_see(update.status.actor.as_deref()).then(|| told_as(slot.service, update))
    })
}

fn told_as(service: &'static str, update: CommandUpdate) -> Told<Wire> {
    Told { event: update.status.status.to_string(), data: Wire::new(service, update.status) }
}
