//! What an administrator does to a projection as a whole. What takes its time is begun, and answered 202; how far
//! it is tells `GET /admin/projections/{service}/{name}`.

use super::{
    Apps, acted,
    projections::Wire,
    which::{OfService, Which},
};
use crate::{
    Caller, Description, Permissions, Problem, ProblemType, Routes, body::BodyOrNothing, endpoint::post,
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use factum::ProjectionError;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is done.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Pause,
    Resume,
    Cancel,
    Reset,
    Rollback,
    Enable,
    Disable,
}

impl Verb {
    const ALL: [Self; 7] =
        [Self::Pause, Self::Resume, Self::Cancel, Self::Reset, Self::Rollback, Self::Enable, Self::Disable];

    /// Its path, the name of its permission, and what it does.
    const fn told(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Pause => (
                "/admin/projections/{service}/{name}/pause",
                "factum.pause-projection",
                "Applies nothing from now on; what a projection holds is read as before",
            ),
            Self::Resume => (
                "/admin/projections/{service}/{name}/resume",
                "factum.resume-projection",
                "Goes on with a projection after a pause, or after it has stopped",
            ),
            Self::Cancel => (
                "/admin/projections/{service}/{name}/cancel",
                "factum.cancel-projection-build",
                "Gives up the build that is made beside a projection",
            ),
            Self::Reset => (
                "/admin/projections/{service}/{name}/reset",
                "factum.reset-projection",
                "Begins a projection again with nothing, which readers see at once",
            ),
            Self::Rollback => (
                "/admin/projections/{service}/{name}/rollback",
                "factum.roll-back-projection",
                "Goes back to the build before the one that is read",
            ),
            Self::Enable => (
                "/admin/projections/{service}/{name}/enable",
                "factum.enable-projection",
                "Runs and reads a disabled projection again",
            ),
            Self::Disable => (
                "/admin/projections/{service}/{name}/disable",
                "factum.disable-projection",
                "Neither runs nor reads a projection from now on; what it holds is kept",
            ),
        }
    }

    /// Whether it is only begun when it is answered.
    const fn takes_time(self) -> bool {
        matches!(self, Self::Reset | Self::Rollback)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Reset => "reset",
            Self::Rollback => "rollback",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }

    async fn done(self, which: Which, caller: Caller) -> Result<Response, Problem> {
        let (projections, name) = (which.app.projections(), which.name);
        let done: Result<(), ProjectionError> = match self {
            Self::Pause => projections.pause(name).await,
            Self::Resume => projections.resume(name).await,
            Self::Cancel => projections.cancel(name).await,
            Self::Reset => projections.reset(name).await,
            Self::Rollback => projections.rollback(name).await,
            Self::Enable => projections.enable(name).await,
            Self::Disable => projections.disable(name).await,
        };
        done?;
        acted(&caller, &which, self.word());
        let status = if self.takes_time() { StatusCode::ACCEPTED } else { StatusCode::OK };
        Ok((status, Json(Wire::of(&which).await?)).into_response())
    }
}

/// What the permission to make projections anew is called.
const REBUILD: &str = "factum.rebuild-projection";

pub(super) fn routes(apps: Apps) -> Routes {
    let mut routes = Routes::new();
    for verb in Verb::ALL {
        let (path, permission, about) = verb.told();
        let endpoint = post(async move |which: Which, caller: Caller| verb.done(which, caller).await);
        let endpoint = endpoint.about(about).with(|route| {
            acts(route);
            if verb.takes_time() { begins::<Wire>(route) } else { route.answers_json::<Wire>() }
        });
        routes = routes.administer(permission, path, endpoint);
    }
    let one = post(rebuild)
        .about("Makes a projection anew beside the one that is read, or what stands under one key");
    let one = one.with(|route| {
        acts(route);
        begins::<Wire>(route);
        let schema = SchemaGenerator::subschema_for::<KeyRebuilt>;
        route.answer(200, "What stands under the key was made anew.", Some(("application/json", schema)));
    });
    let several = post(rebuild_several).about("Makes several projections anew, in one pass over the log");
    let several = several.with(|route| {
        acts(route);
        begins::<Vec<Wire>>(route);
    });
    routes
        .administer(REBUILD, "/admin/projections/{service}/{name}/rebuild", one)
        .administer(REBUILD, "/admin/projections/{service}/rebuild", several)
        .with_state(apps)
        .under("factum", Arc::new(Permissions::new()))
}

/// What any act on a projection may be refused with.
pub(super) fn acts(route: &mut Description) {
    route.refuses([ProblemType::State]);
}

fn begins<T: JsonSchema>(route: &mut Description) {
    let schema = SchemaGenerator::subschema_for::<T>;
    route.answer(202, "It has begun.", Some(("application/json", schema)));
}

/// What of a projection is made anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProjectionRebuild")]
struct OfWhat {
    /// Only what stands under this key; all of it if nothing is said.
    key: Option<String>,
}

/// What stands under a key was made anew.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProjectionKeyRebuilt")]
struct KeyRebuilt {
    /// The service.
    service: &'static str,
    /// The projection.
    name: &'static str,
    /// The key.
    key: String,
    /// From so many events.
    events: u64,
}

async fn rebuild(
    which: Which,
    caller: Caller,
    BodyOrNothing(of): BodyOrNothing<OfWhat>,
) -> Result<Response, Problem> {
    let (projections, Which { service, name, .. }) = (which.app.projections(), &which);
    let Some(key) = of.key else {
        projections.rebuild(name).await?;
        acted(&caller, &which, "rebuild");
        return Ok((StatusCode::ACCEPTED, Json(Wire::of(&which).await?)).into_response());
    };
    let events = projections.rebuild_key(name, &key).await?;
    acted(&caller, &which, "rebuild of a key");
    Ok(Json(KeyRebuilt { service, name, key, events }).into_response())
}

/// Which projections are made anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProjectionsRebuild")]
struct OfWhich {
    /// Their names; all of the service if nothing is said.
    names: Option<Vec<String>>,
}

async fn rebuild_several(
    OfService { service, app }: OfService,
    caller: Caller,
    BodyOrNothing(of): BodyOrNothing<OfWhich>,
) -> Result<Response, Problem> {
    let known: Vec<_> = app.projections().names().collect();
    let names = match of.names {
        None => known,
        Some(asked) => asked.iter().map(|asked| named(&known, asked)).collect::<Result<Vec<_>, _>>()?,
    };
    app.projections().rebuild_all(&names).await?;
    let mut begun = Vec::new();
    for name in names {
        let which = Which { service, name, app: app.clone() };
        acted(&caller, &which, "rebuild");
        begun.push(Wire::of(&which).await?);
    }
    Ok((StatusCode::ACCEPTED, Json(begun)).into_response())
}

/// The projection of this name, before anything of the others is begun.
fn named(known: &[&'static str], asked: &str) -> Result<&'static str, Problem> {
    known.iter().find(|name| **name == asked).copied().ok_or_else(|| {
        let message = format!("names `{asked}`, which is none of {}", known.join(", "));
        Problem::new(ProblemType::Shape, format!("the field `names` {message}")).field("names", message)
    })
}
