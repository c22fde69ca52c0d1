//! What is counted and timed, and the page it stands on. One registry for each server, none for the process.
//! Labels are bounded: routes as they are declared, commands as the code names them, never what a client sent.

use crate::{Permissions, Role, Routes, connection::Ended, endpoint::get};
use axum::{extract::State, http::header::CONTENT_TYPE, response::IntoResponse};
use factum::{
    App, Lanes, Monotonic,
    store::{Head, SystemMonotonic},
};
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TEXT_FORMAT,
    TextEncoder, core::Collector,
};
use std::{sync::Arc, time::Duration};

mod projections;
mod service;
use projections::Projections;
pub use service::ServiceMetrics;

/// What the log of events is called in labels.
const EVENTS: &str = "events";
/// What the log of accepted commands is called in labels.
const COMMANDS: &str = "commands";

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
    connections: IntGauge,
    connections_cut: IntCounterVec,
    append_seconds: HistogramVec,
    sync_seconds: HistogramVec,
    group_commits: HistogramVec,
    maintenance_trouble: IntCounterVec,
    maintenance_failing: IntGaugeVec,
    head_position: IntGaugeVec,
    head_sequence: IntGaugeVec,
    accepted: IntCounterVec,
    logged_seconds: HistogramVec,
    lane_depth: IntGaugeVec,
    lane_oldest: GaugeVec,
    parked: IntGaugeVec,
    projections: Projections,
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
        const LOG: &[&str] = &["service", "log"];
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
            connections: self.add(IntGauge::new("factum_http_connections", "Connections that are open.")),
            connections_cut: self.counter(
                "factum_http_connections_cut_total",
                "Connections that were ended because the client took too long, by what was waited for.",
                &["waited_for"],
            ),
            append_seconds: self.histogram(
                "factum_log_append_seconds",
                "From handing in an append to its verdicts, for those that stored something.",
                LOG,
                &SECONDS,
            ),
            sync_seconds: self.histogram(
                "factum_log_sync_seconds",
                "How long a sync of the log took.",
                LOG,
                &SECONDS,
            ),
            group_commits: self.histogram(
                "factum_log_group_commits",
                "How many commits shared a sync.",
                LOG,
                &COMMITS,
            ),
            maintenance_trouble: self.counter(
                "factum_log_maintenance_trouble_total",
                "How often a log could not seal or index what ended; it is tried again.",
                LOG,
            ),
            maintenance_failing: self.gauge(
                "factum_log_maintenance_failing",
                "1 while a log cannot seal or index what ended: its index takes memory meanwhile.",
                LOG,
            ),
            head_position: self.gauge("factum_log_head_position", "The last event's position.", LOG),
            head_sequence: self.gauge("factum_log_head_sequence", "The last commit's sequence.", LOG),
            accepted: self.counter(
                "factum_commands_accepted_total",
                "Commands that were stored to be decided later.",
                &["service", "name"],
            ),
            logged_seconds: self.histogram(
                "factum_logged_command_seconds",
                "From a stored command's acceptance to its outcome, by the clock.",
                &["service", "name"],
                &SECONDS,
            ),
            lane_depth: self.gauge(
                "factum_lane_depth",
                "Commands that were accepted and no lane has come to.",
                SERVICE,
            ),
            lane_oldest: self.add(GaugeVec::new(
                Opts::new(
                    "factum_lane_oldest_seconds",
                    "How long ago the oldest of them was accepted; 0 if there is none.",
                ),
                SERVICE,
            )),
            parked: self.gauge("factum_commands_parked", "Commands that are parked.", SERVICE),
            projections: Projections::new(&self),
            registry: self.0,
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let families = Made(Registry::new()).families();
        for waited_for in Ended::ALL.into_iter().filter_map(Ended::cut) {
            families.connections_cut.with_label_values(&[waited_for]);
        }
        Self(Arc::new(families))
    }
}

impl Metrics {
    /// What counts for one service: give it to [`factum::Builder::observer`].
    pub fn service(&self, name: &'static str) -> Arc<ServiceMetrics> {
        Arc::new(ServiceMetrics::new(self.clone(), name))
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

    /// A connection is open until what is given says how it ended, or is dropped.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.0.connections.inc();
        OpenConnection(self.clone())
    }

    /// Begins what is counted of an application's stored commands at zero.
    fn begin(&self, service: &str, app: &App) {
        for name in app.lanes().map(Lanes::command_names).unwrap_or_default() {
            self.0.accepted.with_label_values(&[service, name]);
            self.0.logged_seconds.with_label_values(&[service, name]);
        }
    }

    /// Which of an application's logs cannot seal or index what ended, as they are called in labels.
    pub(crate) fn failing_logs(&self, service: &str, app: &App) -> Vec<&'static str> {
        let logs = [EVENTS].into_iter().chain(app.lanes().map(|_| COMMANDS));
        logs.filter(|log| self.0.maintenance_failing.with_label_values(&[service, log]).get() > 0).collect()
    }

    /// Looks at what an application's logs hold. One that does not answer keeps what it showed last:
    /// `/health/ready` tells what is wrong with it.
    async fn look(&self, service: &str, app: &App) {
        if let Ok(head) = app.store().head().await {
            self.head(service, EVENTS, head);
        }
        self.0.projections.look(service, app).await;
        let Some(lanes) = app.lanes() else { return };
        if let Ok(head) = lanes.commands().head().await {
            self.head(service, COMMANDS, head);
        }
        if let Ok(load) = lanes.load().await {
            let age = load.oldest.map(|oldest| app.now().since(oldest)).unwrap_or_default();
            self.0.lane_depth.with_label_values(&[service]).set(shown(load.depth));
            self.0.lane_oldest.with_label_values(&[service]).set(age.as_secs_f64());
            self.0.parked.with_label_values(&[service]).set(shown(load.parked));
        }
    }

    fn head(&self, service: &str, log: &str, head: Head) {
        self.0.head_position.with_label_values(&[service, log]).set(shown(head.position.get()));
        self.0.head_sequence.with_label_values(&[service, log]).set(shown(head.sequence.get()));
    }

    fn page(&self) -> String {
        TextEncoder::new().encode_to_string(&self.0.registry.gather()).expect("what was gathered is text")
    }
}

fn shown(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A connection that is counted as open.
#[derive(Debug)]
pub(crate) struct OpenConnection(Metrics);

impl OpenConnection {
    pub(crate) fn ended(self, ended: Ended) {
        if let Some(waited_for) = ended.cut() {
            self.0.0.connections_cut.with_label_values(&[waited_for]).inc();
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.0.connections.dec();
    }
}

/// `GET /metrics`.
pub(crate) fn routes(metrics: Metrics, apps: Arc<[(&'static str, App)]>) -> Routes {
    apps.iter().for_each(|(service, app)| metrics.begin(service, app));
    let permissions = Permissions::new().query(READ, [Role::named("monitor")]);
    let answer = get(answer)
        .about("Shows the measures")
        .with(|route| route.answers_text("In the format of Prometheus."));
    Routes::new()
        .query(READ, "/metrics", answer)
        .with_state((metrics, apps))
        .under("factum", Arc::new(permissions))
}

/// What the permission to see them is called.
const READ: &str = "factum.read-metrics";

type Shown = (Metrics, Arc<[(&'static str, App)]>);

async fn answer(State((metrics, apps)): State<Shown>) -> impl IntoResponse {
    for (service, app) in apps.iter() {
        metrics.look(service, app).await;
    }
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.page())
}
