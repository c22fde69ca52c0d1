//! Plays a test over many seeds: a few in every run, more when `cargo xtask soak` says so. The contract
//! stands in `docs/internals/testing.md`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// Most seeds of one call: where the next round of a soak begins.
const SEEDS_MAX: u64 = 1_000_000;

/// Plays `play` with the seeds from `first` on, `count` of them, or those that the environment asks for.
///
/// # Panics
/// When a seed fails: the message begins with `seed N:`.
pub fn soak(first: u64, count: u64, play: impl Fn(u64)) {
    let (first, seconds) = (variable("FACTUM_SOAK_SEED").unwrap_or(first), variable("FACTUM_SOAK_SECONDS"));
    let began = now();
    for played in 0..SEEDS_MAX {
        let seed = first.wrapping_add(played);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| play(seed))) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            panic!("seed {seed}: {}", text.unwrap_or("it panicked without a message"));
        }
        let goes_on = match seconds {
            Some(seconds) => began.elapsed() < Duration::from_secs(seconds),
            None => played + 1 < count,
        };
        if !goes_on {
            break;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a soak lasts as long as the person who began it said")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the soak's settings reach the test binaries this way")]
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is `{text}`, not a whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn the_seed_that_fails_is_named() {
        let played = RefCell::new(Vec::new());
        let failed = catch_unwind(AssertUnwindSafe(|| {
            soak(7, 5, |seed| {
                played.borrow_mut().push(seed);
                assert!(seed != 9, "nine is wrong");
            });
        }));
        let text = failed.unwrap_err().downcast::<String>().unwrap();
        // Within a soak the first seed is another one, and time decides.
        if variable("FACTUM_SOAK_SEED").is_none() {
            assert_eq!((&**text, played.into_inner()), ("seed 9: nine is wrong", vec![7, 8, 9]));
        }
    }
}
