//! A row: one work of one system, as it goes into the file of JSON. The names of its fields are what other
//! programs read.

use super::{
    measure::Measured,
    work::{Durability, System, Work},
};
use crate::machine;
use serde::{Deserialize, Serialize};

/// One work of one system.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) work: Work,
    pub(crate) system: System,
    pub(crate) durability: Durability,
    /// Events written or read, per second.
    pub(crate) per_second: f64,
    /// Of an append, of a stream that is read, or of the whole replay.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// What the files take of the medium once they are closed, over the events in them; none if these are few.
    pub(crate) bytes_per_event: Option<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]
impl Row {
    /// Of what was measured, and the bytes that the files take, if that is to be said.
    pub(crate) fn new(work: Work, system: System, measured: &Measured, bytes: Option<u64>) -> Self {
        let micros = |quantile| measured.latency.value_at_quantile(quantile) as f64 / 1e3;
        let seconds = machine::seconds(measured.nanos.max(1));
        Self {
            work,
            system,
            durability: measured.durability,
            per_second: (measured.events as f64 / seconds).round(),
            p50_us: micros(0.5),
            p99_us: micros(0.99),
            bytes_per_event: bytes.map(|bytes| (bytes as f64 / measured.held.max(1) as f64).round()),
        }
    }

    pub(crate) fn in_words(&self) -> String {
        let Self { work, system, per_second, p50_us, p99_us, .. } = self;
        format!("{work} {system}: {}/s, p50 {p50_us:.0} us, p99 {p99_us:.0} us", grouped(*per_second))
    }
}

/// Of the same row of several rounds the one in the middle, by events per second.
pub(crate) fn middle(mut rounds: Vec<Row>) -> Option<Row> {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    (!rounds.is_empty()).then(|| rounds.swap_remove(rounds.len() / 2))
}

/// A number without its fraction, its digits in threes.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(work: Work, system: System, per_second: f64) -> Row {
        let durability = Durability::Fdatasync;
        let bytes_per_event = Some(312.0);
        Row { work, system, durability, per_second, p50_us: 41.5, p99_us: 90.0, bytes_per_event }
    }

    #[test]
    fn the_middle_is_by_events_per_second() {
        let rounds = [30.0, 10.0, 20.0].map(|rate| row(Work::Replay, System::Factum, rate));
        assert_eq!(middle(rounds.to_vec()).unwrap().per_second, 20.0);
        assert!(middle(Vec::new()).is_none());
    }

    #[test]
    fn digits_stand_in_threes() {
        let numbers = [0.0, 999.4, 1000.0, 1_234_567.0];
        assert_eq!(numbers.map(grouped), ["0", "999", "1 000", "1 234 567"]);
    }
}
