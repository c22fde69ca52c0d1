//! Sends a command and answers its sender: accepted, or what became of it. The only place that makes these
//! answers, so that every service's commands read alike, and a repeat reads as the first did.

use crate::{
    Incoming, Problem, ProblemType,
    commands::Wire,
    since::{self, POSITION_HEADER},
};
use axum::{
    Json,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use factum::{
    App, Command, CommandStatus, ExecuteError, Rejection, Status, StoreError, Ticket, Token, store::BoxFuture,
};
use serde_json::{Map, Value};
use tokio::sync::watch;

/// A command about to be sent, and the answer to its sender. Nothing is stored until it is awaited.
///
/// 202 with `Location: /commands/{id}` and the ids once it is accepted. Its sender may prefer to wait for the
/// outcome (`Prefer: wait=N`): 201 if it created something, else 200, with the fields of the 202 and those of
/// `GET /commands/{id}`; 409, or the rejection's own status; 202 when the time runs out or it was parked.
#[must_use = "nothing is sent until it is awaited"]
pub struct Sending<'a> {
    app: &'a App,
    incoming: &'a Incoming,
    sent: BoxFuture<'a, Result<Sent<'a>, Problem>>,
    minted: Map<String, Value>,
    created_at: Option<String>,
}

/// Whether the server stops: then nobody is kept waiting.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) watch::Receiver<bool>);

/// Ready when the server stops. Without a server that says so, never.
pub(crate) async fn stopped(stopping: Option<Stopping>) {
    match stopping {
        // Also when nobody is left to say it.
        Some(Stopping(mut stopping)) => drop(stopping.wait_for(|stopping| *stopping).await),
        None => std::future::pending().await,
    }
}

/// How far a command came by being sent.
pub(crate) enum Sent<'a> {
    Accepted(Ticket<'a>),
    Decided,
}

impl std::fmt::Debug for Sending<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending").field("command_id", &self.incoming.command_id()).finish_non_exhaustive()
    }
}

impl Incoming {
    /// Accepts `command` for later: it is stored when its sender is answered, and decided in the order of its
    /// key.
    pub fn submit<'a, C: Command>(&'a self, app: &'a App, command: C) -> Sending<'a> {
        let submitted = app.submit(command).intake(self.intake()).into_future();
        Sending::new(app, self, Box::pin(async { Ok(Sent::Accepted(submitted.await?)) }))
    }

    /// Decides `command` before its sender is answered: 201 or 200 with the outcome, never 202.
    pub fn execute<'a, C: Command>(&'a self, app: &'a App, command: C) -> Sending<'a> {
        let executed = app.execute(command).intake(self.intake()).into_future();
        let sent = async {
            match executed.await {
                // Told by what is stored, which is the same when it is asked for again.
                Ok(_) | Err(ExecuteError::Rejected(_) | ExecuteError::RejectedEarlier(_)) => {
                    Ok(Sent::Decided)
                }
                Err(other) => Err(Problem::from(other)),
            }
        };
        Sending::new(app, self, Box::pin(sent))
    }
}

impl<'a> Sending<'a> {
    pub(crate) fn new(
        app: &'a App,
        incoming: &'a Incoming,
        sent: BoxFuture<'a, Result<Sent<'a>, Problem>>,
    ) -> Self {
        Self { app, incoming, sent, minted: Map::new(), created_at: None }
    }

    /// The command named this, for its sender: a field of the answer.
    pub fn minted(mut self, field: &str, id: impl ToString) -> Self {
        self.minted.insert(field.to_owned(), Value::String(id.to_string()));
        self
    }

    /// The command creates what is found at `path` from then on.
    pub fn created_at(mut self, path: impl Into<String>) -> Self {
        self.created_at = Some(path.into());
        self
    }

    async fn answer(self) -> Result<Response, Problem> {
        let Self { app, incoming, sent, minted, created_at } = self;
        let id = incoming.command_id();
        let mut body = Map::from_iter([("command_id".to_owned(), Value::String(id.to_string()))]);
        body.extend(minted);
        let outcome = match sent.await? {
            Sent::Decided => app.status(id).await?,
            Sent::Accepted(ticket) => waited_for(incoming, ticket).await,
        };
        let answered = match outcome.filter(|outcome| outcome.status.is_final()) {
            Some(outcome) => decided(app, incoming, outcome, body, created_at),
            None => Ok((StatusCode::ACCEPTED, [(LOCATION, at(incoming))], Json(body)).into_response()),
        };
        if incoming.wait().is_none() {
            return answered;
        }
        let mut response = answered.into_response();
        since::applied(incoming.wait(), response.headers_mut());
        Ok(response)
    }
}

/// Where the command's status is found.
fn at(incoming: &Incoming) -> String {
    format!("/commands/{}", incoming.command_id())
}

/// The outcome, if it comes in time. That it could not be learnt is no failure: the command is stored.
async fn waited_for(incoming: &Incoming, ticket: Ticket<'_>) -> Option<CommandStatus> {
    let outcome = tokio::time::timeout(incoming.wait()?, ticket.outcome());
    let outcome: Result<Result<_, StoreError>, _> = tokio::select! {
        outcome = outcome => outcome,
        () = incoming.stopping() => return None,
    };
    outcome.ok()?.ok()
}

/// The position that a command with a final outcome took, for its sender.
pub(crate) fn place(app: &App, outcome: &CommandStatus) -> Option<Token> {
    let position = outcome.position.filter(|_| outcome.status.is_final())?;
    Some(Token::new(app.store().identity(), position))
}

/// The answer to a command with a final outcome.
fn decided(
    app: &App,
    incoming: &Incoming,
    outcome: CommandStatus,
    mut body: Map<String, Value>,
    created_at: Option<String>,
) -> Result<Response, Problem> {
    let (status, rejection, cause) = (outcome.status, outcome.rejection.clone(), outcome.cause.clone());
    let place = place(app, &outcome);
    let began = outcome.events.iter().any(|event| event.revision.get() == 0);
    let wire = serde_json::to_value(Wire::new(incoming.service(), outcome));
    let Ok(Value::Object(wire)) = wire else { unreachable!("a status is an object") };
    if let (Status::Rejected | Status::Failed, problem) = (status, problem(rejection, cause)) {
        let more = wire.into_iter().filter(|(name, _)| name != "status");
        let mut problem = problem.header(LOCATION, &at(incoming)).members(body.into_iter().chain(more));
        if let Some(place) = place {
            problem = problem.header(POSITION_HEADER, &place.to_string());
        }
        return Err(problem);
    }
    body.extend(wire);
    let response = match created_at {
        Some(path) if began => (StatusCode::CREATED, [(LOCATION, path)], Json(body)).into_response(),
        _ => (StatusCode::OK, [(LOCATION, at(incoming))], Json(body)).into_response(),
    };
    Ok(match place {
        Some(place) => since::at(&place, response),
        None => response,
    })
}

fn problem(rejection: Option<Rejection>, cause: Option<String>) -> Problem {
    match rejection {
        Some(rejection) => Problem::from(rejection),
        None => Problem::new(ProblemType::Failed, cause.unwrap_or_default()),
    }
}

impl<'a> IntoFuture for Sending<'a> {
    type Output = Result<Response, Problem>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}
