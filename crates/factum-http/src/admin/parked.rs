//! Events that a projection could not apply, with what waits behind them: looked at, driven again, given up. Who gave
//! one up and why is kept with the projection.

use super::{
    Apps, acted,
    verbs::acts,
    which::{AtPosition, Which},
};
use crate::{
    Body, Caller, Listed, Permissions, Problem, ProblemType, Routes, Time,
    endpoint::{get, post},
    operate, path,
};
use axum::{Json, response::Response};
use factum::{EventId, EventType, ParkedEvent, Position, Timestamp, Uuid, limits::REASON_BYTES_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the permissions are called.
const LIST: &str = "factum.list-parked-events";
const REDRIVE: &str = "factum.redrive-event";
const DISCARD: &str = "factum.discard-event";

pub(super) fn routes(apps: Apps) -> Routes {
    let list = get(list).about("Lists the events that a projection could not apply").answers::<Vec<Wire>>();
    let refused = |route: &mut crate::Description| {
        acts(route);
        route.refuses([ProblemType::NotParked]);
    };
    let redrive = post(redrive).about("Applies a parked event again, then what waits behind it");
    let discard = post(discard).about("Gives a parked event up, and applies what waits behind it");
    Routes::new()
        .administer(LIST, "/admin/projections/{service}/{name}/parked", list)
        .administer(
            REDRIVE,
            "/admin/projections/{service}/{name}/parked/{position}/redrive",
            redrive.answers::<Applied>().with(refused),
        )
        .administer(
            DISCARD,
            "/admin/projections/{service}/{name}/parked/{position}/discard",
            discard.answers::<Applied>().with(refused),
        )
        .with_state(apps)
        .under("factum", Arc::new(Permissions::new()))
}

/// An event that could not be applied.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ParkedEvent")]
struct Wire {
    /// Where it stands in the log.
    #[schemars(with = "u64")]
    position: Position,
    /// What later events wait by.
    key: String,
    /// Which event, if the log can tell at the moment.
    #[schemars(with = "Option<Uuid>")]
    event_id: Option<EventId>,
    /// Its stored name, if the log can tell at the moment.
    #[serde(rename = "type")]
    #[schemars(with = "Option<String>")]
    event_type: Option<EventType>,
    /// Why it could not be applied.
    cause: String,
    /// How often it was tried.
    attempts: u32,
    /// When it was parked.
    #[schemars(with = "Time")]
    parked_at: Timestamp,
    /// How many events wait by the same key.
    waiting: u64,
}

impl From<ParkedEvent> for Wire {
    fn from(event: ParkedEvent) -> Self {
        let ParkedEvent { position, key, event_id, event_type, cause, attempts, at, waiting } = event;
        Self { position, key, event_id, event_type, cause, attempts, parked_at: at, waiting }
    }
}

async fn list(which: Which, listed: Listed) -> Result<Response, Problem> {
    let after = listed.cursor.as_deref().map(|cursor| place(cursor).ok_or_else(|| listed.not_its_cursor()));
    let after = after.transpose()?;
    // One more than is shown tells whether there is more.
    let mut events = which.app.projections().parked(which.name, after, listed.limit + 1).await?;
    let more = events.len() > listed.limit;
    events.truncate(listed.limit);
    let last = events.last().filter(|_| more);
    let next = last.map(|last| format!("{}.{}", last.position, last.key));
    let events: Vec<_> = events.into_iter().map(Wire::from).collect();
    Ok(listed.answer(&events, next.as_deref()))
}

/// What a cursor says: the last event that was shown.
fn place(cursor: &str) -> Option<(Position, String)> {
    let (position, key) = cursor.split_once('.')?;
    Some((Position::new(path::number(position)?), key.to_owned()))
}

/// What was done, and what came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ParkedEventReleased")]
struct Applied {
    /// The service.
    service: &'static str,
    /// The projection.
    name: &'static str,
    /// The event that was parked.
    #[schemars(with = "u64")]
    position: Position,
    /// What it was parked under.
    key: String,
    /// How many events were applied: itself if it was driven again, and those that waited behind it.
    applied: u64,
}

/// Which parked event is meant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ParkedUnder")]
struct Under {
    /// What it is parked under, as the list has it.
    key: String,
}

async fn redrive(
    which: Which,
    AtPosition(position): AtPosition,
    caller: Caller,
    Body(Under { key }): Body<Under>,
) -> Result<Json<Applied>, Problem> {
    let applied = which.app.projections().redrive(which.name, position, &key).await?;
    acted(&caller, &which, &format!("drove {position} under `{key}` again"));
    Ok(Json(Applied { service: which.service, name: which.name, position, key, applied }))
}

/// Which parked event is given up, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ParkedEventDiscard")]
struct Why {
    /// What it is parked under, as the list has it.
    key: String,
    /// In words.
    #[schemars(length(max = REASON_BYTES_MAX), regex(pattern = r"\S"))]
    cause: String,
}

async fn discard(
    which: Which,
    AtPosition(position): AtPosition,
    caller: Caller,
    Body(Why { key, cause }): Body<Why>,
) -> Result<Json<Applied>, Problem> {
    operate::check_cause(&cause, "event")?;
    let applied = which.app.projections().discard(which.name, position, &key, &caller.actor, &cause).await?;
    acted(&caller, &which, &format!("gave {position} under `{key}` up: {cause}"));
    Ok(Json(Applied { service: which.service, name: which.name, position, key, applied }))
}
