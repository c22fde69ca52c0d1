//! Counts the requests of each actor against the rate: a bucket each, which fills by the application's
//! clock. A clock that is set back empties no bucket and fills none.

use crate::{Caller, Problem, ProblemType, Rate, limits::RETRY_AFTER as WAIT};
use axum::http::header::RETRY_AFTER;
use factum::{Clock, Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A request costs this much; a bucket gains its rate, in requests per second, every microsecond.
const REQUEST: u64 = 1_000_000;

/// One bucket for each actor who ever asked: as many as the configuration names.
#[derive(Debug)]
pub(crate) struct Rates {
    rate: Rate,
    clock: Arc<dyn Clock>,
    buckets: Mutex<HashMap<Arc<str>, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    level: u64,
    filled_at: Timestamp,
}

impl Rates {
    pub(crate) fn new(rate: Rate, clock: Arc<dyn Clock>) -> Self {
        Self { rate, clock, buckets: Mutex::default() }
    }

    /// Takes one request of `caller` from what they have left.
    ///
    /// # Errors
    /// 429 when nothing is left.
    pub(crate) fn take(&self, caller: &Caller) -> Result<(), Problem> {
        let now = self.clock.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = || Bucket { level: self.full(), filled_at: now };
        let bucket = buckets.entry(Arc::clone(&caller.actor)).or_insert_with(full);
        let elapsed = u64::try_from(now.since(bucket.filled_at).as_micros()).unwrap_or(u64::MAX);
        let gained = elapsed.saturating_mul(self.rate.per_second().into());
        bucket.level = bucket.level.saturating_add(gained).min(self.full());
        bucket.filled_at = now;
        bucket.level = bucket.level.checked_sub(REQUEST).ok_or_else(|| self.refuse(caller))?;
        Ok(())
    }

    fn full(&self) -> u64 {
        u64::from(self.rate.per_second()) * REQUEST
    }

    fn refuse(&self, caller: &Caller) -> Problem {
        let detail = format!(
            "`{}` has sent more than {} requests in a second: send them more slowly",
            caller.actor,
            self.rate.per_second()
        );
        Problem::new(ProblemType::TooMany, detail).header(RETRY_AFTER, &WAIT.as_secs().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum_testkit::VirtualClock;
    use std::time::Duration;

    fn rates(rate: &str) -> (Arc<VirtualClock>, Rates) {
        let clock = Arc::new(VirtualClock::at(Timestamp::from_micros(10_000_000)));
        (Arc::clone(&clock), Rates::new(rate.parse().unwrap(), clock))
    }

    fn caller(actor: &str) -> Caller {
        Caller { actor: actor.into(), ..Caller::demo() }
    }

    fn taken(rates: &Rates, actor: &str) -> usize {
        std::iter::repeat_with(|| rates.take(&caller(actor))).take_while(Result::is_ok).take(1000).count()
    }

    #[test]
    fn a_bucket_holds_one_second_and_fills_evenly() {
        let (clock, rates) = rates("4/s");
        assert_eq!(taken(&rates, "ann"), 4);
        clock.advance(Duration::from_micros(249_999));
        assert_eq!(taken(&rates, "ann"), 0);
        clock.advance(Duration::from_micros(1));
        assert_eq!(taken(&rates, "ann"), 1);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(taken(&rates, "ann"), 4, "an hour saves up no more than a second does");
    }

    #[test]
    fn every_actor_has_a_bucket_of_their_own() {
        let (_, rates) = rates("2/s");
        assert_eq!((taken(&rates, "ann"), taken(&rates, "bob"), taken(&rates, "ann")), (2, 2, 0));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (clock, rates) = rates("1/s");
        assert_eq!(taken(&rates, "ann"), 1);
        clock.set(Timestamp::EPOCH);
        assert_eq!(taken(&rates, "ann"), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(&rates, "ann"), 1);
    }

    #[test]
    fn the_highest_rate_and_the_longest_pause_do_not_overflow() {
        let (clock, rates) = rates("1000000/s");
        assert!(rates.take(&caller("ann")).is_ok());
        clock.set(Timestamp::from_micros(i64::MIN));
        assert!(rates.take(&caller("ann")).is_ok());
        clock.set(Timestamp::from_micros(i64::MAX));
        assert!(rates.take(&caller("ann")).is_ok());
    }
}
