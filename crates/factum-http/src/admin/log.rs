//! What the logs of all services hold, and how much room they take.

use super::Apps;
use crate::{Permissions, Problem, Routes, endpoint::get};
use axum::{Json, extract::State};
use factum::{
    Position, Sequence, StoreError,
    store::{Head, Store},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// What the permission to see it is called.
const READ: &str = "factum.read-log";

pub(super) fn routes(apps: Apps) -> Routes {
    let show =
        get(show).about("Tells how far the logs of all services have come, and how much room they take");
    Routes::new()
        .administer(READ, "/admin/log", show.answers::<Vec<Logs>>())
        .with_state(apps)
        .under("factum", Arc::new(Permissions::new()))
}

/// The logs of one service.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServiceLogs")]
struct Logs {
    /// Whose.
    service: &'static str,
    /// Its log of events.
    events: Log,
    /// Its log of accepted commands, if it takes commands for later.
    commands: Option<Log>,
}

/// One log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ServiceLog")]
struct Log {
    /// The place of its last event.
    #[schemars(with = "u64")]
    position: Position,
    /// The number of its last commit.
    #[schemars(with = "u64")]
    sequence: Sequence,
    /// How many bytes it takes where it is kept; null where that is not known.
    bytes: Option<u64>,
}

impl Log {
    async fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let Head { position, sequence } = store.head().await?;
        Ok(Self { position, sequence, bytes: store.bytes().await? })
    }
}

async fn show(State(apps): State<Apps>) -> Result<Json<Vec<Logs>>, Problem> {
    let mut all = Vec::new();
    for (service, app) in apps.iter() {
        let events = Log::of(&**app.store()).await?;
        let commands = match app.lanes() {
            Some(lanes) => Some(Log::of(&**lanes.commands()).await?),
            None => None,
        };
        all.push(Logs { service, events, commands });
    }
    Ok(Json(all))
}
