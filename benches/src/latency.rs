//! Latencies as they are gathered, and as they are told.

use crate::Failure;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Nothing is taken to last longer, in nanoseconds: it is counted as this long.
const NANOS_MAX: u64 = 600 * 1_000_000_000;
/// Digits that are right.
const DIGITS: u8 = 3;

/// An empty histogram of nanoseconds.
pub(crate) fn histogram() -> Result<Histogram<u64>, Failure> {
    Ok(Histogram::new_with_bounds(1, NANOS_MAX, DIGITS)?)
}

/// The latencies below which 50, 99 and 99.9 of 100 stayed, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) half: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
}

impl From<&Histogram<u64>> for Quantiles {
    fn from(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self { half: at(0.5), p99: at(0.99), p999: at(0.999) }
    }
}
