//! Measures Factum beside the least that could do the same work, both in one run on one machine. What each
//! figure means stands in `docs/internals/speed.md`.
//!
//! The load comes from this process; what is measured runs in a child of it, so that the processor time of
//! the two can be told apart.

mod bare;
mod client;
mod latency;
mod load;
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

/// Measures Factum beside a bare handler on the same log.
#[derive(Parser, Debug)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Commands over HTTP: stored and answered with 202, then decided by the lanes.
    Logged(logged::Options),
    /// Read models: rebuilds beside a bare loop, and how far a view lags.
    ReadModels(read_models::Options),
    /// What is measured; started by the others.
    #[command(hide = true)]
    Serve(serve::Options),
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().what {
        What::Logged(options) => logged::run(&options),
        What::ReadModels(options) => read_models::run(&options),
        What::Serve(options) => serve::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("factum-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
