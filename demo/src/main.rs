//! The binary `factum`: every reference service in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    factum_cli::log_to_stderr();
    factum_cli::run(
        factum_cli::Application::new("factum", "demo")
            .service("calculator", calculator::setup, calculator::service)
            .service("issue-tracker", issue_tracker::setup, issue_tracker::service)
            .service("bank", bank::setup, bank::service),
    )
}
