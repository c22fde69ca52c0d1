//! `GET /commands/{id}`: what became of a command, in whichever service it was sent to. Its sender is told,
//! and an operator; to others there is no such command, so that an id they come by tells them nothing.

use crate::{
    Caller, PathId, Problem, ProblemType,
    audit::{Auditor, Place},
};
use axum::{Extension, Json, Router, extract::State, routing::get};
use factum::{App, CommandId, CommandStatus, EventPlace, Status, Timestamp};
use serde::Serialize;
use std::sync::Arc;

/// What the audit calls reading the status of a command.
const READ_COMMAND: &str = "factum.read-command";

/// The apps of all services, each with its name.
type Apps = Arc<[(&'static str, App)]>;

pub(crate) fn routes(apps: Apps) -> Router {
    Router::new().route("/commands/{id}", get(status)).with_state(apps)
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

async fn status(
    State(apps): State<Apps>,
    PathId(id): PathId<CommandId>,
    caller: Caller,
    place: Place,
    Extension(auditor): Extension<Auditor>,
) -> Result<Json<Wire>, Problem> {
    for (service, app) in apps.iter() {
        match app.status(id).await? {
            Some(status) if caller.may_see(status.actor.as_deref()) => {
                return Ok(Json(Wire::new(service, status)));
            }
            Some(_) => auditor.denied(&caller, READ_COMMAND, &place, "it is another sender's command"),
            None => {}
        }
    }
    Err(Problem::new(ProblemType::NotFound, format!("there is no command with id {id}"))
        .field("id", "is not known"))
}
