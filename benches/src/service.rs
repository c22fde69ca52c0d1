//! What is measured of Factum: the calculator's domain behind the platform's own server, with gate,
//! permissions and metrics. Its handlers are those of the calculator, but that they note when a command was
//! meant to be sent.

use crate::{client::INTENDED, outcomes::Outcomes};
use axum::{
    extract::{FromRef, State},
    http::HeaderMap,
    response::Response,
};
use calculator::{Operation, UpdateValue, ValueId};
use factum::App;
use factum_http::{Body, Incoming, PathId, Permissions, Problem, Role, Routes, Service, put};
use schemars::JsonSchema;
use serde::Deserialize;

/// An application, and who sees its outcomes come; nobody where the answer is the outcome.
#[derive(Clone, Debug)]
pub(crate) struct Measuring {
    pub(crate) app: App,
    pub(crate) outcomes: Option<Outcomes>,
}

impl FromRef<Measuring> for App {
    fn from_ref(measuring: &Measuring) -> Self {
        measuring.app.clone()
    }
}

/// The service: logged where outcomes are to be seen, else direct.
pub(crate) fn service(measuring: Measuring) -> Service {
    let handler = if measuring.outcomes.is_some() { put(submit) } else { put(execute) };
    let app = measuring.app.clone();
    let routes = Routes::new().command::<UpdateValue>("/values/{id}", handler).with_state(measuring);
    let permissions = Permissions::new().commands_in("calculator", [Role::WRITER]);
    Service { name: "calculator", about: "change a value", app, routes, permissions, hints: &[] }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    operation: Operation,
    value: f64,
}

async fn submit(
    State(Measuring { app, outcomes }): State<Measuring>,
    PathId(value_id): PathId<ValueId>,
    incoming: Incoming,
    headers: HeaderMap,
    Body(Update { operation, value }): Body<Update>,
) -> Result<Response, Problem> {
    let command_id = incoming.command_id();
    if let Some((outcomes, intended)) = outcomes.zip(intended(&headers)) {
        outcomes.expect(command_id, intended);
    }
    let command = UpdateValue { value_id, operation, value };
    incoming.submit(&app, command).minted("value_id", value_id).await
}

async fn execute(
    State(Measuring { app, .. }): State<Measuring>,
    PathId(value_id): PathId<ValueId>,
    incoming: Incoming,
    Body(Update { operation, value }): Body<Update>,
) -> Result<Response, Problem> {
    let command = UpdateValue { value_id, operation, value };
    incoming.execute(&app, command).minted("value_id", value_id).await
}

fn intended(headers: &HeaderMap) -> Option<u64> {
    u64::from_str_radix(headers.get(INTENDED)?.to_str().ok()?, 16).ok()
}
