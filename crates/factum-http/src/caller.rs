//! Who is asking. On loopback with no credentials configured everyone is `demo`, an administrator; any
//! other place to listen is refused, see [`Access::check`], and so is a request whose `Host` is not this
//! machine: a web page that has its own name resolve to loopback would otherwise act as the administrator.

use crate::{ListenError, Problem, ProblemType};
use axum::{
    extract::{FromRequestParts, Request},
    http::{header::HOST, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// How callers are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// No credentials are configured: whoever reaches the port may do everything.
    #[default]
    Open,
}

impl Access {
    /// Whether it is safe to listen on `address`.
    ///
    /// # Errors
    /// When the port could be reached from elsewhere and nothing tells callers apart.
    pub fn check(self, address: SocketAddr) -> Result<(), ListenError> {
        match self {
            Self::Open if address.ip().is_loopback() => Ok(()),
            Self::Open => Err(ListenError::OpenToOthers { address }),
        }
    }
}

/// Refuses a request that names another host.
pub(crate) async fn only_this_machine(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_this_machine(host) {
        return next.run(request).await;
    }
    let detail = format!("this service answers to localhost and loopback addresses only, not to `{host}`");
    Problem::new(ProblemType::Host, detail).field("Host", "is not this machine").into_response()
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

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// Everything.
    Admin,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name that goes into every command.
    pub actor: Arc<str>,
    /// What they may do.
    pub role: Role,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { actor: "demo".into(), role: Role::Admin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_access_stays_on_loopback() {
        for address in ["127.0.0.1:3030", "127.8.8.8:1", "[::1]:3030"] {
            assert!(Access::Open.check(address.parse().unwrap()).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:3030", "192.168.1.4:3030", "[::]:3030"] {
            let refused = Access::Open.check(address.parse().unwrap()).unwrap_err().to_string();
            assert!(refused.contains(address) && refused.contains("authentication"), "{refused}");
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
}
