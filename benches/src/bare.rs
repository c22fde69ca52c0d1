//! The least that could take in a command: an axum handler that reads the JSON, appends one commit to a log of
//! the same engine and answers once it is durable. It decides nothing, and remembers no command.

use crate::Failure;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::put,
};
use calculator::{Operation, ValueId};
use factum::{
    Clock, CommandId, CommandName, CommandPayload, CommandRecord, Condition, Entropy, EventType, Metadata,
    NewCommit, NewEvent, Outcome, StreamName, Uuid,
    log::Log,
    store::{Append, Store, SystemClock, SystemEntropy},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Deserialize)]
struct Update {
    operation: Operation,
    value: f64,
}

/// What is stored: the same fields as the calculator's event.
#[derive(Serialize)]
struct Updated {
    value_id: ValueId,
    operation: Operation,
    value: f64,
}

#[derive(Serialize)]
struct Taken {
    command_id: CommandId,
}

/// The one route, over `log`.
#[allow(clippy::disallowed_methods, reason = "it is measured against, so it has nothing of the platform")]
pub(crate) fn router(log: Arc<Log>) -> Router {
    Router::new().route("/values/{id}", put(update)).with_state(log)
}

async fn update(
    State(log): State<Arc<Log>>,
    Path(value_id): Path<ValueId>,
    Json(Update { operation, value }): Json<Update>,
) -> Result<(StatusCode, Json<Taken>), (StatusCode, String)> {
    let stored = append(&log, &Updated { value_id, operation, value }).await;
    let command_id = stored.map_err(|cause| (StatusCode::SERVICE_UNAVAILABLE, cause.to_string()))?;
    Ok((StatusCode::ACCEPTED, Json(Taken { command_id })))
}

async fn append(log: &Log, updated: &Updated) -> Result<CommandId, Failure> {
    let mut random = [0; 16];
    SystemEntropy.fill(&mut random);
    let command_id = CommandId::new(Uuid::from_bytes(random));
    let command = CommandRecord {
        id: command_id,
        name: CommandName::new("calculator.update-value")?,
        payload: CommandPayload::None,
        issued_at: SystemClock.now(),
        metadata: Metadata::default(),
    };
    let stream = StreamName::new(format!("calculator-{}", updated.value_id))?;
    let event_type = EventType::new("calculator.value-updated")?;
    let event = NewEvent::json(stream, event_type, serde_json::to_vec(updated)?);
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: vec![event] };
    let verdict = Store::append(log, vec![Append { commit, condition: Condition::none() }]).await.pop();
    verdict.ok_or("an append without a verdict")??;
    Ok(command_id)
}
