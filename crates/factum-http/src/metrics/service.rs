//! What one service counts: commands as they end, and what appends to its two logs cost.

use super::{COMMANDS, EVENTS, Families, Metrics};
use factum::{
    CommandMeasure, CommandObserver, Monotonic,
    store::{AppendObserver, GroupMeasure},
};
use prometheus::{Histogram, IntCounter, IntGauge};
use std::{sync::Arc, time::Duration};

/// What counts for one service.
#[derive(Debug)]
pub struct ServiceMetrics {
    all: Metrics,
    service: &'static str,
    conflicts: IntCounter,
    events: LogMetrics,
}

/// What counts for one log of a service.
#[derive(Debug)]
struct LogMetrics {
    all: Metrics,
    /// As a warning names it: `service/log`.
    name: String,
    append_seconds: Histogram,
    sync_seconds: Histogram,
    group_commits: Histogram,
    trouble: IntCounter,
    failing: IntGauge,
}

impl ServiceMetrics {
    pub(super) fn new(all: Metrics, service: &'static str) -> Self {
        let conflicts = all.0.conflicts.with_label_values(&[service]);
        let events = LogMetrics::new(all.clone(), service, EVENTS);
        Self { all, service, conflicts, events }
    }
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

    fn accepted(&self, name: &'static str) {
        self.all.0.accepted.with_label_values(&[self.service, name]).inc();
    }

    fn settled(&self, name: &'static str, took: Duration) {
        self.all.0.logged_seconds.with_label_values(&[self.service, name]).observe(took.as_secs_f64());
    }

    fn command_log(&self) -> Option<Arc<dyn AppendObserver>> {
        Some(Arc::new(LogMetrics::new(self.all.clone(), self.service, COMMANDS)))
    }
}

impl AppendObserver for ServiceMetrics {
    fn appended(&self, took: Duration) {
        self.events.appended(took);
    }

    fn group(&self, group: &GroupMeasure) {
        self.events.group(group);
    }

    fn warned(&self, what: &str) {
        self.events.warned(what);
    }

    fn maintained(&self, trouble: Option<&str>) {
        self.events.maintained(trouble);
    }
}

impl LogMetrics {
    fn new(all: Metrics, service: &str, log: &str) -> Self {
        let labels = [service, log];
        Self {
            append_seconds: all.0.append_seconds.with_label_values(&labels),
            sync_seconds: all.0.sync_seconds.with_label_values(&labels),
            group_commits: all.0.group_commits.with_label_values(&labels),
            trouble: all.0.maintenance_trouble.with_label_values(&labels),
            failing: all.0.maintenance_failing.with_label_values(&labels),
            name: format!("{service}/{log}"),
            all,
        }
    }
}

impl Monotonic for LogMetrics {
    fn elapsed(&self) -> Duration {
        self.all.elapsed()
    }
}

impl AppendObserver for LogMetrics {
    fn appended(&self, took: Duration) {
        self.append_seconds.observe(took.as_secs_f64());
    }

    fn group(&self, group: &GroupMeasure) {
        self.sync_seconds.observe(group.synced.as_secs_f64());
        self.group_commits.observe(group.commits as f64);
    }

    fn warned(&self, what: &str) {
        tracing::warn!(log = %self.name, "{what}");
    }

    fn maintained(&self, trouble: Option<&str>) {
        if trouble.is_some() {
            self.trouble.inc();
        } else {
            tracing::info!(log = %self.name, "what ended is sealed and indexed again");
        }
        self.failing.set(i64::from(trouble.is_some()));
    }
}
