//! A JSON body that is read whole or refused with the field at fault.
//!
//! Every request's body is taken in, or let go by, before the request is answered: a refusal that left it
//! unread would cost the client its connection, and the next request on it an unexplained failure.

use crate::{BODY_BYTES_MAX, Problem, ProblemType};
use axum::{
    body::{Body as Raw, Bytes, HttpBody as _, to_bytes},
    extract::{FromRequest, Request, State},
    http::header::{CONNECTION, CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use std::{future::poll_fn, pin::Pin, time::Duration};
use tokio::time::timeout;

/// The body as `T`. Anything else is refused: 415 when it does not say it is JSON, 413 over
/// [`BODY_BYTES_MAX`], 400 with the field otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !is_json(content_type.unwrap_or_default()) {
            let detail = "send the header `Content-Type: application/json`";
            return Err(
                Problem::new(ProblemType::MediaType, detail).field("Content-Type", "is not application/json")
            );
        }
        let bytes = whole(request.into_body()).await?;
        parse(&bytes).map(Self)
    }
}

/// As [`Body`], where no body at all is as good as `{}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyOrNothing<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for BodyOrNothing<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return parse(b"{}").map(Self);
        }
        let Body(read) = Body::from_request(request, state).await?;
        Ok(Self(read))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Takes in the body of every request, up to [`BODY_BYTES_MAX`] and for so long.
pub(crate) async fn take_in(State(time_max): State<Duration>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return too_large().header(CONNECTION, "close").into_response();
    }
    match timeout(time_max, whole(body)).await.unwrap_or_else(|_| Err(too_slow(time_max))) {
        Ok(bytes) => next.run(Request::from_parts(parts, Raw::from(bytes))).await,
        // The rest of the body is still under way: this connection cannot be used again.
        Err(problem) => problem.header(CONNECTION, "close").into_response(),
    }
}

/// Refuses a request whose body nobody needs: it is let go by, up to [`BODY_BYTES_MAX`] and for so long, and
/// not kept.
pub(crate) async fn refuse(request: Request, problem: Problem, time_max: Duration) -> Response {
    match timeout(time_max, has_gone_by(request.into_body())).await {
        Ok(true) => problem.into_response(),
        Ok(false) | Err(_) => problem.header(CONNECTION, "close").into_response(),
    }
}

/// Whether the whole body went by.
async fn has_gone_by(mut body: Raw) -> bool {
    let mut left = BODY_BYTES_MAX;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let bytes = frame.ok().map(|frame| frame.data_ref().map_or(0, Bytes::len));
        match bytes.and_then(|bytes| left.checked_sub(bytes)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

async fn whole(body: Raw) -> Result<Bytes, Problem> {
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(|source| source.is::<LengthLimitError>()) {
            return too_large();
        }
        let detail = format!("the body did not arrive whole: {error}");
        Problem::new(ProblemType::Shape, detail).field("body", "did not arrive whole")
    })
}

fn too_large() -> Problem {
    let detail = format!("the body has more than {BODY_BYTES_MAX} bytes: make it smaller");
    Problem::new(ProblemType::TooLarge, detail).field("body", "is too large")
}

fn too_slow(time_max: Duration) -> Problem {
    let detail = format!("the body did not arrive within {time_max:?}: nothing was stored, send it again");
    Problem::new(ProblemType::Timeout, detail).field("body", "did not arrive in time")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A list would pass for an object, field by field.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        let problem =
            Problem::new(ProblemType::Shape, "the body is a list: send an object with named fields");
        return Err(problem.field("body", "is a list, not an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        not_of_the_form(&path, error.inner())
    })?;
    json.end().map_err(|error| not_of_the_form(".", &error))?;
    Ok(parsed)
}

fn not_of_the_form(path: &str, error: &serde_json::Error) -> Problem {
    let message = without_place(&error.to_string());
    if !error.is_data() {
        let detail = format!("the body is not JSON: {error}");
        return Problem::new(ProblemType::Shape, detail).field("body", message);
    }
    let field = at_fault(path, &message);
    Problem::new(ProblemType::Shape, format!("the field `{field}` is not as it should be: {message}"))
        .field(field, message)
}

/// The field that serde's `message` about `path` is on.
pub(crate) fn at_fault(path: &str, message: &str) -> String {
    match (path, quoted(message)) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => "body".to_owned(),
        (path, Some(name)) if message.starts_with("missing field") => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    }
}

/// serde names a missing, unknown or repeated field of the outermost object only in its message.
fn quoted(message: &str) -> Option<&str> {
    let starts = ["missing field `", "unknown field `", "duplicate field `"];
    let named = starts.iter().find_map(|start| message.strip_prefix(start))?;
    named.split('`').next()
}

fn without_place(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "only its shape matters here")]
        lines: Vec<Line>,
        #[expect(dead_code, reason = "only its shape matters here")]
        note: String,
    }

    #[derive(Debug, Deserialize)]
    struct Line {
        #[expect(dead_code, reason = "only its shape matters here")]
        count: u32,
    }

    fn fields(body: &str) -> Vec<String> {
        let problem = parse::<Order>(body.as_bytes()).unwrap_err();
        assert_eq!(problem.status(), 400);
        problem.fields().iter().map(|field| format!("{}: {}", field.field, field.message)).collect()
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(fields(r#"{"lines": []}"#), ["note: missing field `note`"]);
        assert_eq!(fields(r#"{"lines": [{}], "note": ""}"#), ["lines[0].count: missing field `count`"]);
        assert_eq!(
            fields(r#"{"lines": [{"count": "x"}], "note": ""}"#),
            [r#"lines[0].count: invalid type: string "x", expected u32"#]
        );
        assert_eq!(
            fields(r#"{"lines": [], "note": "", "oops": 1}"#),
            ["oops: unknown field `oops`, expected `lines` or `note`"]
        );
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for body in ["", "{", "{} x", "nonsense"] {
            assert!(fields(body)[0].starts_with("body: ") || body == "{} x", "{body}: {:?}", fields(body));
        }
        assert_eq!(fields(r#"[[], ""]"#), ["body: is a list, not an object"]);
        assert_eq!(fields(r#"{"lines": [], "note": "", "note": ""}"#), ["note: duplicate field `note`"]);
    }

    #[test]
    fn json_says_that_it_is() {
        assert!(is_json("application/json") && is_json("Application/JSON; charset=utf-8"));
        assert!(!is_json("") && !is_json("text/plain") && !is_json("application/x-www-form-urlencoded"));
    }
}
