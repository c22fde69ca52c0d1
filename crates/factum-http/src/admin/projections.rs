//! How projections stand.

use super::{Apps, which::Which};
use crate::{Permissions, Problem, Routes, Time, endpoint::get};
use axum::{Json, extract::State};
use factum::{Build, BuildProgress, DiscardedEvent, Mode, Position, ProjectionStatus, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// What the permissions are called.
const LIST: &str = "factum.list-projections";
const READ: &str = "factum.read-projection";

pub(super) fn routes(apps: Apps) -> Routes {
    let list = get(list).about("Lists the projections of all services, with how they stand");
    let one = get(one).about("Tells how a projection stands").answers::<Wire>();
    Routes::new()
        .administer(LIST, "/admin/projections", list.answers::<Vec<Wire>>())
        .administer(READ, "/admin/projections/{service}/{name}", one)
        .with_state(apps)
        .under("factum", Arc::new(Permissions::new()))
}

/// How a projection stands.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProjectionStatus")]
pub(super) struct Wire {
    /// The service it belongs to.
    service: &'static str,
    /// What it is called.
    name: &'static str,
    /// The version that this build of the service has the code of.
    version: u32,
    /// Up to here every event was applied, or is parked.
    #[schemars(with = "u64")]
    position: Position,
    /// The last event of the log.
    #[schemars(with = "u64")]
    head: Position,
    /// How many events of the log it has not considered.
    lag_events: u64,
    /// How long ago the first of them was recorded.
    lag_seconds: f64,
    /// What it is doing.
    #[schemars(extend("enum" = factum::ProjectionState::WORDS))]
    status: &'static str,
    /// Whether it holds everything up to the head.
    caught_up: bool,
    /// Whether it should move, and has not for a while.
    stalled: bool,
    /// Why it has stopped, or tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    cause: Option<String>,
    /// Whether commands wait for it: `async` or `wait`.
    #[schemars(extend("enum" = ["async", "wait"]))]
    mode: &'static str,
    /// The build that is read, if there is one.
    build: Option<BuildWire>,
    /// Events that could not be applied.
    parked: u64,
    /// Events that wait behind these.
    waiting: u64,
    /// The build that is made beside it, if one is.
    building: Option<Building>,
    /// The build before, which it can go back to.
    previous: Option<BuildWire>,
    /// What was given up, the last first.
    discarded: Vec<Discarded>,
}

/// One making of a projection.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProjectionBuild")]
struct BuildWire {
    /// Of which version.
    version: u32,
    /// Which making, from 1.
    number: u32,
}

/// A build that is made beside the one that is read.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProjectionBuilding")]
struct Building {
    /// Which.
    build: BuildWire,
    /// What it is doing.
    #[schemars(extend("enum" = factum::ProjectionState::WORDS))]
    status: &'static str,
    /// Why it has stopped, or tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    cause: Option<String>,
    /// How far it has come.
    #[schemars(with = "u64")]
    position: Position,
    /// The last event of the log.
    #[schemars(with = "u64")]
    head: Position,
    /// How many events it considers in a second, on average since this process makes it.
    events_per_second: f64,
    /// How long it will take at that rate; null before there is one.
    seconds_left: Option<f64>,
}

/// An event that was given up.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DiscardedEvent")]
struct Discarded {
    /// The event.
    #[schemars(with = "u64")]
    position: Position,
    /// What it was parked under.
    key: String,
    /// Who gave it up.
    actor: String,
    /// Why.
    cause: String,
    /// When.
    #[schemars(with = "Time")]
    at: Timestamp,
}

impl From<Build> for BuildWire {
    fn from(Build { version, number, .. }: Build) -> Self {
        Self { version, number }
    }
}

impl From<BuildProgress> for Building {
    fn from(progress: BuildProgress) -> Self {
        Self {
            build: progress.build.into(),
            status: progress.state.as_str(),
            cause: progress.state.cause(),
            position: progress.position,
            head: progress.head,
            events_per_second: progress.events_per_second,
            seconds_left: progress.time_left.map(|left| left.as_secs_f64()),
        }
    }
}

impl From<DiscardedEvent> for Discarded {
    fn from(DiscardedEvent { position, key, actor, cause, at }: DiscardedEvent) -> Self {
        Self { position, key, actor, cause, at }
    }
}

impl Wire {
    pub(super) fn new(service: &'static str, status: ProjectionStatus) -> Self {
        Self {
            service,
            name: status.name,
            version: status.version,
            position: status.position,
            head: status.head,
            lag_events: status.lag_events,
            lag_seconds: status.lag.as_secs_f64(),
            status: status.state.as_str(),
            caught_up: status.caught_up(),
            stalled: status.stalled,
            cause: status.state.cause(),
            mode: match status.mode {
                Mode::Async => "async",
                Mode::Wait => "wait",
            },
            build: status.build.map(BuildWire::from),
            parked: status.parked,
            waiting: status.waiting,
            building: status.building.map(Building::from),
            previous: status.previous.map(BuildWire::from),
            discarded: status.discarded.into_iter().map(Discarded::from).collect(),
        }
    }

    /// How the projection stands now.
    pub(super) async fn of(which: &Which) -> Result<Self, Problem> {
        let status = which.app.projections().status(which.name).await?;
        Ok(Self::new(which.service, status))
    }
}

async fn list(State(apps): State<Apps>) -> Result<Json<Vec<Wire>>, Problem> {
    let mut all = Vec::new();
    for (service, app) in apps.iter() {
        let statuses = app.projections().statuses().await?;
        all.extend(statuses.into_iter().map(|status| Wire::new(service, status)));
    }
    Ok(Json(all))
}

async fn one(which: Which) -> Result<Json<Wire>, Problem> {
    Wire::of(&which).await.map(Json)
}
