//! The binary `factum`: every reference service in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    factum_cli::log_to_stderr();
    factum_cli::run(
        factum_cli::Application::new("factum", "demo")
            .service::<calculator::Commands>("calculator", calculator::service)
            .service::<issue_tracker::Commands>("issue-tracker", issue_tracker::service)
            .service::<bank::Commands>("bank", bank::service),
    )
}
