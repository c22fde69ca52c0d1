//! `Prefer: wait=N` (RFC 7240): how long the sender of a command would wait for its outcome.

use crate::{Problem, ProblemType};
use axum::http::HeaderMap;
use std::time::Duration;

pub(crate) const PREFER: &str = "Prefer";
pub(crate) const PREFERENCE_APPLIED: &str = "Preference-Applied";

/// Nobody is kept waiting for longer, whatever they prefer.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// How long to wait, at most [`WAIT_MAX`]; preferences of other names are passed over.
///
/// # Errors
/// 400 when `wait` is not a number of seconds.
pub(crate) fn wait(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    for value in headers.get_all(PREFER) {
        for preference in value.to_str().unwrap_or_default().split(',') {
            let (name, rest) = preference.split_once('=').unwrap_or((preference, ""));
            if !name.trim().eq_ignore_ascii_case("wait") {
                continue;
            }
            let seconds = rest.split(';').next().unwrap_or_default().trim().trim_matches('"');
            let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
            if !digits {
                let message = "wants `wait=N`, N a whole number of seconds";
                let problem = Problem::new(ProblemType::Shape, format!("the header `{PREFER}` {message}"));
                return Err(problem.field(PREFER, message));
            }
            // A number that is too large for the type is too large for the wait as well.
            let asked = seconds.parse().map_or(WAIT_MAX, Duration::from_secs);
            return Ok(Some(asked.min(WAIT_MAX)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(values: &[&'static str]) -> Result<Option<u64>, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, HeaderValue::from_static(value));
        }
        wait(&headers).map(|wait| wait.map(|wait| wait.as_secs())).map_err(|problem| problem.status())
    }

    #[test]
    fn a_wait_is_found_among_other_preferences() {
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(asked(&["respond-async", "return=minimal"]), Ok(None));
        assert_eq!(asked(&["wait=5"]), Ok(Some(5)));
        assert_eq!(asked(&["respond-async, Wait = \"7\"; strict"]), Ok(Some(7)));
        assert_eq!(asked(&["return=minimal", "wait=0"]), Ok(Some(0)));
    }

    #[test]
    fn nobody_waits_for_ever() {
        assert_eq!(asked(&["wait=61"]), Ok(Some(60)));
        assert_eq!(asked(&["wait=99999999999999999999999"]), Ok(Some(60)));
    }

    #[test]
    fn a_wait_that_is_no_number_is_refused() {
        for value in ["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "wait=+1"] {
            assert_eq!(asked(&[value]), Err(400), "{value}");
        }
    }
}
