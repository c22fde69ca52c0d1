//! The one table of a run.

use crate::{latency::Quantiles, machine::seconds, serve::Kind};

/// One load on one server.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) load: String,
    pub(crate) commands: u64,
    /// Answered with 202, per second of the load.
    pub(crate) accepted: f64,
    /// Decided, per second until the last one was.
    pub(crate) decided: f64,
    /// From the moment a request was meant to be sent to its answer.
    pub(crate) answers: Quantiles,
    /// And to its durable outcome.
    pub(crate) outcomes: Quantiles,
    /// Nanoseconds of processor time.
    pub(crate) client: u64,
    pub(crate) server: u64,
}

/// Of the same row of several rounds the one in the middle, by commands decided per second.
pub(crate) fn middle(mut rounds: Vec<Row>) -> Option<Row> {
    rounds.sort_by(|a, b| a.decided.total_cmp(&b.decided));
    (!rounds.is_empty()).then(|| rounds.swap_remove(rounds.len() / 2))
}

/// Prints the rows, each beside the bare handler under the same load.
pub(crate) fn print(rows: &[Row]) {
    println!(
        "| what | load | commands | accepted/s | decided/s | beside bare | to 202, ms: p50 | p99 | p99.9 | to outcome, ms: p50 | p99 | p99.9 | p99 beside bare | CPU client, s | CPU server, s | server, µs per command |"
    );
    println!("|---|---|{}", "---:|".repeat(14));
    for row in rows {
        let bare = rows.iter().find(|bare| bare.kind == Kind::Bare && bare.load == row.load);
        let ratio = |of: &dyn Fn(&Row) -> f64| {
            bare.map_or_else(|| "-".to_owned(), |bare| format!("{:.2}", of(row) / of(bare)))
        };
        let p99 = |row: &Row| seconds(row.outcomes.p99);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let each = seconds(row.server) * 1e6 / row.commands.max(1) as f64;
        println!(
            "| {} | {} | {} | {:.0} | {:.0} | {} | {} | {} | {} | {:.1} | {:.1} | {:.1} |",
            row.kind,
            row.load,
            row.commands,
            row.accepted,
            row.decided,
            ratio(&|row| row.decided),
            in_millis(row.answers),
            in_millis(row.outcomes),
            ratio(&p99),
            seconds(row.client),
            seconds(row.server),
            each,
        );
    }
}

fn in_millis(Quantiles { half, p99, p999 }: Quantiles) -> String {
    let millis = |nanos| format!("{:.2}", seconds(nanos) * 1e3);
    [millis(half), millis(p99), millis(p999)].join(" | ")
}
