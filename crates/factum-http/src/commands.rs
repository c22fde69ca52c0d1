//! What became of commands, in whichever service they were sent to: one, a list, and streams of updates.
//! Senders are told of their own, operators of all; to others there is no such command, so that an id they
//! come by tells them nothing.

use crate::{
    Caller, PathId, Problem, ProblemType,
    audit::{Auditor, Place},
    cursor::{Cursor, Kind},
    feeds::{Asked, Begin, Merged, Page, Slot, Told, Watched, last_event_id},
};
use axum::{
    Extension, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use factum::{App, CommandId, CommandStatus, CommandUpdate, EventPlace, Status, Timestamp};
use serde::Serialize;

/// What the audit calls reading the status of a command.
const READ_COMMAND: &str = "factum.read-command";

pub(crate) fn routes(watched: Watched) -> Router {
    Router::new()
        .route("/commands", get(list))
        .route("/commands/updates", get(all_updates))
        .route("/commands/{id}", get(status))
        .route("/commands/{id}/updates", get(updates))
        .with_state(watched)
}

#[derive(Serialize)]
pub(crate) struct Wire {
    command_id: CommandId,
    service: &'static str,
    action: String,
    status: Status,
    events: Vec<EventPlace>,
    rejection: Option<Why>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    actor: Option<String>,
    issued_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct Why {
    code: String,
    reason: String,
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
) -> Result<Json<Wire>, Problem> {
    let asking = Asking { caller: &caller, place: &place, auditor: &auditor };
    let (service, _, status) = asking.find(&watched, id).await?;
    Ok(Json(Wire::new(service, status)))
}

async fn list(State(watched): State<Watched>, uri: Uri, caller: Caller) -> Result<Json<Page<Wire>>, Problem> {
    let asked = Asked::of(&uri, &["limit", "cursor", "service", "status"])?;
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
    use Status::{Accepted, Failed, Parked, Rejected, Succeeded};
    let all = [Accepted, Succeeded, Rejected, Parked, Failed];
    let named = all.into_iter().find(|status| status.to_string() == text);
    named.ok_or_else(|| format!("is one of {}", all.map(|status| status.to_string()).join(", ")))
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
    let asked = Asked::of(&uri, &["service"])?;
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
