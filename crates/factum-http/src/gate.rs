//! The way in: who asks, whether they may ask so often, whether there is room. In this order, before a body
//! is read, so that whoever is turned away has cost next to nothing. Health is asked past it.

use crate::{Access, Audit, Limits, Problem, ProblemType, audit::Auditor, body, limits, rate::Rates};
use axum::{
    Router,
    body::HttpBody,
    extract::{Request, State},
    http::header::{CONNECTION, RETRY_AFTER},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use factum::{Clock, store::SystemClock};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How a server is guarded. By default nothing tells callers apart, so that it stays on loopback.
#[derive(Clone, Debug)]
pub struct Gate {
    /// How callers are told apart.
    pub access: Access,
    /// How much is taken on.
    pub limits: Limits,
    /// What tokens expire and rates are counted by.
    pub clock: Arc<dyn Clock>,
    /// Where denials are kept; if there is none they are only logged.
    pub audit: Option<Arc<dyn Audit>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            access: Access::default(),
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            audit: None,
        }
    }
}

#[derive(Debug)]
struct Guard {
    access: Access,
    rates: Option<Rates>,
    room: Semaphore,
    auditor: Auditor,
    body_time_max: Duration,
}

impl Gate {
    /// `router`, behind this gate.
    pub(crate) fn before(self, router: Router) -> Router {
        let Self { access, limits, clock, audit } = self;
        let guard = Guard {
            access,
            rates: limits.rate.map(|rate| Rates::new(rate, Arc::clone(&clock))),
            room: Semaphore::new(limits.in_flight_max.get().min(Semaphore::MAX_PERMITS)),
            auditor: Auditor { clock, kept_by: audit },
            body_time_max: limits.patience.body,
        };
        router
            .layer(middleware::from_fn_with_state(limits.patience.body, body::take_in))
            .layer(middleware::from_fn_with_state(Arc::new(guard), enter))
    }
}

async fn enter(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let Guard { access, rates, room, auditor, body_time_max } = &*guard;
    if is_health(request.uri().path()) {
        return next.run(request).await;
    }
    if let Err(problem) = access.check_host(&request) {
        return body::refuse(request, problem, *body_time_max).await;
    }
    let caller = access.caller(request.headers(), auditor.clock.now());
    let caller = caller.and_then(|caller| match rates {
        Some(rates) => rates.take(&caller).map(|()| caller),
        None => Ok(caller),
    });
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => return body::refuse(request, problem, *body_time_max).await,
    };
    let Ok(_room) = room.try_acquire() else { return shed(&request) };
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(auditor.clone());
    next.run(request).await
}

/// Whoever watches over the process asks for nothing else, has no token, and knows it by any name.
fn is_health(path: &str) -> bool {
    path == "/health" || path.starts_with("/health/")
}

/// Answers at once. A body that is under way is not waited for, which costs the connection.
fn shed(request: &Request) -> Response {
    let detail = "as many requests are being carried out as are taken on at once: send it again later";
    let problem = Problem::new(ProblemType::Unavailable, detail)
        .header(RETRY_AFTER, &limits::RETRY_AFTER.as_secs().to_string());
    if request.body().is_end_stream() {
        return problem.into_response();
    }
    problem.header(CONNECTION, "close").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_health_is_asked_past_the_gate() {
        assert!(is_health("/health") && is_health("/health/ready"));
        for path in ["/", "/healthy", "/health-records", "/values/health", "//health", "/Health"] {
            assert!(!is_health(path), "{path}");
        }
    }
}
