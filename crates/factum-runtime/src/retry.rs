//! How a lost race is tried again: full jitter, so that losers do not meet again in step.

use factum_store::{BoxFuture, Entropy};
use std::{fmt, time::Duration};

/// Bounds of trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Most attempts, the first one included.
    pub attempts_max: u32,
    /// The pause before the second attempt is up to this long; the bound doubles from attempt to attempt.
    pub pause: Duration,
    /// No pause is longer.
    pub pause_max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts_max: 100, pause: Duration::from_micros(200), pause_max: Duration::from_millis(50) }
    }
}

impl Retry {
    /// A pause drawn evenly from nothing to the bound after `attempts` failures.
    pub(crate) fn pause_after(self, attempts: u32, entropy: &dyn Entropy) -> Duration {
        let doubled =
            1_u32.checked_shl(attempts.saturating_sub(1)).and_then(|factor| self.pause.checked_mul(factor));
        let bound = doubled.unwrap_or(self.pause_max).min(self.pause_max);
        let mut random = [0; 4];
        entropy.fill(&mut random);
        bound.mul_f64(f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX))
    }
}

/// Waits.
pub trait Sleep: fmt::Debug + Send + Sync + 'static {
    /// Ready after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Waits by a timer of its own, whatever the runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSleep;

impl Sleep for SystemSleep {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(futures_timer::Delay::new(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum_store::SystemEntropy;

    #[derive(Debug)]
    struct Most;

    impl Entropy for Most {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xff);
        }
    }

    #[test]
    fn the_bound_of_a_pause_doubles_up_to_its_most() {
        let retry =
            Retry { attempts_max: 9, pause: Duration::from_millis(1), pause_max: Duration::from_millis(5) };
        let bounds: Vec<_> = (1..6).map(|after| retry.pause_after(after, &Most).as_millis()).collect();
        assert_eq!(bounds, [1, 2, 4, 5, 5]);
        assert_eq!(retry.pause_after(200, &Most), retry.pause_max);
    }

    #[test]
    fn pauses_are_spread_over_the_whole_range() {
        let retry = Retry { pause: Duration::from_millis(8), ..Retry::default() };
        let pauses: Vec<_> = (0..64).map(|_| retry.pause_after(1, &SystemEntropy)).collect();
        assert!(pauses.iter().any(|pause| *pause < Duration::from_millis(3)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(5)));
    }
}
