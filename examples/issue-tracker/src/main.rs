//! The issue tracker alone: `cargo run --release -p issue-tracker -- serve --data ./issues-data`.

use std::process::ExitCode;

fn main() -> ExitCode {
    factum_cli::log_to_stderr();
    factum_cli::run(factum_cli::Application::new("issue-tracker", "serve").listen("127.0.0.1:3031").service(
        "issue-tracker",
        issue_tracker::setup,
        issue_tracker::service,
    ))
}
