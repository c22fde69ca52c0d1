//! Around every request: its span, its trace, its measure. Knows a request by its declared route and never by
//! its path, so that what a client makes up becomes neither a label nor a line.

use crate::{
    Metrics,
    trace::{TRACEPARENT, TraceContext},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use factum::Entropy;
use std::sync::Arc;
use tracing::{Instrument, field::Empty};

/// The route of a request that no declared route takes.
const UNMATCHED: &str = "unmatched";

/// What it takes to observe.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) metrics: Metrics,
    /// Gives ids of spans and of traces that begin here.
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// The outermost layer.
pub(crate) async fn observe(
    State(Observed { metrics, entropy }): State<Observed>,
    mut request: Request,
    next: Next,
) -> Response {
    let since = metrics.elapsed();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let method = method(request.method());
    let trace = TraceContext::of(request.headers(), &*entropy);
    let span = tracing::info_span!(
        "request",
        method,
        route,
        trace_id = trace.trace_id(),
        span_id = trace.span_id(),
        parent_id = trace.parent_id(),
        status = Empty,
        micros = Empty,
    );
    let traceparent = trace.traceparent();
    request.extensions_mut().insert(trace);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = metrics.elapsed().saturating_sub(since);
    let status = response.status().as_u16();
    metrics.request(route, method, status, took);
    span.record("status", status);
    span.record("micros", u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    span.in_scope(|| match status {
        500.. => tracing::warn!(method, route, status, "request ended"),
        _ if is_asked_by_machines(route) => tracing::debug!("request ended"),
        _ => tracing::info!("request ended"),
    });
    let traceparent = HeaderValue::from_str(&traceparent).expect("digits and dashes");
    response.headers_mut().insert(TRACEPARENT, traceparent);
    response
}

/// Asked every few seconds, and of no interest while all is well.
fn is_asked_by_machines(route: &str) -> bool {
    route == "/metrics" || route.starts_with("/health")
}

/// A method as a label: a client may make one up.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| method.as_str() == *known).unwrap_or("other")
}
