//! Asks a service that runs, over HTTP.

use super::{Answer, Failure};
use std::time::Duration;
use ureq::{
    Agent,
    http::{HeaderValue, Method, Request},
};

/// A service is tried to be reached for so long.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// And is given so long for an answer: making a key anew reads a lot.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(600);
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Longest token, in bytes.
pub(super) const TOKEN_BYTES_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct Remote {
    agent: Agent,
    url: String,
    authorization: Option<HeaderValue>,
}

impl Remote {
    pub(super) fn new(url: String, token: Option<String>) -> Result<Self, Failure> {
        let authorization = token.map(|token| authorization(&token)).transpose()?;
        // Who else the environment names hears nothing of this, nor does whoever the service points to.
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
        let config = config.timeout_connect(Some(CONNECT_TIME_MAX)).timeout_global(Some(ANSWER_TIME_MAX));
        Ok(Self { agent: config.build().into(), url, authorization })
    }

    pub(super) fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<String>,
    ) -> Result<Answer, Failure> {
        let unreachable =
            |cause: ureq::Error| Failure::Unreachable { url: self.url.clone(), cause: cause.to_string() };
        let method = Method::from_bytes(method.as_bytes()).expect("it is GET or POST");
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let strange = || Failure::Strange { status: 0, path: path.to_owned() };
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body);
                self.agent.run(request.map_err(|_| strange())?)
            }
            None => self.agent.run(request.body(()).map_err(|_| strange())?),
        };
        let mut response = response.map_err(unreachable)?;
        let status = response.status().as_u16();
        let link = response.headers().get("link").and_then(|link| link.to_str().ok()).map(str::to_owned);
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok(Answer { status, link, body: body.map_err(unreachable)? })
    }
}

fn authorization(token: &str) -> Result<HeaderValue, Failure> {
    let fits =
        (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = fits.then(|| HeaderValue::try_from(format!("Bearer {token}")).ok()).flatten();
    let mut value = value.ok_or(Failure::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_token_is_not_sent() {
        assert!(authorization("factum_0123").is_ok());
        for token in ["", "two words", "new\nline", "é", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            assert!(authorization(token).is_err(), "{token:?}");
        }
    }
}
