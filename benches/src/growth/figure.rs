//! What was measured of one size, and the table of all sizes.

use crate::{log::row::grouped, machine::seconds};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::fmt::Write;

/// One measure at one size. The names of its fields are what other programs read.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) measure: &'static str,
    pub(crate) unit: &'static str,
    /// The size that the log was grown to, in events.
    pub(crate) events: u64,
    /// Of a time that was taken often, the one below which half of them stayed.
    pub(crate) value: f64,
    pub(crate) p99: Option<f64>,
    /// How many times as long as the raw loop that took turns with it, by p50.
    pub(crate) beside_raw: Option<f64>,
}

/// Those of one size.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) events: u64,
    pub(crate) all: Vec<Figure>,
}

impl Figures {
    pub(crate) fn number(&mut self, measure: &'static str, unit: &'static str, value: f64) {
        let events = self.events;
        self.all.push(Figure { measure, unit, events, value, p99: None, beside_raw: None });
    }

    pub(crate) fn latency(
        &mut self,
        measure: &'static str,
        latency: &Histogram<u64>,
        raw: Option<&Histogram<u64>>,
    ) {
        let micros = |latency: &Histogram<u64>, quantile| seconds(latency.value_at_quantile(quantile)) * 1e6;
        let half = micros(latency, 0.5);
        self.all.push(Figure {
            measure,
            unit: "µs: p50 / p99",
            events: self.events,
            value: half,
            p99: Some(micros(latency, 0.99)),
            beside_raw: raw.map(|raw| half / micros(raw, 0.5)),
        });
    }
}

/// A table with a row for each measure, and for each size a column and the ratio to the raw loop.
pub(crate) fn table(sizes: &[Figures]) -> String {
    let mut table = String::from("| measure |");
    for Figures { events, .. } in sizes {
        let _ = write!(table, " {} |", named(*events));
    }
    for Figures { events, .. } in sizes {
        let _ = write!(table, " beside raw, {} |", named(*events));
    }
    let _ = write!(table, "\n|---|{}\n", "---:|".repeat(sizes.len() * 2));
    let Some(first) = sizes.first() else { return table };
    for Figure { measure, unit, .. } in &first.all {
        let of = |size: &Figures| size.all.iter().find(|figure| figure.measure == *measure).cloned();
        let or_nothing = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        let _ = write!(table, "| {measure}{}{unit} |", if unit.is_empty() { "" } else { ", " });
        for size in sizes {
            let cell = of(size).map(|Figure { value, p99, .. }| match p99 {
                Some(p99) => format!("{} / {}", shown(value), shown(p99)),
                None => shown(value),
            });
            let _ = write!(table, " {} |", or_nothing(cell));
        }
        for size in sizes {
            let ratio = of(size).and_then(|figure| figure.beside_raw);
            let _ = write!(table, " {} |", or_nothing(ratio.map(|ratio| format!("{ratio:.2}"))));
        }
        table.push('\n');
    }
    table
}

/// A number of events, in millions where it is as many.
fn named(events: u64) -> String {
    if events.is_multiple_of(1_000_000) { format!("{} M", events / 1_000_000) } else { events.to_string() }
}

/// With about three digits.
fn shown(value: f64) -> String {
    if value.fract() == 0.0 || value >= 100.0 {
        grouped(value)
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::histogram;

    #[test]
    fn a_measure_is_a_row_with_a_column_for_each_size() {
        let sizes = [1_000_000, 5_000_000].map(|events| {
            let (mut raw, mut ours) = (histogram().unwrap(), histogram().unwrap());
            raw.record(20_000).unwrap();
            ours.record(events / 20).unwrap();
            let mut figures = Figures { events, all: Vec::new() };
            figures.latency("append-1", &ours, Some(&raw));
            figures.number("segments", "", 1234.0);
            figures
        });
        let table = table(&sizes);
        assert!(table.contains("| measure | 1 M | 5 M | beside raw, 1 M | beside raw, 5 M |\n"), "{table}");
        assert!(
            table.contains("| append-1, µs: p50 / p99 | 50.0 / 50.0 | 250 / 250 | 2.50 | 12.5"),
            "{table}"
        );
        assert!(table.contains("| segments | 1 234 | 1 234 | - | - |\n"), "{table}");
    }
}
