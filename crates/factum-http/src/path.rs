//! An id in the path, refused with its name when it is not one.

use crate::{Problem, ProblemType};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use std::{fmt::Display, str::FromStr};

/// The path parameter `{id}` as `T`; 400 if it is not one.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: FromStr<Err: Display>> FromRequestParts<S> for PathId<T> {
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
        id.parse().map(Self).map_err(|error: T::Err| refuse(error.to_string()))
    }
}
