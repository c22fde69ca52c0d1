//! Owns the decision: a command and what it must know, to events or a rejection. Pure.

use crate::{Context, Event, Events, IntoEvents, Models, Reject};

/// A use case: what it must know, and what it decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not decide anything",
    label = "needs `impl Decide for {Self}`",
    note = "a command becomes a use case with `impl Decide for {Self} {{ type Event; type Models; type \
            Rejection; fn keys; fn decide }}`"
)]
pub trait Decide: Send + Sync + Sized + 'static {
    /// What can happen.
    type Event: Event;
    /// What it must know: one [`crate::Model`], a tuple of up to four, `Vec<Model>`, or `()`.
    type Models: Models;
    /// Why it says no. [`crate::Never`] if it never does, [`crate::Refused`] for a bare code.
    type Rejection: Reject;

    /// Which ones: a key for each model, in their order.
    fn keys(&self) -> Keys<Self>;

    /// What happens. Called again with fresher models when others were faster; so it must depend on
    /// nothing but its arguments.
    ///
    /// # Errors
    /// When the domain says no.
    fn decide(&self, models: &Self::Models, context: &Context) -> Decision<Self>;
}

/// What a command decides: events, or why not. A `Result`, so that `?` works on the way.
pub type Decision<D> = Result<Events<<D as Decide>::Event>, <D as Decide>::Rejection>;

/// The keys of a decision's models.
pub type Keys<D> = <<D as Decide>::Models as Models>::Keys;

/// These events happen: one, an array, a `Vec`, or [`crate::Fact`]s.
///
/// # Errors
/// None: the type is that of a decision.
pub fn emit<E, R>(events: impl IntoEvents<E>) -> Result<Events<E>, R> {
    Ok(events.into_events())
}

/// Nothing is to be done: what was asked for is so already.
///
/// # Errors
/// None: the type is that of a decision.
pub fn nothing<E, R>() -> Result<Events<E>, R> {
    Ok(Events::none())
}

/// Rejects unless the condition holds. The rejection is converted as `?` would.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $rejection:expr $(,)?) => {
        if !$condition {
            return ::core::result::Result::Err($crate::__private::rejected($rejection));
        }
    };
}
