//! `GET /commands/{id}`: what became of a command, in whichever service it was sent to.

use crate::{PathId, Problem, ProblemType};
use axum::{Json, Router, extract::State, routing::get};
use factum::{App, CommandId, CommandStatus, EventPlace, Status, Timestamp};
use serde::Serialize;
use std::sync::Arc;

/// The apps of all services, each with its name.
type Apps = Arc<[(&'static str, App)]>;

pub(crate) fn routes(apps: Apps) -> Router {
    Router::new().route("/commands/{id}", get(status)).with_state(apps)
}

#[derive(Serialize)]
struct Wire {
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
    fn new(service: &'static str, status: CommandStatus) -> Self {
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

async fn status(State(apps): State<Apps>, PathId(id): PathId<CommandId>) -> Result<Json<Wire>, Problem> {
    for (service, app) in apps.iter() {
        if let Some(status) = app.status(id).await? {
            return Ok(Json(Wire::new(service, status)));
        }
    }
    Err(Problem::new(ProblemType::NotFound, format!("there is no command with id {id}"))
        .field("id", "is not known"))
}
