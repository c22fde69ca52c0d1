//! What an administrator sees and does, in whichever service: how projections stand and how they are driven,
//! events and commands that are parked, what the logs hold. Everything here takes the role `admin`; every act is
//! told to the audit, with who did it.

mod log;
mod parked;
mod projections;
mod verbs;
mod which;

use crate::{Caller, Routes, operate};
use factum::App;
use std::sync::Arc;

/// Whom all of it is about.
type Apps = Arc<[(&'static str, App)]>;

/// Everything below `/admin`.
pub(crate) fn routes(apps: Apps) -> Routes {
    [
        projections::routes(Arc::clone(&apps)),
        verbs::routes(Arc::clone(&apps)),
        parked::routes(Arc::clone(&apps)),
        operate::admin_routes(Arc::clone(&apps)),
        log::routes(apps),
    ]
    .into_iter()
    .fold(Routes::new(), Routes::merge)
}

/// Tells the audit what somebody did to a projection.
fn acted(caller: &Caller, which: &which::Which, act: &str) {
    let which::Which { service, name, .. } = which;
    tracing::info!(target: "factum::audit", actor = %caller.actor, service, projection = name, act, "acted on a projection");
}
