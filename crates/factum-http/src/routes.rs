//! The routes of a service, each with what it does: a command or a query. There is no way to add one that
//! says neither, so none goes unguarded.

use crate::{
    Caller, Permissions, Problem, ProblemType, Role,
    audit::{Auditor, Place},
    permissions::Action,
};
use axum::{
    Extension, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use factum::Command;
use std::{collections::BTreeSet, sync::Arc};

/// Routes that are guarded by the permissions of their service. `S` is the state that handlers still lack,
/// as it is for axum's `Router`.
#[derive(Clone, Debug)]
pub struct Routes<S = ()>(Router<S>);

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self(Router::new())
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
    pub fn command<C: Command>(self, path: &str, handler: MethodRouter<S>) -> Self {
        self.guarded(Action::Command(C::NAME), path, handler)
    }

    /// A route that asks the query `name`, such as `calculator.read-value`.
    ///
    /// # Panics
    /// As [`Self::command`].
    #[must_use]
    pub fn query(self, name: &'static str, path: &str, handler: MethodRouter<S>) -> Self {
        self.guarded(Action::Query(name), path, handler)
    }

    /// The routes with their state.
    pub fn with_state(self, state: S) -> Routes {
        Routes(self.0.with_state(state))
    }

    fn guarded(self, action: Action, path: &str, handler: MethodRouter<S>) -> Self {
        // Not `route_layer`, which would leave a handler's own fallback, and so `any`, unguarded.
        Self(self.0.route(path, handler.layer(middleware::from_fn_with_state(action, guard))))
    }
}

/// The service that a route belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceName(pub(crate) &'static str);

impl Routes {
    /// For a server: those of `service`, held to `permissions`.
    pub(crate) fn under(self, service: &'static str, permissions: Arc<Permissions>) -> Router {
        self.0.layer(Extension(permissions)).layer(Extension(ServiceName(service)))
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
