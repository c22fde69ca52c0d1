//! The calculator over HTTP: `POST /values`, `PUT /values/{id}`, `GET /values/{id}`.

use crate::{CreateValue, Operation, UpdateValue, Value, ValueId};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use factum::{App, At, Uuid};
use factum_http::{
    Body, IfNoneMatch, Incoming, PathId, Permissions, Problem, ProblemType, Role, Routes, Service, Since,
    get, post, put,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A read waits so long for commands that were accepted before it.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

// ANCHOR: service
/// The calculator, over `app`.
pub fn service(app: App) -> Service {
    let which = "The value that was meant.";
    let create = post(create)
        .about("Creates a value")
        .mints::<ValueId>("value_id", which)
        .creates("/values/{value_id}");
    let update = put(update).about("Changes a value").mints::<ValueId>("value_id", which);
    let read = get(read).about("Reads a value").answers::<Read>();
    let routes = Routes::new()
        .command::<CreateValue>("/values", create)
        .command::<UpdateValue>("/values/{id}", update)
        .query("calculator.read-value", "/values/{id}", read)
        .with_state(app.clone());
    let permissions = Permissions::new()
        .commands_in("calculator", [Role::WRITER])
        .queries_in("calculator", [Role::READER, Role::WRITER]);
    Service {
        name: "calculator",
        about: "create a value, add to it, multiply it",
        app,
        routes,
        permissions,
        hints: &HINTS,
    }
}
// ANCHOR_END: service

const HINTS: [&str; 3] = [
    r#"id=$(curl -s -d '{"value": 2}' -H 'Content-Type: application/json' {url}/values | sed 's/.*"value_id":"\([^"]*\).*/\1/')"#,
    r#"curl -i -X PUT -d '{"operation": "ADD", "value": 2}' -H 'Content-Type: application/json' {url}/values/$id"#,
    "curl -s {url}/values/$id",
];

// ANCHOR: create_body
/// A value to begin.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewValue", example = Self { value: 2.0 })]
struct Create {
    /// At what.
    value: f64,
}
// ANCHOR_END: create_body

/// A change of a value.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ValueChange", example = Self { operation: Operation::Add, value: 2.0 })]
struct Update {
    operation: Operation,
    /// The operand.
    value: f64,
}

/// A value.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Value")]
struct Read {
    /// Which.
    #[schemars(with = "Uuid")]
    value_id: ValueId,
    /// What it came to.
    value: f64,
}

// ANCHOR: create
async fn create(
    State(app): State<App>,
    incoming: Incoming,
    Body(Create { value }): Body<Create>,
) -> Result<Response, Problem> {
    let value_id: ValueId = incoming.fresh_id();
    let created = format!("/values/{value_id}");
    incoming
        .submit(&app, CreateValue { value_id, value })
        .minted("value_id", value_id)
        .created_at(created)
        .await
}
// ANCHOR_END: create

// ANCHOR: update
async fn update(
    State(app): State<App>,
    PathId(value_id): PathId<ValueId>,
    incoming: Incoming,
    Body(Update { operation, value }): Body<Update>,
) -> Result<Response, Problem> {
    let command = UpdateValue { value_id, operation, value };
    incoming.submit(&app, command).minted("value_id", value_id).await
}
// ANCHOR_END: update

// ANCHOR: read
async fn read(
    State(app): State<App>,
    PathId(value_id): PathId<ValueId>,
    since: Since,
    unless: IfNoneMatch,
) -> Result<Response, Problem> {
    let fresh = since.live(&app)?;
    // Who reads after an answer sees what it was for, unless that takes uncommonly long.
    app.settled::<Value>(&value_id, SETTLES_WITHIN).await?;
    let At { state: Value(value), revision, token, .. } = app.view::<Value>(value_id).await?;
    let answer = match value {
        Some(value) => unless.answer(revision, Json(Read { value_id, value })),
        None => {
            let detail = format!("value with id {value_id} does not exist");
            Problem::new(ProblemType::NotFound, detail).into_response()
        }
    };
    Ok(fresh.answer(&token, answer))
}
// ANCHOR_END: read
