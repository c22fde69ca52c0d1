//! What is shown of projections: looked at when the page is asked for, so that it is right after a restart too.

use super::{Made, shown};
use factum::{App, ProjectionState, ProjectionStatus};
use prometheus::{GaugeVec, IntGaugeVec, Opts};

/// The measures of projections, by service and projection.
#[derive(Debug)]
pub(super) struct Projections {
    position: IntGaugeVec,
    lag_events: IntGaugeVec,
    lag_seconds: GaugeVec,
    parked: IntGaugeVec,
    waiting: IntGaugeVec,
    stalled: IntGaugeVec,
    state: IntGaugeVec,
    build_position: IntGaugeVec,
}

impl Projections {
    pub(super) fn new(made: &Made) -> Self {
        const OF: &[&str] = &["service", "projection"];
        let gauge = |name, help| made.gauge(name, help, OF);
        Self {
            position: gauge(
                "factum_projection_position",
                "Up to here every event was applied, or is parked.",
            ),
            lag_events: gauge(
                "factum_projection_lag_events",
                "Events of the log that it has not considered.",
            ),
            lag_seconds: made.add(GaugeVec::new(
                Opts::new(
                    "factum_projection_lag_seconds",
                    "How long ago the first of them was recorded; 0 if there is none.",
                ),
                OF,
            )),
            parked: gauge("factum_projection_parked_events", "Events that could not be applied."),
            waiting: gauge("factum_projection_waiting_events", "Events that wait behind a parked one."),
            stalled: gauge(
                "factum_projection_stalled",
                "1 if it should move, and has not for a while; else 0.",
            ),
            state: made.gauge(
                "factum_projection_state",
                "1 for what it is doing, 0 for all else.",
                &["service", "projection", "state"],
            ),
            build_position: gauge(
                "factum_projection_build_position",
                "How far the build that is made beside it has come; 0 while none is.",
            ),
        }
    }

    /// Looks at how the projections of an application stand. What does not answer keeps what it showed last:
    /// `/health/ready` tells what is wrong with it.
    pub(super) async fn look(&self, service: &str, app: &App) {
        let Ok(statuses) = app.projections().statuses().await else { return };
        for status in &statuses {
            self.show(service, status);
        }
    }

    fn show(&self, service: &str, status: &ProjectionStatus) {
        let of = &[service, status.name];
        self.position.with_label_values(of).set(shown(status.position.get()));
        self.lag_events.with_label_values(of).set(shown(status.lag_events));
        self.lag_seconds.with_label_values(of).set(status.lag.as_secs_f64());
        self.parked.with_label_values(of).set(shown(status.parked));
        self.waiting.with_label_values(of).set(shown(status.waiting));
        self.stalled.with_label_values(of).set(i64::from(status.stalled));
        for word in ProjectionState::WORDS {
            let is = word == status.state.as_str();
            self.state.with_label_values(&[service, status.name, word]).set(i64::from(is));
        }
        let building = status.building.as_ref().map_or(0, |building| shown(building.position.get()));
        self.build_position.with_label_values(of).set(building);
    }
}
