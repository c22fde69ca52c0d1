//! Where time and randomness come in. Everything that needs either takes the port, so that a seeded
//! simulation can hold both.

use factum_event::{CommandId, LogId, Timestamp};
use std::fmt;

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Now. It may run backwards; stores do not follow it there.
    fn now(&self) -> Timestamp;
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
