//! What is remembered of a refusal that is about who asked: an event of `tracing` at level `warn` with the
//! target `factum::audit`, and an entry wherever the application keeps them. Never a token.

use crate::Caller;
use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
};
use factum::{Clock, Timestamp};
use serde::Serialize;
use std::{convert::Infallible, fmt, sync::Arc};

/// A request that was refused for lack of a role, or because what it asked for is another's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub actor: String,
    /// For what: the stored name of a command, or the name of a query.
    pub action: String,
    /// With which method.
    pub method: String,
    /// At which path, without what follows a `?`.
    pub path: String,
    /// Why not.
    pub reason: String,
}

/// Keeps denials. Called once for each, before it is answered.
pub trait Audit: fmt::Debug + Send + Sync {
    /// Keeps one. What cannot be kept is logged: the request is refused all the same.
    fn denied(&self, denial: &Denial);
}

/// Where the denials of one server go.
#[derive(Clone, Debug)]
pub(crate) struct Auditor {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) kept_by: Option<Arc<dyn Audit>>,
}

impl Auditor {
    pub(crate) fn denied(&self, caller: &Caller, action: &str, place: &Place, reason: &str) {
        let denial = Denial {
            at: self.clock.now(),
            actor: caller.actor.to_string(),
            action: action.to_owned(),
            method: place.method.to_string(),
            path: place.path.clone(),
            reason: reason.to_owned(),
        };
        let Denial { actor, method, path, .. } = &denial;
        tracing::warn!(target: "factum::audit", actor = %actor, action, %method, path, reason, "denied");
        if let Some(audit) = &self.kept_by {
            audit.denied(&denial);
        }
    }
}

/// What a request is aimed at.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) method: Method,
    pub(crate) path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { method: parts.method.clone(), path: parts.uri.path().to_owned() })
    }
}
