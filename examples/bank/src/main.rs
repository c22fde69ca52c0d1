//! The bank alone: `cargo run --release -p bank -- serve --data ./bank-data`.

use std::process::ExitCode;

fn main() -> ExitCode {
    factum_cli::log_to_stderr();
    factum_cli::run(factum_cli::Application::new("bank", "serve").listen("127.0.0.1:3032").service(
        "bank",
        bank::setup,
        bank::service,
    ))
}
