//! The answer to a command that was taken: 202, where to ask for its outcome, and the ids it minted. The
//! same whatever became of it, so that a repeat reads as the first did.

use crate::{Incoming, Problem};
use axum::{
    Json,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use factum::{Done, ExecuteError, Reject};
use serde_json::{Map, Value};

/// 202 for a command with a durable outcome, a rejection among them; a problem when nothing was stored.
/// `minted` is what the command named, for its sender: `[("value_id", id)]`.
///
/// # Errors
/// See [`mod@crate::error`].
pub fn accepted<E, R: Reject, const N: usize>(
    incoming: &Incoming,
    ended: Result<Done<E>, ExecuteError<R>>,
    minted: [(&str, String); N],
) -> Result<Response, Problem> {
    match ended {
        Ok(_) | Err(ExecuteError::Rejected(_) | ExecuteError::RejectedEarlier(_)) => {}
        Err(other) => return Err(Problem::from(other)),
    }
    let id = incoming.command_id().to_string();
    let location = format!("/commands/{id}");
    let mut body = Map::from_iter([("command_id".to_owned(), Value::String(id))]);
    body.extend(minted.map(|(name, id)| (name.to_owned(), Value::String(id))));
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(body)).into_response())
}
