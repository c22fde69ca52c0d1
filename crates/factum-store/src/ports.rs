//! Where time and randomness come in. Everything that needs either takes the port, so that a seeded
//! simulation can hold both.

use factum_event::{CommandId, LogId, Timestamp};
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Now. It may run backwards; stores do not follow it there.
    fn now(&self) -> Timestamp;
}

/// Tells how much time passed, to measure with.
pub trait Monotonic: fmt::Debug + Send + Sync + 'static {
    /// Since a moment that stays the same; it never runs backwards.
    fn elapsed(&self) -> Duration;
}

/// Gives random bytes.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the adapter")]
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => Timestamp::EPOCH.plus(after),
            Err(before) => Timestamp::EPOCH.minus(before.duration()),
        }
    }
}

/// The machine's stopwatch, started when it is made.
#[derive(Clone, Copy, Debug)]
pub struct SystemMonotonic(Instant);

impl Default for SystemMonotonic {
    fn default() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the adapter")]
        let start = Instant::now();
        Self(start)
    }
}

impl Monotonic for SystemMonotonic {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// A command id that is new: a UUID of version 7.
pub fn fresh_command_id(clock: &dyn Clock, entropy: &dyn Entropy) -> CommandId {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(clock.now().as_micros() / 1000).unwrap_or(0);
    CommandId::new(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// A log id that is new: a random UUID.
pub fn fresh_log_id(entropy: &dyn Entropy) -> LogId {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    LogId::new(uuid::Builder::from_random_bytes(random).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0)
        }
    }

    #[derive(Debug)]
    struct Filled(u8);

    impl Entropy for Filled {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_fresh_command_id_begins_with_its_time() {
        let id = |micros, random| fresh_command_id(&At(micros), &Filled(random));
        assert_eq!(id(1_767_225_600_123_456, 0xff).to_string(), "019b76da-a87b-7fff-bfff-ffffffffffff");
        assert!(id(1_000_000, 0xff) < id(1_001_000, 0), "a later one sorts after an earlier one");
        assert_ne!(id(0, 1), id(0, 2));
    }

    #[test]
    fn the_stopwatch_never_runs_backwards() {
        let stopwatch = SystemMonotonic::default();
        let first = stopwatch.elapsed();
        assert!(stopwatch.elapsed() >= first);
    }

    #[test]
    fn a_clock_before_1970_still_gives_an_id() {
        assert_eq!(fresh_command_id(&At(-1), &Filled(0)).to_string(), "00000000-0000-7000-8000-000000000000");
    }

    #[test]
    fn a_fresh_log_id_is_a_random_uuid() {
        assert_eq!(fresh_log_id(&Filled(0xff)).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
