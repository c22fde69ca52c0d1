//! When something became true: when it is recorded, unless its sender says that it was earlier. What is to come
//! is not recorded; what is late is, and belongs to the month in which it was true.

use crate::BankEvent;
use factum::{Fact, prelude::*};

/// The first time that something can have been true: 1900-01-01T00:00:00Z.
pub const EFFECTIVE_MIN: Timestamp = Timestamp::from_micros(-2_208_988_800_000_000);

/// Why nothing can have become true then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Reject)]
pub enum NotThen {
    /// It is still to come.
    #[error("must not be after now, which is {now}, and is {at}")]
    #[reject(400, code = "effective-later")]
    AfterNow {
        /// What was asked for.
        at: Timestamp,
        /// When it was asked for.
        now: Timestamp,
    },
    /// No bank would know.
    #[error("must not be before {EFFECTIVE_MIN}, and is {0}")]
    #[reject(400, code = "effective-too-early")]
    TooEarly(Timestamp),
}

/// Whether something can have become true at `at`, as it is asked for at `now`.
///
/// # Errors
/// When `at` is after `now`, or before [`EFFECTIVE_MIN`].
pub fn check(at: Option<Timestamp>, now: Timestamp) -> Result<(), NotThen> {
    let Some(at) = at else { return Ok(()) };
    ensure!(at <= now, NotThen::AfterNow { at, now });
    ensure!(at >= EFFECTIVE_MIN, NotThen::TooEarly(at));
    Ok(())
}

/// `event` became true at `at`, or when it is recorded.
pub(crate) fn since(
    event: BankEvent,
    at: Option<Timestamp>,
    context: &Context,
) -> Result<Fact<BankEvent>, NotThen> {
    check(at, context.now())?;
    let event = fact(event);
    Ok(match at {
        Some(at) => event.effective_at(at),
        None => event,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_to_come_is_not_true_yet_and_what_was_is() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let later = now.plus(Duration::from_micros(1));
        assert_eq!(EFFECTIVE_MIN.to_string(), "1900-01-01T00:00:00.000000Z");
        for at in [None, Some(now), Some(EFFECTIVE_MIN)] {
            assert_eq!(check(at, now), Ok(()), "{at:?}");
        }
        assert_eq!(check(Some(later), now), Err(NotThen::AfterNow { at: later, now }));
        let early = EFFECTIVE_MIN.minus(Duration::from_micros(1));
        assert_eq!(check(Some(early), now), Err(NotThen::TooEarly(early)));
    }
}
