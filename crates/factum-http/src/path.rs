//! An id in the path, refused with its name when it is not one. An id has one spelling, the one it is given
//! out in: with several, one idempotency key would stand for several requests.

use crate::{Problem, ProblemType};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use std::{fmt::Display, str::FromStr};

/// The number that `text` is, in its one spelling.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// The path parameter `{id}` as `T`; 400 if it is not one, or is not spelled as `T` prints it.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: FromStr<Err: Display> + Display> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refuse = |message: String| {
            let detail = format!("the `id` in the path is not as it should be: {message}");
            Problem::new(ProblemType::Shape, detail).field("id", message)
        };
        let params =
            RawPathParams::from_request_parts(parts, state).await.map_err(|e| refuse(e.to_string()))?;
        let id = params.iter().find(|(name, _)| *name == "id").map(|(_, value)| value);
        let id = id.ok_or_else(|| refuse("it is missing".to_owned()))?;
        let parsed: T = id.parse().map_err(|error: T::Err| refuse(error.to_string()))?;
        let spelling = parsed.to_string();
        let in_path = parts.uri.path().split('/').any(|segment| segment == spelling);
        if spelling != *id || !in_path {
            return Err(refuse(format!("it is spelled `{spelling}`")));
        }
        Ok(Self(parsed))
    }
}
