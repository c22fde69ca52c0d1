//! Read models: a rebuild of a document view over many events, on SQLite beside a bare loop that does the same
//! writes and in memory, and how far a view lags behind a steady load. All in one run, several rounds, and of each
//! the one in the middle.

mod balances;
mod bare_sqlite;
mod lag;
mod rebuild;

use crate::{Failure, machine};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// How many events a rebuild goes through.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// How many documents they are folded into, evenly.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    documents: u32,
    /// Events per second of the steady load.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// How long the steady load lasts, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// The folder for logs and databases, on the medium that counts; what is made in it is removed again.
    #[arg(long, default_value_os_t = crate::log::default_dir())]
    dir: PathBuf,
}

/// Measures, and prints its tables.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let before = machine::load();
    let dir = tempfile::Builder::new().prefix("factum-bench-").tempdir_in(&options.dir)?;
    let log = rebuild::prepare(options, dir.path())?;
    let mut rebuilt = Vec::new();
    let mut lagged = Vec::new();
    for _ in 0..options.rounds {
        rebuilt.push(rebuild::round(options, dir.path(), &log)?);
        if options.seconds > 0 {
            lagged.push(lag::round(options, dir.path())?);
        }
    }
    println!(
        "machine: {}; wanted a core before and after: {before}, {}",
        machine::describe(),
        machine::load()
    );
    println!(
        "durability: log fdatasync; SQLite WAL, synchronous=normal, in both; files in {}",
        options.dir.display()
    );
    println!(
        "settings: {} events, {} documents, {} rounds",
        options.events, options.documents, options.rounds
    );
    println!();
    rebuild::print(rebuilt);
    lag::print(options, lagged);
    Ok(())
}
