//! Who is asking, and which roles they have. A [`Caller`] is made by [`crate::access`] alone: a handler that
//! was reached past it finds none, and refuses.

use crate::{Problem, ProblemType};
use axum::{extract::FromRequestParts, http::request::Parts};
use std::{borrow::Cow, fmt, sync::Arc};

/// Longest name of a role, in bytes.
pub const ROLE_BYTES_MAX: usize = 64;

/// The actor of everyone while there are no credentials.
const DEMO: &str = "demo";

/// A name for what a caller may do. Four are known everywhere; what the others allow, and `writer` and
/// `reader` with them, each service says in its [`crate::Permissions`].
///
/// ```
/// use factum_http::Role;
/// const ACCOUNTANT: Role = Role::named("accountant");
/// assert_eq!(Role::new("accountant"), Ok(ACCOUNTANT));
/// assert!(Role::new("An Accountant").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(Cow<'static, str>);

/// A text that names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a role: use 1 to {ROLE_BYTES_MAX} of a-z, 0-9 and `-`, a letter first")]
pub struct InvalidRole;

impl Role {
    /// Everything.
    pub const ADMIN: Self = Self::named("admin");
    /// Reads everything, and sees what became of every sender's commands.
    pub const OPERATOR: Self = Self::named("operator");
    /// By custom, sends commands.
    pub const WRITER: Self = Self::named("writer");
    /// By custom, asks queries.
    pub const READER: Self = Self::named("reader");

    /// A role whose name is written in the code.
    ///
    /// # Panics
    /// When it is not a name; in a constant, when that is compiled.
    pub const fn named(name: &'static str) -> Self {
        assert!(is_name(name.as_bytes()), "a role is named with a-z, 0-9 and `-`, a letter first");
        Self(Cow::Borrowed(name))
    }

    /// A role whose name comes from elsewhere.
    ///
    /// # Errors
    /// When it is not a name.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidRole> {
        let name = name.into();
        if is_name(name.as_bytes()) { Ok(Self(Cow::Owned(name))) } else { Err(InvalidRole) }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_name(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        let fits =
            name[at].is_ascii_lowercase() || (at > 0 && (name[at].is_ascii_digit() || name[at] == b'-'));
        if !fits {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= ROLE_BYTES_MAX
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name that goes into every command.
    pub actor: Arc<str>,
    /// What they may do.
    pub roles: Arc<[Role]>,
}

impl Caller {
    /// Everyone, while there are no credentials.
    pub(crate) fn demo() -> Self {
        Self { actor: DEMO.into(), roles: [Role::ADMIN].into() }
    }

    /// Whether they have `role`.
    pub fn has(&self, role: &Role) -> bool {
        self.roles.contains(role)
    }

    /// Whether what `actor` sent is theirs to look at: their own, or anybody's for an operator.
    pub fn may_see(&self, actor: Option<&str>) -> bool {
        self.has(&Role::ADMIN) || self.has(&Role::OPERATOR) || actor == Some(&*self.actor)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let nobody = || Problem::new(ProblemType::Unauthenticated, "nothing says who is asking");
        parts.extensions.get::<Self>().cloned().ok_or_else(nobody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(roles: &[Role]) -> Caller {
        Caller { actor: "ann".into(), roles: roles.into() }
    }

    #[test]
    fn a_role_has_a_plain_name() {
        for name in ["a", "writer", "team-7", &"x".repeat(ROLE_BYTES_MAX)] {
            assert_eq!(Role::new(name).map(|role| role.to_string()), Ok(name.to_owned()));
        }
        for name in ["", "7", "-a", "Writer", "a b", "a_b", "é", &"x".repeat(ROLE_BYTES_MAX + 1)] {
            assert_eq!(Role::new(name), Err(InvalidRole), "{name}");
        }
    }

    #[test]
    fn senders_see_their_own_and_operators_see_all() {
        for (roles, own, others) in [
            (&[Role::ADMIN][..], true, true),
            (&[Role::READER, Role::OPERATOR], true, true),
            (&[Role::WRITER, Role::READER], true, false),
            (&[], true, false),
        ] {
            let caller = caller(roles);
            assert_eq!(caller.may_see(Some("ann")), own);
            assert_eq!((caller.may_see(Some("bob")), caller.may_see(None)), (others, others), "{roles:?}");
        }
    }

    #[test]
    fn a_request_that_nobody_let_in_has_no_caller() {
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        let refused = factum::block_on(Caller::from_request_parts(&mut parts, &())).unwrap_err();
        assert_eq!(refused.status(), 401);
    }
}
