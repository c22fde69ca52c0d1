//! Owns how the domain says no: a code to branch on, a sentence to read, a status to answer with.

use std::fmt;

/// What `ensure!` can reject with where `R` is the rejection: whatever `?` would convert.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be turned into the rejection `{R}`",
    label = "not a `{R}`",
    note = "reject with a value of `{R}`; where `{R}` is your enum, a variant can wrap another error: \
            `#[error(transparent)] Other(#[from] {Self})`",
    note = "`Refused` takes a fixed text, `\"full\"`: for a text with values in it write an enum, \
            `#[error(\"full: {{seats}} seats\")] Full {{ seats: u32 }}`"
)]
pub trait IntoRejection<R> {
    fn into_rejection(self) -> R;
}

#[diagnostic::do_not_recommend]
impl<T, R: From<T>> IntoRejection<R> for T {
    fn into_rejection(self) -> R {
        self.into()
    }
}

#[doc(hidden)]
pub fn rejected<R>(why: impl IntoRejection<R>) -> R {
    why.into_rejection()
}

/// An error: the sentence that a person reads. Derived code asks for it in the place of the supertraits, so
/// that what is missing is said once.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error, and a rejection is one: its text is the reason that a person reads",
    label = "needs `Debug` and `std::error::Error`",
    note = "`#[derive(Debug, thiserror::Error, Reject)]`, with `#[error(\"full: {{seats}} seats\")]` on each \
            variant; `thiserror` is a dependency in your Cargo.toml"
)]
pub trait Reason: std::error::Error + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: std::error::Error + Send + Sync + 'static> Reason for T {}

/// Compiles for an error.
#[doc(hidden)]
pub const fn is_reason<T: Reason>() {}

/// Why a command is refused. Its `Display` is the reason a person reads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rejection",
    label = "not a rejection",
    note = "`#[derive(Debug, thiserror::Error, Reject)]`, with `#[reject(404)]` on variants that are not a \
            409; a command that is never rejected uses `Never`, one with bare codes `Refused`"
)]
pub trait Reject: std::error::Error + Send + Sync + 'static {
    /// Stable and short, such as `no-such-course`. It is stored, and clients branch on it.
    fn code(&self) -> &'static str;

    /// The HTTP status that says it best, from 400 to 499.
    fn status(&self) -> u16;

    /// Every code that [`Self::code`] may give, with its status: what callers are told beforehand. The derive
    /// knows them; empty where nobody does.
    fn cases() -> Vec<RejectCase>
    where
        Self: Sized,
    {
        Vec::new()
    }
}

/// A way of saying no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectCase {
    /// Its code.
    pub code: &'static str,
    /// The HTTP status that says it best.
    pub status: u16,
}

/// The rejection of a command that is never rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl Reject for Never {
    fn code(&self) -> &'static str {
        match *self {}
    }

    fn status(&self) -> u16 {
        match *self {}
    }
}

/// A rejection that is only a code, answered with 409. Give a command an enum of its own when callers
/// branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

impl From<&'static str> for Refused {
    fn from(code: &'static str) -> Self {
        Self(code)
    }
}

impl Reject for Refused {
    fn code(&self) -> &'static str {
        self.0
    }

    fn status(&self) -> u16 {
        409
    }
}
