//! Measures Factum beside its peers, and beside the least that could do the same work, in one run on one machine.
//! What each figure means stands in `docs/internals/speed.md`.
//!
//! Where commands go over HTTP, the load comes from this process and what is measured runs in a child of it, so that
//! the processor time of the two can be told apart.

mod bare;
mod client;
mod growth;
mod latency;
mod load;
mod log;
mod logged;
mod machine;
mod outcomes;
mod read_models;
mod serve;
mod server;
mod service;
mod table;
mod values;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What goes wrong here is told and ends the run.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures Factum's log beside its peers; or, by a subcommand, what is built on it.
#[derive(Parser, Debug)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    log: log::Options,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Commands over HTTP: stored and answered with 202, then decided by the lanes.
    Logged(logged::Options),
    /// One log that grows: what appends, reads and opening take at each size.
    Growth(growth::Options),
    /// Read models: rebuilds beside a bare loop, and how far a view lags.
    ReadModels(read_models::Options),
    /// What is measured; started by the others.
    #[command(hide = true)]
    Serve(serve::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = match arguments.what {
        None => log::run(&arguments.log),
        Some(What::Logged(options)) => logged::run(&options),
        Some(What::Growth(options)) => growth::run(&options),
        Some(What::ReadModels(options)) => read_models::run(&options),
        Some(What::Serve(options)) => serve::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("factum-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
