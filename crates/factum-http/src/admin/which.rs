//! The projection that a path names, and the event of it that is meant: refused with what is not known.

use super::Apps;
use crate::{Describe, Description, Problem, ProblemType, openapi::Place, path};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use factum::{App, Position};
use serde_json::json;

/// A service of this server: the path parameter `{service}`.
#[derive(Clone, Debug)]
pub(super) struct OfService {
    pub(super) service: &'static str,
    pub(super) app: App,
}

/// A projection: the path parameters `{service}` and `{name}`.
#[derive(Clone, Debug)]
pub(super) struct Which {
    pub(super) service: &'static str,
    pub(super) name: &'static str,
    pub(super) app: App,
}

/// An event: the path parameter `{position}`.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtPosition(pub(super) Position);

async fn parameter(parts: &mut Parts, apps: &Apps, name: &str) -> Result<String, Problem> {
    let params = RawPathParams::from_request_parts(parts, apps).await;
    let params = params.map_err(|error| unknown(name, &error.to_string()))?;
    let found = params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
    found.ok_or_else(|| unknown(name, "it is missing"))
}

fn unknown(field: &str, detail: &str) -> Problem {
    Problem::new(ProblemType::NotFound, detail.to_owned()).field(field, "is not known")
}

impl FromRequestParts<Apps> for OfService {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, apps: &Apps) -> Result<Self, Problem> {
        let asked = parameter(parts, apps, "service").await?;
        let found = apps.iter().find(|(service, _)| *service == asked);
        let (service, app) = found.ok_or_else(|| {
            let known: Vec<_> = apps.iter().map(|(service, _)| *service).collect();
            unknown("service", &format!("there is no service `{asked}`; there is {}", known.join(", ")))
        })?;
        Ok(Self { service, app: app.clone() })
    }
}

impl FromRequestParts<Apps> for Which {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, apps: &Apps) -> Result<Self, Problem> {
        let OfService { service, app } = OfService::from_request_parts(parts, apps).await?;
        let asked = parameter(parts, apps, "name").await?;
        let name = app.projections().names().find(|name| *name == asked).ok_or_else(|| {
            let known: Vec<_> = app.projections().names().collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            unknown("name", &format!("`{service}` has no projection `{asked}`; it has {known}"))
        })?;
        Ok(Self { service, name, app })
    }
}

impl FromRequestParts<Apps> for AtPosition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, apps: &Apps) -> Result<Self, Problem> {
        let asked = parameter(parts, apps, "position").await?;
        let position = path::number(&asked).map(Position::new);
        position.map(Self).ok_or_else(|| {
            let message = "is a whole number, the place of an event in its log";
            Problem::new(ProblemType::Shape, format!("the `position` in the path {message}"))
                .field("position", message)
        })
    }
}

impl Describe for OfService {
    fn describe(route: &mut Description) {
        route.parameter(Place::Path, "service", "The service.", json!({"type": "string"}));
        route.refuses([ProblemType::NotFound]);
    }
}

impl Describe for Which {
    fn describe(route: &mut Description) {
        OfService::describe(route);
        route.parameter(Place::Path, "name", "The projection.", json!({"type": "string"}));
    }
}

impl Describe for AtPosition {
    fn describe(route: &mut Description) {
        let number = json!({"type": "string", "pattern": "^(0|[1-9][0-9]*)$"});
        route.parameter(Place::Path, "position", "Where the event stands in the log.", number);
    }
}
