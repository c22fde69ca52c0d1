//! A command at the door: its id, who sent it, and when. An `Idempotency-Key` makes the id follow from the
//! caller, the method, the path and the key, so that a repeat finds the first outcome.

use crate::{
    Caller, Problem, ProblemType, etag, prefer,
    routes::ServiceName,
    send::{Stopping, stopped},
    trace::TraceContext,
};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use factum::{App, CommandId, Intake};
use std::time::Duration;

pub(crate) const KEY: &str = "Idempotency-Key";
pub(crate) const KEY_BYTES_MAX: usize = 255;

/// What is stamped on a command that comes in over HTTP.
#[derive(Clone, Debug)]
pub struct Incoming {
    id: CommandId,
    intake: Intake,
    wait: Option<Duration>,
    stopping: Option<Stopping>,
    service: &'static str,
}

impl Incoming {
    /// The command's id.
    pub fn command_id(&self) -> CommandId {
        self.id
    }

    /// The first id the command mints: the same when the request is repeated under its key.
    pub fn fresh_id<K: From<factum::Uuid>>(&self) -> K {
        K::from(self.id.fresh(0))
    }

    /// How long its sender would wait for the outcome.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// Ready when the server stops: nobody is kept waiting then.
    pub(crate) async fn stopping(&self) {
        stopped(self.stopping.clone()).await;
    }

    /// The service it was sent to.
    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    /// As sent to another service.
    pub(crate) fn for_service(self, service: &'static str) -> Self {
        Self { service, ..self }
    }

    /// What is stamped on the command: [`Self::submit`] and [`Self::execute`] send it so.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }
}

impl<S> FromRequestParts<S> for Incoming
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let app = App::from_ref(state);
        let id = match key(parts)? {
            Some(key) => {
                let scope = [&*caller.actor, parts.method.as_str(), parts.uri.path()];
                CommandId::from_idempotency_key(&scope, &key)
            }
            None => app.fresh_command_id(),
        };
        let mut intake = Intake::default().actor(caller.actor);
        intake.id = Some(id);
        intake.issued_at = Some(app.now());
        intake.expected = etag::expected(&parts.headers)?;
        if let Some(trace) = parts.extensions.get::<TraceContext>() {
            trace.stamp(&mut intake);
        }
        let service = parts.extensions.get().map_or("", |ServiceName(name)| name);
        let stopping = parts.extensions.get().cloned();
        Ok(Self { id, intake, wait: prefer::wait(&parts.headers)?, stopping, service })
    }
}

fn key(parts: &Parts) -> Result<Option<String>, Problem> {
    let mut values = parts.headers.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refuse = |message: String| {
        Err(Problem::new(ProblemType::Shape, format!("the header `{KEY}` {message}")).field(KEY, message))
    };
    if values.next().is_some() {
        return refuse("is there more than once".to_owned());
    }
    match value.to_str() {
        Ok(key)
            if (1..=KEY_BYTES_MAX).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Ok(Some(key.to_owned()))
        }
        _ => refuse(format!("has 1 to {KEY_BYTES_MAX} visible ASCII characters")),
    }
}
