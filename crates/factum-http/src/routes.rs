//! The routes of a service, each with what it does: a command or a query. There is no way to add one that
//! says neither, so none goes unguarded.

use crate::{
    Caller, Description, Endpoint, Permissions, Problem, ProblemType, Role,
    audit::{Auditor, Place},
    openapi,
    permissions::Action,
};
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::Method,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use factum::{Command, Reject};
use std::{collections::BTreeSet, sync::Arc};

/// Routes that are guarded by the permissions of their service. `S` is the state that handlers still lack,
/// as it is for axum's `Router`.
#[derive(Clone, Debug)]
pub struct Routes<S = ()> {
    router: Router<S>,
    declared: Vec<Declared>,
}

/// A route as it is described.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) path: String,
    pub(crate) method: Method,
    pub(crate) description: Description,
    /// Whether its callers are told apart.
    pub(crate) gated: bool,
    /// What it takes to ask, and the roles that have it once the service says so.
    pub(crate) permission: Option<(&'static str, BTreeSet<Role>)>,
    action: Option<Action>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self { router: Router::new(), declared: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A route that sends the command `C`.
    ///
    /// # Panics
    /// When the path and method are taken, or the path is not of axum's form.
    #[must_use]
    pub fn command<C: Command>(self, path: &str, endpoint: Endpoint<S>) -> Self {
        let cases = <C::Rejection as Reject>::cases();
        let endpoint = endpoint.with(|route| route.sends(openapi::Command::Of(cases)));
        self.guarded(Action::Command(C::NAME), path, endpoint)
    }

    /// A route that asks the query `name`, such as `calculator.read-value`.
    ///
    /// # Panics
    /// As [`Self::command`].
    #[must_use]
    pub fn query(self, name: &'static str, path: &str, endpoint: Endpoint<S>) -> Self {
        let endpoint = endpoint.with(Description::reads);
        self.guarded(Action::Query(name), path, endpoint)
    }

    /// A route of the platform for administrators alone, under the name of this permission.
    pub(crate) fn administer(self, name: &'static str, path: &str, endpoint: Endpoint<S>) -> Self {
        let endpoint = endpoint.with(Description::reads);
        self.guarded(Action::Administer(name), path, endpoint)
    }

    /// A route of the platform, which sees itself to who may ask.
    pub(crate) fn open(self, path: &str, endpoint: Endpoint<S>) -> Self {
        let endpoint = endpoint.with(|route| {
            route.reads();
            route.passes_the_gate();
        });
        self.route(path, endpoint, None, true)
    }

    /// A route of the platform that is asked past the gate.
    pub(crate) fn ungated(self, path: &str, endpoint: Endpoint<S>) -> Self {
        self.route(path, endpoint, None, false)
    }

    /// The routes with their state.
    pub fn with_state(self, state: S) -> Routes {
        Routes { router: self.router.with_state(state), declared: self.declared }
    }

    fn guarded(self, action: Action, path: &str, endpoint: Endpoint<S>) -> Self {
        let mut endpoint = endpoint.with(|route| {
            route.refuses([ProblemType::Denied]);
            route.passes_the_gate();
        });
        // Not `route_layer`, which would leave a handler's own fallback unguarded.
        endpoint.handler = endpoint.handler.layer(middleware::from_fn_with_state(action, guard));
        self.route(path, endpoint, Some(action), true)
    }

    #[allow(clippy::disallowed_methods, reason = "this is where it is guarded and described")]
    fn route(mut self, path: &str, endpoint: Endpoint<S>, action: Option<Action>, gated: bool) -> Self {
        let Endpoint { method, handler, description } = endpoint;
        self.declared.push(Declared {
            path: path.to_owned(),
            method,
            description,
            gated,
            permission: None,
            action,
        });
        Self { router: self.router.route(path, handler), declared: self.declared }
    }
}

/// The service that a route belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceName(pub(crate) &'static str);

impl Routes {
    /// For a server: those of `service`, held to `permissions`.
    pub(crate) fn under(mut self, service: &'static str, permissions: Arc<Permissions>) -> Self {
        for route in &mut self.declared {
            route.permission = route.action.map(|action| (action.name(), permissions.roles(action)));
        }
        let router = self.router.layer(Extension(permissions)).layer(Extension(ServiceName(service)));
        Self { router, ..self }
    }

    /// These and those of `other`.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.declared.extend(other.declared);
        Self { router: self.router.merge(other.router), declared: self.declared }
    }

    /// What they are described as.
    pub(crate) fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// For a server: as axum has them.
    pub(crate) fn into_router(self) -> Router {
        self.router
    }
}

/// Lets through who may do `action`. Before any handler runs, so that nothing of a denied command is stored.
async fn guard(
    State(action): State<Action>,
    Extension(permissions): Extension<Arc<Permissions>>,
    Extension(auditor): Extension<Auditor>,
    caller: Caller,
    place: Place,
    request: Request,
    next: Next,
) -> Response {
    match allow(&permissions, &caller, action, &auditor, &place) {
        Ok(()) => next.run(request).await,
        Err(denied) => denied.into_response(),
    }
}

/// Lets `caller` do `action`, or writes down that they may not.
///
/// # Errors
/// 403.
pub(crate) fn allow(
    permissions: &Permissions,
    caller: &Caller,
    action: Action,
    auditor: &Auditor,
    place: &Place,
) -> Result<(), Problem> {
    match permissions.check(caller, action) {
        Ok(()) => Ok(()),
        Err(roles) => {
            let reason = format!("it takes the role {}", one_of(&roles));
            auditor.denied(caller, action.name(), place, &reason);
            let detail = format!("`{}` may not do `{}`: {reason}", caller.actor, action.name());
            let roles = roles.iter().map(Role::to_string).collect();
            Err(Problem::new(ProblemType::Denied, detail).allowed(action.name(), roles))
        }
    }
}

fn one_of(roles: &BTreeSet<Role>) -> String {
    let names: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
    names.join(" or ")
}
