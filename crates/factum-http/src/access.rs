//! How callers are told apart. With no credentials configured everyone is `demo`, an administrator; any
//! place to listen but loopback is then refused, see [`Access::check`], and so is a request whose `Host` is
//! not this machine: a web page that has its own name resolve to loopback would otherwise act as the
//! administrator. With tokens, who shows none that is known gets no further.

use crate::{Caller, ListenError, Problem, ProblemType, Tokens, tokens::NotKnown};
use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue,
        header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE},
    },
};
use factum::Timestamp;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

const API_KEY: &str = "X-Api-Key";
const BEARER: &str = "bearer";

/// How callers are told apart.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Access {
    /// No credentials are configured: whoever reaches the port may do everything.
    #[default]
    Open,
    /// By the token they show, as `Authorization: Bearer TOKEN` or `X-Api-Key: TOKEN`.
    Tokens(Arc<Tokens>),
}

impl From<Tokens> for Access {
    fn from(tokens: Tokens) -> Self {
        Self::Tokens(Arc::new(tokens))
    }
}

impl Access {
    /// Whether it is safe to listen on `address`.
    ///
    /// # Errors
    /// When the port could be reached from elsewhere and nothing tells callers apart.
    pub fn check(&self, address: SocketAddr) -> Result<(), ListenError> {
        match self {
            Self::Open if !address.ip().is_loopback() => Err(ListenError::OpenToOthers { address }),
            Self::Open | Self::Tokens(_) => Ok(()),
        }
    }

    /// Refuses a request that names another host, or comes from another site's page, where that is all that
    /// protects.
    ///
    /// # Errors
    /// 421.
    pub(crate) fn check_host(&self, request: &Request) -> Result<(), Problem> {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        match self {
            Self::Open if !is_this_machine(host) => {
                let detail =
                    format!("this service answers to localhost and loopback addresses only, not to `{host}`");
                Err(Problem::new(ProblemType::Host, detail).field("Host", "is not this machine"))
            }
            Self::Open if is_foreign_page(request) => {
                let detail =
                    "a page of another site may not act here: nothing tells it from you without tokens";
                Err(Problem::new(ProblemType::Host, detail).field("Origin", "is another site"))
            }
            Self::Open | Self::Tokens(_) => Ok(()),
        }
    }

    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// 401 when that cannot be told.
    pub(crate) fn caller(&self, headers: &HeaderMap, now: Timestamp) -> Result<Caller, Problem> {
        let Self::Tokens(tokens) = self else { return Ok(Caller::demo()) };
        let found = credential(headers).and_then(|token| {
            tokens.caller(token, now).map_err(|why| match why {
                NotKnown::Unknown => "the token is not known",
                NotKnown::Expired => "the token has expired",
            })
        });
        found.map_err(|why| {
            tracing::info!(target: "factum::audit", reason = why, "not let in");
            let detail = format!("{why}: send `Authorization: Bearer TOKEN` or `{API_KEY}: TOKEN`");
            Problem::new(ProblemType::Unauthenticated, detail).header(WWW_AUTHENTICATE, "Bearer")
        })
    }
}

/// The one token that is shown.
fn credential(headers: &HeaderMap) -> Result<&[u8], &'static str> {
    let bearers = headers.get_all(AUTHORIZATION).iter().map(bearer);
    let mut shown = bearers.chain(headers.get_all(API_KEY).iter().map(|key| Some(key.as_bytes())));
    match (shown.next(), shown.next()) {
        (Some(Some(token)), None) if !token.is_empty() => Ok(token),
        (Some(_), Some(_)) => Err("more than one credential was sent"),
        (Some(_), None) => Err("the credential is not of the form `Bearer TOKEN`"),
        (None, _) => Err("no token was sent"),
    }
}

fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(BEARER.len())?;
    let token = token.strip_prefix(b" ")?;
    scheme.eq_ignore_ascii_case(BEARER.as_bytes()).then(|| token.trim_ascii())
}

/// Whether a browser says that the page of another site asks for a change. Some need no leave for that.
fn is_foreign_page(request: &Request) -> bool {
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let elsewhere = |origin: &str| match origin.split_once("://") {
        Some((_, host)) => !is_this_machine(host),
        None => true,
    };
    let foreign = header("Origin").is_some_and(elsewhere) || header("Sec-Fetch-Site") == Some("cross-site");
    foreign && !request.method().is_safe()
}

/// Whether a `Host` header, with or without a port, means loopback.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Access {
        let sha256 = crate::sha256_hex("t-ann");
        let json =
            format!(r#"{{"tokens": [{{"actor": "ann", "roles": ["writer"], "sha256": "{sha256}"}}]}}"#);
        Tokens::parse(json.as_bytes()).unwrap().into()
    }

    #[test]
    fn open_access_stays_on_loopback() {
        for address in ["127.0.0.1:3030", "127.8.8.8:1", "[::1]:3030"] {
            assert!(Access::Open.check(address.parse().unwrap()).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:3030", "192.168.1.4:3030", "[::]:3030"] {
            let refused = Access::Open.check(address.parse().unwrap()).unwrap_err().to_string();
            assert!(refused.contains(address) && refused.contains("authentication"), "{refused}");
            assert!(tokens().check(address.parse().unwrap()).is_ok(), "{address}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_answered_to() {
        for host in ["localhost", "LocalHost:3030", "127.0.0.1", "127.0.0.1:3030", "[::1]:3030", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in
            ["", "evil.example", "evil.example:3030", "localhost.evil.example", "192.168.1.4:3030", "x:y"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    fn asked(headers: &[(&'static str, &'static str)]) -> Result<String, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let caller = tokens().caller(&map, Timestamp::EPOCH);
        caller.map(|caller| caller.actor.to_string()).map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn a_known_token_is_taken_from_either_header() {
        for header in
            [("authorization", "Bearer t-ann"), ("authorization", "bearer  t-ann"), ("x-api-key", "t-ann")]
        {
            assert_eq!(asked(&[header]), Ok("ann".to_owned()), "{header:?}");
        }
    }

    #[test]
    fn what_is_no_known_token_is_refused_with_what_is_wrong_and_never_repeated() {
        for (headers, why) in [
            (&[][..], "no token was sent"),
            (&[("authorization", "Bearer t-bob")], "not known"),
            (&[("x-api-key", "t-annx")], "not known"),
            (&[("authorization", "Basic t-ann")], "not of the form"),
            (&[("authorization", "Digest t-ann")], "not of the form"),
            (&[("authorization", "Bearert-ann")], "not of the form"),
            (&[("authorization", "t-ann")], "not of the form"),
            (&[("authorization", "Bearer ")], "not of the form"),
            (&[("x-api-key", "")], "not of the form"),
            (&[("authorization", "Bearer t-ann"), ("x-api-key", "t-ann")], "more than one"),
            (&[("x-api-key", "t-ann"), ("x-api-key", "t-bob")], "more than one"),
        ] {
            let refused = asked(headers).unwrap_err();
            assert!(refused.starts_with(why) || refused.contains(why), "{headers:?}: {refused}");
            assert!(!refused.contains("t-"), "{refused}");
        }
    }

    #[test]
    fn without_credentials_everyone_is_an_administrator() {
        let caller = Access::Open.caller(&HeaderMap::new(), Timestamp::EPOCH).unwrap();
        assert_eq!((&*caller.actor, &*caller.roles), ("demo", &[crate::Role::ADMIN][..]));
    }
}
