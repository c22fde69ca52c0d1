//! Where in the log an answer holds, and where its client last was: `Factum-Position` in both directions.
//! A client that sends back what it was last told reads its own writes, or is told that it does not yet. Never
//! waits for ever, and never passes off a stale answer as a fresh one.

use crate::{
    Problem, ProblemType, limits, prefer,
    prefer::{PREFER, PREFERENCE_APPLIED},
    send::{Stopping, stopped},
};
use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{RETRY_AFTER, VARY},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use factum::{App, LogIdentity, Position, ProjectionError, Token};
use std::time::Duration;

/// What the header is called in both directions, in documents and in the fields of a problem.
pub(crate) const POSITION: &str = "Factum-Position";
/// Says that an answer does not show everything up to the position that its client sent.
pub(crate) const STALE: &str = "Factum-Stale";

/// As [`POSITION`], for headers.
pub(crate) const POSITION_HEADER: HeaderName = HeaderName::from_static("factum-position");
const STALE_HEADER: HeaderName = HeaderName::from_static("factum-stale");

/// A read waits so long for what its client has seen, if the client does not prefer otherwise.
pub const FRESH_WITHIN: Duration = Duration::from_secs(1);

/// The position that the client last saw, if it said so: the extractor of a read.
///
/// The header `Factum-Position` is that of an earlier answer, of a command or of a read, as it was received.
/// Without one nothing is waited for. A read waits up to [`FRESH_WITHIN`]; `Prefer: wait=N` makes that shorter or
/// longer, up to [`crate::WAIT_MAX`]. What is no such token is refused with 400, as is one of another log, or of an
/// earlier life of this one.
///
/// ```
/// # use axum::{Json, extract::State, response::Response};
/// # use factum::{App, At, prelude::*};
/// # use factum_http::{PathId, Problem, Since};
/// # #[derive(Id)]
/// # struct BellId(u64);
/// # #[derive(Event, Debug, Clone, PartialEq)]
/// # #[event(context = "bell", stream = bell)]
/// # enum BellEvent { Rung { bell: BellId } }
/// # #[derive(Default, Debug, Clone)]
/// # struct Rings(u64);
/// # #[model]
/// # impl Model for Rings {
/// #     type Scope = Stream<BellId>;
/// #     fn apply(&mut self, event: BellEvent) { match event { BellEvent::Rung { .. } => self.0 += 1 } }
/// # }
/// async fn read(State(app): State<App>, PathId(bell): PathId<BellId>, since: Since) -> Result<Response, Problem> {
///     let fresh = since.live(&app)?;
///     let At { state: Rings(rings), token, .. } = app.view::<Rings>(bell).await?;
///     Ok(fresh.answer(&token, Json(rings)))
/// }
/// # use axum::{body::Body, http::Request, routing::get};
/// # use tower::ServiceExt;
/// # factum::block_on(async {
/// # let app = App::in_memory().start();
/// # let router = axum::Router::new().route("/bells/{id}", get(read)).with_state(app.clone());
/// let request = Request::get("/bells/7").body(Body::empty()).unwrap();
/// let answer = router.clone().oneshot(request).await.unwrap();
/// let position = answer.headers()["Factum-Position"].clone();
/// let again = Request::get("/bells/7").header("Factum-Position", position).body(Body::empty()).unwrap();
/// let answer = router.clone().oneshot(again).await.unwrap();
/// assert!(answer.status() == 200 && !answer.headers().contains_key("Factum-Stale"));
/// let other = Request::get("/bells/7").header("Factum-Position", "seven").body(Body::empty()).unwrap();
/// assert_eq!(router.oneshot(other).await.unwrap().status(), 400);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Since {
    token: Option<Token>,
    wait: Option<Duration>,
    stopping: Option<Stopping>,
}

/// A read that has waited for what its client has seen, as far as it would. See [`Since`].
#[derive(Clone, Debug)]
pub struct Fresh {
    token: Option<Token>,
    behind: bool,
    applied: Option<Duration>,
}

impl Since {
    /// For a read of what the projection `name` keeps: waits until that is as far as the client has seen. If it
    /// is not in time, the answer is given all the same, and says `Factum-Stale: true`.
    ///
    /// # Errors
    /// 400 when the token is none of this log; 500 when the application has no projection of that name.
    pub async fn wait(self, app: &App, name: &str) -> Result<Fresh, Problem> {
        self.reach(app, name).await?;
        let applied = self.wait.filter(|_| self.token.is_some());
        Ok(self.fresh(applied))
    }

    /// As [`Self::wait`], and as if the client had seen all that is in the log now: for a read that shows what
    /// others did before it, whether or not the client knows of it.
    ///
    /// # Errors
    /// As [`Self::wait`]; when the log cannot be read.
    pub async fn newest(mut self, app: &App, name: &str) -> Result<Fresh, Problem> {
        let log = app.store().identity();
        let seen = self.place(log)?;
        let head = app.store().head().await?.position;
        self.token = Some(Token::new(log, seen.map_or(head, |seen| seen.max(head))));
        self.wait(app, name).await
    }

    /// As [`Self::wait`], for a read whose stale answer is of no use.
    ///
    /// # Errors
    /// As [`Self::wait`]; 503 with `Retry-After` when it is not as far in time.
    pub async fn or_unavailable(self, app: &App, name: &str) -> Result<Fresh, Problem> {
        if !self.reach(app, name).await? {
            let detail = format!("`{name}` does not show yet what you have seen: read again a little later");
            let later = limits::RETRY_AFTER.as_secs().to_string();
            return Err(Problem::new(ProblemType::Behind, detail).header(RETRY_AFTER, &later));
        }
        let applied = self.wait.filter(|_| self.token.is_some());
        Ok(self.fresh(applied))
    }

    /// Whether the projection came as far as the client has seen.
    async fn reach(&self, app: &App, name: &str) -> Result<bool, Problem> {
        let Some(position) = self.place(app.store().identity())? else { return Ok(true) };
        let within = self.wait.unwrap_or(FRESH_WITHIN);
        let projections = app.projections();
        tokio::select! {
            reached = projections.reached(name, position, within) => reached.map_err(|error| match error {
                ProjectionError::Unknown { .. } => {
                    let detail = format!("{error}: add it where the application is built");
                    Problem::new(ProblemType::Corrupt, detail)
                }
                other => Problem::from(other),
            }),
            // What is still being opened has no bound of its own.
            () = tokio::time::sleep(within) => Ok(false),
            () = stopped(self.stopping.clone()) => Ok(false),
        }
    }

    /// For a read of the log itself, which holds at its end: nothing is waited for.
    ///
    /// # Errors
    /// 400 when the token is none of this log.
    pub fn live(self, app: &App) -> Result<Fresh, Problem> {
        self.place(app.store().identity())?;
        Ok(self.fresh(None))
    }

    /// Where the client was in this log.
    ///
    /// # Errors
    /// 400 when the token is none of this log.
    fn place(&self, log: LogIdentity) -> Result<Option<Position>, Problem> {
        let Some(token) = &self.token else { return Ok(None) };
        let place = token.position_in(log);
        place.map(Some).ok_or_else(|| {
            refused("is of another log, or of an earlier life of this one: read again without it")
        })
    }

    fn fresh(self, applied: Option<Duration>) -> Fresh {
        Fresh { token: self.token, behind: false, applied }
    }
}

impl Fresh {
    /// `response`, which holds at `token`: with `Factum-Position`, and with `Factum-Stale: true` if that is not as far
    /// as the client has seen.
    pub fn answer(self, token: &Token, response: impl IntoResponse) -> Response {
        let mut response = at(token, response);
        let headers = response.headers_mut();
        if self.behind || self.token.is_some_and(|since| !covers(token, &since)) {
            headers.insert(STALE_HEADER, HeaderValue::from_static("true"));
        }
        applied(self.applied, headers);
        response
    }

    /// What is read is known not to show all there is, as right after a reset: the answer is stale, whatever the
    /// client has seen.
    #[must_use]
    pub fn stale(self) -> Self {
        Self { behind: true, ..self }
    }

    /// What is read waits behind an event that is parked there, as [`factum::Token`]s cannot tell: the answer is stale,
    /// whatever the client has seen.
    #[must_use]
    pub fn parked(self, parked: Option<Position>) -> Self {
        Self { behind: self.behind || parked.is_some(), ..self }
    }
}

/// `response`, with where in the log it holds.
pub(crate) fn at(token: &Token, response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    let value = HeaderValue::from_str(&token.to_string()).expect("hex digits and dots");
    response.headers_mut().insert(POSITION_HEADER, value);
    response
}

/// Says that so long was waited, as was preferred.
pub(crate) fn applied(wait: Option<Duration>, headers: &mut HeaderMap) {
    let wait = wait.map(|wait| format!("wait={}", wait.as_secs()));
    if let Some(wait) = wait.and_then(|wait| HeaderValue::from_str(&wait).ok()) {
        headers.insert(PREFERENCE_APPLIED, wait);
        headers.append(VARY, HeaderValue::from_static(PREFER));
    }
}

/// Whether all that stood at `since` stands at `token` as well.
fn covers(token: &Token, since: &Token) -> bool {
    let (here, there) = (token.positions(), since.positions());
    let same = token.identity() == since.identity() && here.len() == there.len();
    same && here.iter().zip(there).all(|(here, there)| here >= there)
}

impl<S: Send + Sync> FromRequestParts<S> for Since {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(POSITION_HEADER).iter();
        let token = values.next().map(token).transpose()?;
        if values.next().is_some() {
            return Err(refused("is there more than once"));
        }
        let (wait, stopping) = (prefer::wait(&parts.headers)?, parts.extensions.get().cloned());
        Ok(Self { token, wait, stopping })
    }
}

fn token(value: &HeaderValue) -> Result<Token, Problem> {
    let token = value.to_str().ok().and_then(|text| text.parse().ok());
    token.ok_or_else(|| refused("is none of this service: send it back as it was received, or leave it out"))
}

fn refused(message: &str) -> Problem {
    Problem::new(ProblemType::Shape, format!("the header `{POSITION}` {message}")).field(POSITION, message)
}
