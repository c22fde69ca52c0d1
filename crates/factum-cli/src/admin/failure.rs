//! Why something asked of an application was not done, and what to do.

use crate::layout::DataError;
use serde_json::Value;
use std::{io, path::PathBuf};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{detail}{}", of_fields(fields))]
    Refused { detail: String, fields: Vec<(String, String)> },
    #[error(
        "could not reach {url}: {cause}: is a service running there? Its data is worked on with --data DIR"
    )]
    Unreachable { url: String, cause: String },
    #[error("the answer to {path} was {status}, and not of the admin API: is --url that of the service?")]
    Strange { status: u16, path: String },
    #[error(
        "the answer is not of the admin API as this build knows it: {0}: use the build that the service runs"
    )]
    Unread(serde_json::Error),
    #[error("a service is running on {}: use --url, such as --url http://127.0.0.1:3030", dir.display())]
    InUse { dir: PathBuf },
    #[error("{} has the data of {found}, and this application has {known}: name its own with --data DIR", dir.display())]
    Foreign { dir: PathBuf, found: String, known: String },
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Open(factum::log::OpenError),
    #[error("there is no projection `{asked}`; there are: {known}")]
    Unknown { asked: String, known: String },
    #[error("there is no projection `{asked}`: the application has none at all")]
    None { asked: String },
    #[error("`{asked}` is a projection of several services: say which, {choice}")]
    Ambiguous { asked: String, choice: String },
    #[error("{0}")]
    Unfinished(String),
    #[error("could not read the token in {}: {cause}", path.display())]
    TokenFile { path: PathBuf, cause: io::Error },
    #[error("a token is 1 to {max} visible ASCII characters, and what is given as one is not", max = super::remote::TOKEN_BYTES_MAX)]
    Token,
    #[error("the system refused to start the work: {0}")]
    System(io::Error),
}

impl Failure {
    /// Of what was refused with problem+json, or with what a client does not know.
    pub(super) fn of_problem(status: u16, path: &str, problem: &Value) -> Self {
        let Some(detail) = problem["detail"].as_str() else {
            return Self::Strange { status, path: path.to_owned() };
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = problem["fields"].as_array().into_iter().flatten();
        let fields = fields.map(|field| (text(&field["field"]), text(&field["message"]))).collect();
        Self::Refused { detail: detail.to_owned(), fields }
    }
}

/// A line for each.
fn of_fields(fields: &[(String, String)]) -> String {
    fields.iter().map(|(field, message)| format!("\n  {field}: {message}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_is_told_with_every_field() {
        let problem = json!({"detail": "no", "fields": [
            {"field": "cause", "message": "is empty"},
            {"field": "key", "message": "is missing"},
        ]});
        let told = Failure::of_problem(400, "/admin", &problem).to_string();
        assert_eq!(told, "no\n  cause: is empty\n  key: is missing");
        let told = Failure::of_problem(502, "/admin/x", &json!({"oops": 1})).to_string();
        assert!(told.contains("502") && told.contains("/admin/x"), "{told}");
    }
}
