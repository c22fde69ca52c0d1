//! Whether the process answers, whether its logs do, and how its projections stand. Asked by machines that carry no credentials, so it
//! tells nothing but states and heads.

use crate::{Metrics, Problem, ProblemType, Routes, endpoint::get};
use axum::{Json, extract::State, http::header::RETRY_AFTER};
use factum::{
    App, CommandName, CommandPayload, CommandRecord, Condition, ErrorKind, Expected, LaneState, Metadata,
    NewCommit, Outcome, Position, ProjectionState, ProjectionStatus, Sequence, StoreError, StreamName,
    store::{Append, AppendError, Head, Store},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A log that has not answered by then is not ready.
pub const READY_TIME_MAX: Duration = Duration::from_secs(2);

/// How it is said that something is ready.
const READY: &str = "ready";
/// How it is said that something answers, and yet shows less than it should.
const DEGRADED: &str = "degraded";

type Apps = Arc<[(&'static str, App)]>;

/// `/health/live`, which `/health` is another name of, and `/health/ready`.
pub(crate) fn routes(metrics: Metrics, apps: Apps) -> Routes {
    let live = || get(live).about("Whether the process answers").answers::<Live>();
    let ready = get(ready)
        .about("Whether every log answers and takes writes, and how projections stand")
        .answers::<Ready>();
    Routes::new()
        .ungated("/health", live())
        .ungated("/health/live", live())
        .ungated("/health/ready", ready.with(|route| route.refuses([ProblemType::Unavailable])))
        .with_state((metrics, apps))
}

/// The process answers.
#[derive(Serialize, JsonSchema)]
struct Live {
    /// `up`.
    status: &'static str,
}

/// Every log answers.
#[derive(Serialize, JsonSchema)]
struct Ready {
    /// `ready`, or `degraded` if a service is.
    status: &'static str,
    /// Each service by its name.
    services: BTreeMap<&'static str, ReadyService>,
}

/// The logs of one service answer.
#[derive(Serialize, JsonSchema)]
struct ReadyService {
    /// `ready`, or `degraded`: if a projection has stopped, is stalled, or tries again what fails, it is read all the
    /// same, and may show less than the log; if a log cannot seal what ended, it takes commands all the same.
    status: &'static str,
    /// How far its log has come.
    #[serde(flatten)]
    events: ReadyLog,
    /// How far its command log has come, if it takes commands for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    commands: Option<ReadyLog>,
    /// Which of its logs, `events` or `commands`, cannot seal or index what ended, and try again: memory grows
    /// meanwhile, and so does the time of the next start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsealed: Vec<&'static str>,
    /// How its projections stand, each by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    projections: BTreeMap<&'static str, ReadyProjection>,
    /// Why it cannot be told how they stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    cause: Option<String>,
}

/// How a projection stands.
#[derive(Serialize, JsonSchema)]
struct ReadyProjection {
    /// What it is doing.
    #[schemars(extend("enum" = ProjectionState::WORDS))]
    status: &'static str,
    /// Up to here every event was applied, or is parked.
    #[schemars(with = "u64")]
    position: Position,
    /// How many events of the log it has not considered.
    lag_events: u64,
    /// Whether it should move, and has not for a while.
    stalled: bool,
    /// Events that could not be applied.
    parked: u64,
}

impl ReadyProjection {
    fn new(status: &ProjectionStatus) -> Self {
        Self {
            status: status.state.as_str(),
            position: status.position,
            lag_events: status.lag_events,
            stalled: status.stalled,
            parked: status.parked,
        }
    }
}

/// Whether a projection, or the build beside it, does not go on as it should.
fn is_degraded(status: &ProjectionStatus) -> bool {
    let fails =
        |state: &ProjectionState| matches!(state, ProjectionState::Stopped(_) | ProjectionState::Retrying(_));
    let building = status.building.as_ref().is_some_and(|building| fails(&building.state));
    status.stalled || building || fails(&status.state)
}

/// One log answers.
#[derive(Serialize, JsonSchema)]
struct ReadyLog {
    /// The place of its last event.
    #[schemars(with = "u64")]
    position: Position,
    /// The number of its last commit.
    #[schemars(with = "u64")]
    sequence: Sequence,
}

impl From<Head> for ReadyLog {
    fn from(Head { position, sequence }: Head) -> Self {
        Self { position, sequence }
    }
}

async fn live() -> Json<Live> {
    Json(Live { status: "up" })
}

async fn ready(State((metrics, apps)): State<(Metrics, Apps)>) -> Result<Json<Ready>, Problem> {
    let (mut services, mut refusals) = (BTreeMap::new(), Vec::new());
    for (service, app) in apps.iter() {
        match tokio::time::timeout(READY_TIME_MAX, probe(app)).await {
            Ok(Ok(mut ready)) => {
                ready.unsealed = metrics.failing_logs(service, app);
                if !ready.unsealed.is_empty() {
                    ready.status = DEGRADED;
                }
                services.insert(*service, ready);
            }
            Ok(Err(cause)) => refusals.push((*service, format!("{cause}: {}", what_to_do(cause.kind())))),
            Err(_) => {
                let why = format!("its log did not answer within {READY_TIME_MAX:?}: look at its disk");
                refusals.push((*service, why));
            }
        }
    }
    if refusals.is_empty() {
        let degraded = services.values().any(|service: &ReadyService| service.status == DEGRADED);
        let status = if degraded { DEGRADED } else { READY };
        return Ok(Json(Ready { status, services }));
    }
    let names: Vec<_> = refusals.iter().map(|(service, _)| *service).collect();
    let detail = format!("not ready: {}; `fields` says why, and what to do", names.join(", "));
    let problem = Problem::new(ProblemType::Unavailable, detail).header(RETRY_AFTER, "1");
    Err(refusals.into_iter().fold(problem, |problem, (service, why)| problem.field(service, why)))
}

/// What a service that is ready says of itself.
async fn probe(app: &App) -> Result<ReadyService, StoreError> {
    let events = probe_log(app, app.store()).await?.into();
    let (commands, projections) = (None, BTreeMap::new());
    let mut ready =
        ReadyService { status: READY, events, commands, unsealed: Vec::new(), projections, cause: None };
    if let Some(lanes) = app.lanes() {
        let told = |what: &str, cause: &StoreError| StoreError::new(cause.kind(), format!("{what}: {cause}"));
        match lanes.state() {
            LaneState::Running => {}
            LaneState::Stopped => {
                let what = "accepted commands are not decided: the application was stopped";
                return Err(StoreError::new(ErrorKind::Reopen, what));
            }
            LaneState::Failed(cause) => return Err(told("accepted commands are not decided", &cause)),
        }
        let head = probe_log(app, lanes.commands()).await.map_err(|cause| told("the command log", &cause))?;
        ready.commands = Some(head.into());
    }
    match app.projections().statuses().await {
        Ok(statuses) => {
            if statuses.iter().any(is_degraded) {
                ready.status = DEGRADED;
            }
            let told = statuses.iter().map(|status| (status.name, ReadyProjection::new(status)));
            ready.projections = told.collect();
        }
        Err(cause) => (ready.status, ready.cause) = (DEGRADED, Some(cause.to_string())),
    }
    Ok(ready)
}

/// Reads the last commit, and asks the writer for a verdict without giving it anything to store.
async fn probe_log(app: &App, store: &Arc<dyn Store>) -> Result<Head, StoreError> {
    let head = store.head().await?;
    if let Some(before) = head.sequence.get().checked_sub(1)
        && store.commits(Sequence::new(before), 1).await?.commits.is_empty()
    {
        let what = format!("commit {} is the last, but cannot be found", head.sequence);
        return Err(StoreError::new(ErrorKind::RepairData, what));
    }
    match store.append(vec![never_stored(app)]).await.pop() {
        Some(Err(AppendError::Store(cause))) => Err(cause),
        Some(Err(AppendError::Unknown { cause })) => Err(StoreError::new(ErrorKind::Retry, cause)),
        Some(Err(_)) => Ok(head),
        Some(Ok(_)) | None => {
            Err(StoreError::new(ErrorKind::ReportBug, "a probe was not refused by its condition"))
        }
    }
}

/// A commit whose condition contradicts itself: a log that writes refuses it, whatever it holds.
fn never_stored(app: &App) -> Append {
    let stream = StreamName::unchecked("factum.probe");
    let command = CommandRecord {
        id: app.fresh_command_id(),
        name: CommandName::unchecked("factum.probe"),
        payload: CommandPayload::None,
        issued_at: app.now(),
        metadata: Metadata::default(),
    };
    Append {
        commit: NewCommit { command, outcome: Outcome::Nothing, events: Vec::new() },
        condition: Condition::none()
            .stream(stream.clone(), Expected::NoStream)
            .stream(stream, Expected::Exists),
    }
}

fn what_to_do(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Reopen => "look at its disk, then start the process again",
        ErrorKind::RepairData => "stop the process, and verify the log",
        ErrorKind::FixInput => "look at how it is set up",
        ErrorKind::ReportBug => "please report this",
        _ => "it may pass; look at its disk if it stays",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::Request};
    use factum::Revision;
    use factum_testkit::Intercepted;
    use tower::ServiceExt;

    #[derive(factum::Event, Debug, Clone, PartialEq)]
    #[event(context = "bell")]
    enum BellEvent {
        Rung,
    }

    #[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
    struct Rings;

    impl factum::View for Rings {
        const NAME: &'static str = "rings";
        const VERSION: u32 = 1;
        type Event = BellEvent;
        type Key = String;
        fn keys(_: &BellEvent) -> Vec<String> {
            Vec::new()
        }
        fn apply(&mut self, _: &String, _: &BellEvent) {}
    }

    /// An application with a projection.
    fn started() -> App {
        App::in_memory().view::<Rings>().start()
    }

    #[test]
    fn whatever_a_log_holds_it_refuses_the_probe() {
        let Append { condition, .. } = never_stored(&App::in_memory().start());
        for actual in [None, Some(Revision::default()), Some(Revision::new(9))] {
            let mut expected = condition.streams.iter().map(|(_, expected)| expected);
            assert!(!expected.all(|expected| expected.holds(actual)), "{actual:?}");
        }
        assert!(
            condition.check().is_ok()
                && condition.streams.iter().all(|(stream, _)| *stream == condition.streams[0].0)
        );
    }

    #[tokio::test]
    async fn what_is_stalled_or_tries_again_is_degraded_and_what_somebody_wants_is_not() {
        let events = factum::block_on(started().projections().statuses()).unwrap();
        let [sound] = &events[..] else { panic!("one projection") };
        let with = |change: fn(&mut ProjectionStatus)| {
            let mut status = sound.clone();
            change(&mut status);
            is_degraded(&status)
        };
        assert!(with(|status| status.stalled = true));
        let failing = |status: &mut ProjectionStatus| {
            status.state = ProjectionState::Retrying(StoreError::new(ErrorKind::Retry, "full"));
        };
        assert!(with(failing));
        for state in [ProjectionState::Paused, ProjectionState::Disabled, ProjectionState::CatchingUp] {
            let status = ProjectionStatus { state, stalled: false, ..sound.clone() };
            assert!(!is_degraded(&status), "{:?}", status.state);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_never_answers_is_not_ready() {
        let behind = App::in_memory().start();
        let store = Intercepted::new(Arc::clone(behind.store()), |_, _| Box::pin(std::future::pending()));
        let app = App::on(Arc::new(store)).start();
        let asked = Request::get("/health/ready").body(Body::empty()).unwrap();
        let answer = routes(Metrics::default(), Arc::new([("notes", app)]))
            .into_router()
            .oneshot(asked)
            .await
            .unwrap();
        assert_eq!(answer.status(), 503);
        let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("did not answer within 2s"), "{body:?}");
    }
}
