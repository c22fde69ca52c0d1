//! Who is asking. On loopback with no credentials configured everyone is `demo`, an administrator; any
//! other place to listen is refused, see [`Access::check`].

use crate::ListenError;
use axum::{extract::FromRequestParts, http::request::Parts};
use std::{convert::Infallible, net::SocketAddr, sync::Arc};

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
}
