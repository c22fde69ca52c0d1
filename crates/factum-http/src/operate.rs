//! What an operator does about commands that cannot be decided, in whichever service they stand: look at
//! them, drive one again, give one up. Who did it stands in the command log, with what came of it.

use crate::{
    Body, Caller, Description, PathId, Permissions, Problem, ProblemType, Routes,
    endpoint::{get, post},
};
use axum::{Json, extract::State};
use factum::{App, CommandId, Lanes, Parking, Uuid, limits::REASON_BYTES_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the permissions are called. An operator has each without a rule, and so has an administrator.
const LIST: &str = "factum.list-parked-commands";
const REDRIVE: &str = "factum.redrive-command";
const DISCARD: &str = "factum.discard-command";

type Apps = Arc<[(&'static str, App)]>;

/// `GET /commands/parked`, `POST /commands/{id}/redrive` and `POST /commands/{id}/discard`.
pub(crate) fn routes(apps: Apps) -> Routes {
    let parked = get(parked).about("Lists the commands that are parked").answers::<Listed>();
    let redrive = post(redrive).about("Drives a parked command again").answers::<Released>().with(acts);
    let discard = post(discard).about("Gives a parked command up").answers::<Released>().with(acts);
    Routes::new()
        .query(LIST, "/commands/parked", parked)
        .query(REDRIVE, "/commands/{id}/redrive", redrive)
        .query(DISCARD, "/commands/{id}/discard", discard)
        .with_state(apps)
        .under("factum", Arc::new(Permissions::new()))
}

/// The same below `/admin`, for administrators.
pub(crate) fn admin_routes(apps: Apps) -> Routes {
    let parked = get(parked).about("Lists the commands that are parked").answers::<Listed>();
    let redrive = post(redrive).about("Drives a parked command again").answers::<Released>().with(acts);
    let discard = post(discard).about("Gives a parked command up").answers::<Released>().with(acts);
    Routes::new()
        .administer(LIST, "/admin/commands/parked", parked)
        .administer(REDRIVE, "/admin/commands/{id}/redrive", redrive)
        .administer(DISCARD, "/admin/commands/{id}/discard", discard)
        .with_state(apps)
        .under("factum", Arc::new(Permissions::new()))
}

/// What an operator's word may be refused with.
fn acts(route: &mut Description) {
    route.refuses([
        ProblemType::NotParked,
        ProblemType::Conflict,
        ProblemType::TooLarge,
        ProblemType::Unknown,
    ]);
}

/// All that are parked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ParkedCommands")]
struct Listed {
    /// Each with what waits behind it.
    parked: Vec<Parked>,
}

/// A command that is parked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ParkedCommand")]
struct Parked {
    /// Which.
    #[schemars(with = "Uuid")]
    command_id: CommandId,
    /// The service it was sent to.
    service: &'static str,
    /// Its stored name.
    action: String,
    /// What commands wait in line for.
    key: String,
    /// Why it was parked.
    cause: String,
    /// The later commands of its key, in order: the first 100 of them.
    #[schemars(with = "Vec<Uuid>")]
    waiting: Vec<CommandId>,
    /// Whether more wait than those.
    more: bool,
}

impl Parked {
    fn new(service: &'static str, parking: Parking) -> Self {
        let Parking { command, name, key, cause, waiting, more } = parking;
        Self { command_id: command, service, action: name, key: key.to_string(), cause, waiting, more }
    }
}

async fn parked(State(apps): State<Apps>) -> Result<Json<Listed>, Problem> {
    let mut parked = Vec::new();
    for (service, app) in apps.iter() {
        if let Some(lanes) = app.lanes() {
            parked.extend(lanes.parked().await?.into_iter().map(|parking| Parked::new(service, parking)));
        }
    }
    Ok(Json(Listed { parked }))
}

/// What was done, and which commands come again, in this order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReleasedCommands")]
struct Released {
    /// The command that was parked.
    #[schemars(with = "Uuid")]
    command_id: CommandId,
    /// The service it was sent to.
    service: &'static str,
    /// Its stored name.
    action: String,
    /// What commands wait in line for.
    key: String,
    /// Why it had been parked.
    cause: String,
    /// The commands that come again at once, in order.
    #[schemars(with = "Vec<Uuid>")]
    released: Vec<CommandId>,
    /// Whether more come again after those.
    more: bool,
}

impl Released {
    fn new(service: &'static str, parking: Parking, released: Vec<CommandId>) -> Json<Self> {
        let Parking { command, name, key, cause, more, .. } = parking;
        let (command_id, action, key) = (command, name, key.to_string());
        Json(Self { command_id, service, action, key, cause, released, more })
    }
}

async fn redrive(
    State(apps): State<Apps>,
    PathId(id): PathId<CommandId>,
    caller: Caller,
) -> Result<Json<Released>, Problem> {
    let (service, lanes) = home(&apps, id).await?;
    let parking = lanes.redrive(id, &caller.actor).await?;
    tracing::info!(target: "factum::audit", command_id = %id, actor = %caller.actor, "driven again");
    let released = [&[id], &*parking.waiting].concat();
    Ok(Released::new(service, parking, released))
}

/// Why a command is given up.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Discard", example = Self { cause: "the account is closed".to_owned() })]
struct Why {
    /// In words.
    #[schemars(length(max = REASON_BYTES_MAX), regex(pattern = r"\S"))]
    cause: String,
}

/// What is wrong with the `cause` for which something is given up, if anything is.
pub(crate) fn check_cause(cause: &str, what: &str) -> Result<(), Problem> {
    let message = if cause.trim().is_empty() {
        format!("is empty: say why the {what} is given up")
    } else if cause.len() > REASON_BYTES_MAX {
        format!("has more than {REASON_BYTES_MAX} bytes")
    } else {
        return Ok(());
    };
    Err(Problem::new(ProblemType::Shape, format!("the field `cause` {message}")).field("cause", message))
}

async fn discard(
    State(apps): State<Apps>,
    PathId(id): PathId<CommandId>,
    caller: Caller,
    Body(why): Body<Why>,
) -> Result<Json<Released>, Problem> {
    check_cause(&why.cause, "command")?;
    let (service, lanes) = home(&apps, id).await?;
    let parking = lanes.discard(id, &caller.actor, &why.cause).await?;
    tracing::info!(target: "factum::audit", command_id = %id, actor = %caller.actor, cause = why.cause, "given up");
    let released = parking.waiting.clone();
    Ok(Released::new(service, parking, released))
}

/// The service that knows the command, and what decides its commands.
async fn home(apps: &Apps, id: CommandId) -> Result<(&'static str, &Lanes), Problem> {
    for (service, app) in apps.iter() {
        if app.status(id).await?.is_some() {
            let lanes = app.lanes().ok_or_else(|| not_parked(format!("command {id} was never for later")))?;
            return Ok((service, lanes));
        }
    }
    Err(Problem::new(ProblemType::NotFound, format!("there is no command with id {id}"))
        .field("id", "is not known"))
}

/// The command is there, and nothing is to be done about it.
fn not_parked(detail: String) -> Problem {
    Problem::new(ProblemType::NotParked, detail)
}
