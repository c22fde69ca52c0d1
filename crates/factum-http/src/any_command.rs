//! `POST /commands {action, data}`: any command of any service, by its stored name and in its stored form.

use crate::{
    Body, Caller, Incoming, Permissions, Problem, ProblemType, Routes, Service,
    audit::{Auditor, Place},
    endpoint::post,
    openapi::Command,
    permissions::Action,
    routes::allow,
    send::{Sending, Sent},
};
use axum::{
    Extension,
    extract::{FromRef, State},
    response::Response,
};
use factum::{App, SubmitError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// A command by its name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AnyCommand {
    /// Its stored name.
    action: String,
    /// Its stored form.
    data: Value,
}

/// Who takes commands, and what callers may send them.
struct Taker {
    service: &'static str,
    app: App,
    permissions: Permissions,
}

#[derive(Clone)]
struct Takers(Arc<[Taker]>);

/// Ids are made and times are stamped by any app: all take them from the same ports.
impl FromRef<Takers> for App {
    fn from_ref(Takers(takers): &Takers) -> Self {
        takers[0].app.clone()
    }
}

/// The route, if any service takes commands.
pub(crate) fn routes(services: &[Service]) -> Routes {
    let takes = |service: &&Service| service.app.lanes().is_some();
    let takers = services.iter().filter(takes).map(|service| Taker {
        service: service.name,
        app: service.app.clone(),
        permissions: service.permissions.clone(),
    });
    let takers: Arc<[_]> = takers.collect();
    if takers.is_empty() {
        return Routes::new();
    }
    let names = takers.iter().filter_map(|taker| taker.app.lanes()).flat_map(|lanes| lanes.command_names());
    let names = names.collect();
    let send = post(send).about("Sends any command by its name").creates("/commands/{id}").with(|route| {
        route.sends(Command::Any);
        route.refuses([ProblemType::Denied]);
        if let Some(body) = &mut route.body {
            body.narrowed = Some(("action", names));
        }
    });
    Routes::new().open("/commands", send).with_state(Takers(takers))
}

async fn send(
    State(Takers(takers)): State<Takers>,
    incoming: Incoming,
    caller: Caller,
    place: Place,
    Extension(auditor): Extension<Auditor>,
    Body(AnyCommand { action, data }): Body<AnyCommand>,
) -> Result<Response, Problem> {
    let named = |taker: &Taker| taker.app.lanes()?.command_names().into_iter().find(|name| *name == action);
    let found = takers.iter().find_map(|taker| named(taker).map(|name| (taker, name)));
    let Some((taker, name)) = found else { return Err(unknown(&action, &takers)) };
    allow(&taker.permissions, &caller, Action::Command(name), &auditor, &place)?;
    // One key is one request, whichever service it was for.
    for other in takers.iter().filter(|other| other.service != taker.service) {
        if other.app.status(incoming.command_id()).await?.is_some() {
            return Err(SubmitError::KeyReused { command: incoming.command_id() }.into());
        }
    }
    let (incoming, data) = (incoming.for_service(taker.service), data.to_string());
    let sent =
        async { Ok(Sent::Accepted(taker.app.submit_named(name, data.as_bytes(), incoming.intake()).await?)) };
    let at = format!("/commands/{}", incoming.command_id());
    Sending::new(&taker.app, &incoming, Box::pin(sent)).created_at(at).await
}

fn unknown(action: &str, takers: &[Taker]) -> Problem {
    let names = takers.iter().filter_map(|taker| taker.app.lanes());
    let names: Vec<_> =
        names.flat_map(|lanes| lanes.command_names()).map(|name| format!("`{name}`")).collect();
    let detail = format!("there is no command `{action}`: send one of {}", names.join(", "));
    Problem::new(ProblemType::Shape, detail).field("action", "is not known")
}
