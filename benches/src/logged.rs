//! Logged commands over HTTP beside a bare handler and beside direct ones: all kinds in turn, several rounds,
//! each on empty logs, and of each row the round in the middle.

use crate::{
    Failure,
    latency::Quantiles,
    load::{self, Pace, Plan},
    machine::{self, processor_time},
    serve::Kind,
    server::Server,
    table::{self, Row},
};
use clap::Args;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// How long each load lasts, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How long each server is warmed up, in seconds.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// How many connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Commands per second of the load at a fixed rate; 0 leaves out all loads at a rate.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,
    /// How many values the commands are spread over, evenly.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    keys: u64,
    /// How many commands all go to one value, at the end; none with 0.
    #[arg(long, default_value_t = 2_000)]
    hot: u64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// No load sends more commands than this.
    #[arg(long, default_value_t = u64::MAX)]
    commands: u64,
    /// Measures only these kinds, besides the bare handler.
    #[arg(long, value_enum, default_values_t = [Kind::Direct, Kind::Logged])]
    only: Vec<Kind>,
    /// The folder for the logs, on the medium that counts; what is made in it is removed again.
    #[arg(long, default_value_os_t = crate::log::default_dir())]
    dir: PathBuf,
}

/// Measures, and prints one table.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let before = machine::load();
    let dir = tempfile::Builder::new().prefix("factum-bench-").tempdir_in(&options.dir)?;
    let mut rounds: BTreeMap<(usize, String), Vec<Row>> = BTreeMap::new();
    for _ in 0..options.rounds {
        for (place, row) in round(options, dir.path())?.into_iter().enumerate() {
            rounds.entry((place, row.load.clone())).or_default().push(row);
        }
    }
    let rows: Vec<Row> = rounds.into_values().filter_map(table::middle).collect();
    println!(
        "machine: {}; wanted a core before and after: {before}, {}",
        machine::describe(),
        machine::load()
    );
    println!(
        "durability: fdatasync before every answer and every outcome; logs in {}",
        options.dir.display()
    );
    println!(
        "settings: {} connections, {} values, {} s after {} s of warming up, {} rounds, lanes as by default, tracing off",
        options.connections, options.keys, options.seconds, options.warm_up, options.rounds
    );
    println!();
    table::print(&rows);
    Ok(())
}

fn round(options: &Options, dir: &Path) -> Result<Vec<Row>, Failure> {
    let mut kinds = vec![Kind::Bare];
    kinds.extend(options.only.iter().filter(|kind| **kind != Kind::Bare));
    let (mut rows, mut reached) = (Vec::new(), 0.0);
    for kind in &kinds {
        let row = measure(options, dir, *kind, "as fast as answers come", Pace::Closed, options.keys)?;
        if *kind == Kind::Logged {
            reached = row.decided;
        }
        rows.push(row);
    }
    for kind in kinds.iter().filter(|_| options.rate > 0) {
        let load = format!("{}/s", options.rate);
        rows.push(measure(options, dir, *kind, &load, Pace::Open(options.rate), options.keys)?);
    }
    if reached > 0.0 && options.rate > 0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is far below u64"
        )]
        let half = (reached / 2.0) as u64;
        rows.push(measure(
            options,
            dir,
            Kind::Logged,
            "half of what was reached",
            Pace::Open(half),
            options.keys,
        )?);
    }
    if reached > 0.0 && options.hot > 0 {
        let load = format!("{} to one value", options.hot);
        rows.push(measure(options, dir, Kind::Logged, &load, Pace::Closed, 1)?);
    }
    Ok(rows)
}

fn measure(
    options: &Options,
    dir: &Path,
    kind: Kind,
    load: &str,
    pace: Pace,
    keys: u64,
) -> Result<Row, Failure> {
    // Removed at the end of the run: a medium that discards what was deleted stalls what comes next.
    let dir = tempfile::tempdir_in(dir)?.keep();
    let mut server = Server::start(kind, &dir, keys)?;
    let requests_max = if keys == 1 { options.hot.min(options.commands) } else { options.commands };
    let plan = |seconds: u64| Plan {
        connections: options.connections,
        keys,
        pace,
        nanos: seconds.saturating_mul(1_000_000_000),
        requests_max,
    };
    if keys > 1 && options.warm_up > 0 {
        server.begin()?;
        let warmed = load::send(server.address, plan(options.warm_up))?;
        server.end(warmed.accepted)?;
    }
    server.begin()?;
    let client = processor_time();
    let loaded = load::send(server.address, plan(options.seconds))?;
    let client = processor_time() - client;
    let measured = server.end(loaded.accepted)?;
    let answers = Quantiles::from(&loaded.latency);
    let (outcomes, last) = measured.outcomes.unwrap_or((answers, loaded.ended));
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let per_second = |until: u64| loaded.accepted as f64 / machine::seconds(until - loaded.began).max(1e-9);
    Ok(Row {
        kind,
        load: load.to_owned(),
        commands: loaded.accepted,
        accepted: per_second(loaded.ended),
        decided: per_second(last.max(loaded.ended)),
        answers,
        outcomes,
        client,
        server: measured.processor,
    })
}
