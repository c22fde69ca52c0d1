//! The administration without a socket: for a command line that holds the data itself, and so answers just as a
//! server of the same data would. Whoever can open the data may do everything to it.

use crate::{Caller, Problem, ProblemType, Role, admin, audit::Auditor};
use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{
        Method, Uri,
        header::{CONTENT_TYPE, LINK},
    },
};
use factum::{App, store::SystemClock};
use std::sync::Arc;
use tower::ServiceExt;

/// Everything below `/admin`, asked in this process.
#[derive(Clone, Debug)]
pub struct Administration(Router);

/// What the administration answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administered {
    /// Its status.
    pub status: u16,
    /// Where a list goes on, as the header `Link` has it.
    pub link: Option<String>,
    /// JSON, or problem+json from status 400 on.
    pub body: Vec<u8>,
}

impl Administration {
    /// Of these apps, each under the name of its service. What is done is done by `actor`.
    pub fn new(actor: &str, apps: impl IntoIterator<Item = (&'static str, App)>) -> Self {
        let caller = Caller { actor: actor.into(), roles: [Role::ADMIN].into() };
        let auditor = Auditor { clock: Arc::new(SystemClock), kept_by: None };
        let router = admin::routes(apps.into_iter().collect()).into_router();
        let router = router.fallback(async |method: Method, uri: Uri| {
            let detail = format!("there is no {method} {}", uri.path());
            Problem::new(ProblemType::NotFound, detail)
        });
        Self(router.layer(Extension(auditor)).layer(Extension(caller)))
    }

    /// Asks with `method` at `path`, which begins with `/admin`, sending `body` as JSON if there is one.
    ///
    /// # Panics
    /// When the method or the path is none.
    pub async fn ask(&self, method: &str, path: &str, body: Option<String>) -> Administered {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        let request = request.body(body.map_or_else(Body::empty, Body::from));
        let request = request.expect("the method and the path are the caller's own");
        let Ok(response) = self.0.clone().oneshot(request).await;
        let link = response.headers().get(LINK).and_then(|link| link.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await;
        let body = body.expect("the answer is made in this process").into();
        Administered { status, link, body }
    }
}
