//! What is counted and timed, and the page it stands on. One registry for each server, none for the process.
//! Labels are bounded: routes as they are declared, commands as the code names them, never what a client sent.

use crate::{Permissions, Role, Routes};
use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use factum::{
    App, CommandMeasure, CommandObserver, Monotonic,
    store::{AppendObserver, GroupMeasure, Head, SystemMonotonic},
};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    TEXT_FORMAT, TextEncoder, core::Collector,
};
use std::{sync::Arc, time::Duration};

/// Upper bounds of what is timed, in seconds.
const SECONDS: [f64; 17] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0,
];
/// Upper bounds of how many commits share a sync.
const COMMITS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// The measures of one server. Cheap to clone: clones count together.
///
/// ```
/// use factum::App;
/// use factum_http::Metrics;
/// let metrics = Metrics::default();
/// let app = App::in_memory().observer(metrics.service("calculator")).start();
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Families>);

#[derive(Debug)]
struct Families {
    registry: Registry,
    stopwatch: SystemMonotonic,
    commands: IntCounterVec,
    command_seconds: HistogramVec,
    conflicts: IntCounterVec,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    append_seconds: HistogramVec,
    sync_seconds: HistogramVec,
    group_commits: HistogramVec,
    head_position: IntGaugeVec,
    head_sequence: IntGaugeVec,
}

/// Registers a family as it is made.
struct Made(Registry);

impl Made {
    fn add<C: Collector + Clone + 'static>(&self, family: prometheus::Result<C>) -> C {
        let family = family.expect("names and labels are valid");
        self.0.register(Box::new(family.clone())).expect("no name is taken twice");
        family
    }

    fn counter(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, labels: &[&str], bounds: &[f64]) -> HistogramVec {
        let opts = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        self.add(HistogramVec::new(opts, labels))
    }

    fn families(self) -> Families {
        const SERVICE: &[&str] = &["service"];
        Families {
            stopwatch: SystemMonotonic::default(),
            commands: self.counter(
                "factum_commands_total",
                "Commands that ended, by how they ended.",
                &["service", "name", "outcome"],
            ),
            command_seconds: self.histogram(
                "factum_command_seconds",
                "From a command's intake to its outcome.",
                &["service", "name"],
                &SECONDS,
            ),
            conflicts: self.counter(
                "factum_conflicts_total",
                "Races that a command lost; it was decided again if it might.",
                SERVICE,
            ),
            requests: self.counter(
                "factum_http_requests_total",
                "Requests answered; the route is the declared one.",
                &["route", "method", "status"],
            ),
            request_seconds: self.histogram(
                "factum_http_request_seconds",
                "From a request's head to its answer.",
                &["route", "method"],
                &SECONDS,
            ),
            append_seconds: self.histogram(
                "factum_log_append_seconds",
                "From handing in an append to its verdicts, for those that stored something.",
                SERVICE,
                &SECONDS,
            ),
            sync_seconds: self.histogram(
                "factum_log_sync_seconds",
                "How long a sync of the log took.",
                SERVICE,
                &SECONDS,
            ),
            group_commits: self.histogram(
                "factum_log_group_commits",
                "How many commits shared a sync.",
                SERVICE,
                &COMMITS,
            ),
            head_position: self.gauge("factum_log_head_position", "The last event's position.", SERVICE),
            head_sequence: self.gauge("factum_log_head_sequence", "The last commit's sequence.", SERVICE),
            registry: self.0,
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Made(Registry::new()).families()))
    }
}

impl Metrics {
    /// What counts for one service: give it to [`factum::Builder::observer`].
    pub fn service(&self, name: &'static str) -> Arc<ServiceMetrics> {
        let Families { conflicts, append_seconds, sync_seconds, group_commits, .. } = &*self.0;
        Arc::new(ServiceMetrics {
            all: self.clone(),
            service: name,
            conflicts: conflicts.with_label_values(&[name]),
            append_seconds: append_seconds.with_label_values(&[name]),
            sync_seconds: sync_seconds.with_label_values(&[name]),
            group_commits: group_commits.with_label_values(&[name]),
        })
    }

    /// What the stopwatch shows.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.stopwatch.elapsed()
    }

    /// A request was answered.
    pub(crate) fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        self.0.requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.0.request_seconds.with_label_values(&[route, method]).observe(took.as_secs_f64());
    }

    fn head(&self, service: &str, head: Head) {
        let shown = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.0.head_position.with_label_values(&[service]).set(shown(head.position.get()));
        self.0.head_sequence.with_label_values(&[service]).set(shown(head.sequence.get()));
    }

    fn page(&self) -> String {
        TextEncoder::new().encode_to_string(&self.0.registry.gather()).expect("what was gathered is text")
    }
}

/// What counts for one service.
#[derive(Debug)]
pub struct ServiceMetrics {
    all: Metrics,
    service: &'static str,
    conflicts: IntCounter,
    append_seconds: Histogram,
    sync_seconds: Histogram,
    group_commits: Histogram,
}

impl Monotonic for ServiceMetrics {
    fn elapsed(&self) -> Duration {
        self.all.elapsed()
    }
}

impl CommandObserver for ServiceMetrics {
    fn command(&self, command: &CommandMeasure) {
        let Families { commands, command_seconds, .. } = &*self.all.0;
        commands.with_label_values(&[self.service, command.name, command.ending.as_str()]).inc();
        let seconds = command.took.as_secs_f64();
        command_seconds.with_label_values(&[self.service, command.name]).observe(seconds);
    }

    fn conflict(&self) {
        self.conflicts.inc();
    }
}

impl AppendObserver for ServiceMetrics {
    fn appended(&self, took: Duration) {
        self.append_seconds.observe(took.as_secs_f64());
    }

    fn group(&self, group: &GroupMeasure) {
        self.sync_seconds.observe(group.synced.as_secs_f64());
        self.group_commits.observe(group.commits as f64);
    }
}

/// `GET /metrics`.
pub(crate) fn routes(metrics: Metrics, apps: Arc<[(&'static str, App)]>) -> Router {
    let permissions = Permissions::new().query(READ, [Role::named("monitor")]);
    Routes::new()
        .query(READ, "/metrics", get(answer))
        .with_state((metrics, apps))
        .under("factum", Arc::new(permissions))
}

/// What the permission to see them is called.
const READ: &str = "factum.read-metrics";

type Shown = (Metrics, Arc<[(&'static str, App)]>);

async fn answer(State((metrics, apps)): State<Shown>) -> impl IntoResponse {
    for (service, app) in apps.iter() {
        // A log that does not answer keeps its last head here: `/health/ready` tells what is wrong with it.
        if let Ok(head) = app.store().head().await {
            metrics.head(service, head);
        }
    }
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.page())
}
