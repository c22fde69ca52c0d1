//! What is named in the path, refused with its name when it is not of its form. An id has one spelling, the one it
//! is given out in: with several, one idempotency key would stand for several requests.

use crate::{Describe, Description, Problem, ProblemType, openapi::Place};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use factum::Month;
use serde_json::json;
use std::{fmt::Display, str::FromStr};

/// The number that `text` is, in its one spelling.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// The path parameter `{id}` as `T`; 400 if it is not one, or is not spelled as `T` prints it.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(pub T);

/// The path parameter `{month}`, a month of the calendar in UTC, such as `2026-11`; 400 if it is none.
///
/// ```
/// use factum_http::{PathMonth, get};
/// async fn read(PathMonth(month): PathMonth) -> String {
///     format!("the statement of {month}")
/// }
/// let endpoint = get::<_, _, ()>(read).about("Reads a statement").answers::<String>();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PathMonth(pub Month);

impl<S: Send + Sync, T: FromStr<Err: Display> + Display> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter("id", parts, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathMonth {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter("month", parts, state).await.map(Self)
    }
}

impl Describe for PathMonth {
    fn describe(route: &mut Description) {
        let form =
            json!({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2026-11"]});
        route.parameter(Place::Path, "month", "A month of the calendar, in UTC.", form);
    }
}

/// The path parameter `name`, spelled as `T` prints it.
///
/// # Errors
/// 400 with its name.
async fn parameter<S: Send + Sync, T: FromStr<Err: Display> + Display>(
    name: &'static str,
    parts: &mut Parts,
    state: &S,
) -> Result<T, Problem> {
    let refuse = |message: String| {
        let detail = format!("the `{name}` in the path is not as it should be: {message}");
        Problem::new(ProblemType::Shape, detail).field(name, message)
    };
    let params = RawPathParams::from_request_parts(parts, state).await.map_err(|e| refuse(e.to_string()))?;
    let found = params.iter().find(|(param, _)| *param == name).map(|(_, value)| value);
    let found = found.ok_or_else(|| refuse("it is missing".to_owned()))?;
    let parsed: T = found.parse().map_err(|error: T::Err| refuse(error.to_string()))?;
    let spelling = parsed.to_string();
    let in_path = parts.uri.path().split('/').any(|segment| segment == spelling);
    if spelling != *found || !in_path {
        return Err(refuse(format!("it is spelled `{spelling}`")));
    }
    Ok(parsed)
}
