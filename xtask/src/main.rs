//! The workspace's own commands, one verb a file. `cargo xtask` without a verb lists them.
//!
//! It builds before anything else does, so it asks for little: std and a JSON reader.

mod arguments;
mod cargo;
mod ci;
mod examples;
mod pure;
mod soak;
mod stopwatch;
mod summary;
mod test;
mod tidy;
mod workspace;

use arguments::{USAGE, Verb};
use std::process::ExitCode;

/// What went wrong, as a sentence for whoever ran the command.
type Failure = String;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let verb = match Verb::parse(&words) {
        Ok(verb) => verb,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&verb) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was well; an error when that could not be found out.
fn run(verb: &Verb) -> Result<bool, Failure> {
    match verb {
        Verb::Help => {
            println!("{USAGE}");
            Ok(true)
        }
        Verb::Test => test::run().map(|summary| {
            println!("{summary}");
            summary.failed == 0
        }),
        Verb::Soak { minutes, seed } => soak::run(*minutes, *seed),
        Verb::Ci => ci::run(),
        Verb::Tidy => tidy::run(),
    }
}
