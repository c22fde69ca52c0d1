//! Everything that CI runs: tests, doc tests, example programs. What cargo prints passes through as it
//! comes; the counts are for the caller to print last.

use crate::{
    Failure,
    cargo::{cargo, for_each_line},
    examples,
    summary::Summary,
};

/// Runs all of it, the rest too when a part fails, and counts.
pub(crate) fn run() -> Result<Summary, Failure> {
    let mut summary = Summary::default();
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    let succeeded = for_each_line(&mut tests, |line| {
        println!("{line}");
        summary.take(line);
    })?;
    summary.ended(succeeded);
    examples::run(&mut summary)?;
    Ok(summary)
}
