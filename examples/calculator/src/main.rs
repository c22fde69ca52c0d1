//! The calculator alone: `cargo run --release -p calculator`.

use std::process::ExitCode;

// ANCHOR: main
fn main() -> ExitCode {
    factum_cli::log_to_stderr();
    factum_cli::run(factum_cli::Application::new("calculator", "serve").service(
        "calculator",
        calculator::setup,
        calculator::service,
    ))
}
// ANCHOR_END: main
