//! All that must be green before a change is merged. Every stage runs, also after one has failed, so that
//! one run tells everything; a skipped test fails the stage as a failed one does.

use crate::{
    Failure,
    cargo::{cargo, cargo_in_benches, for_each_line, succeeds},
    pure,
    stopwatch::Stopwatch,
    summary::Summary,
    tidy,
};
use std::process::Stdio;

/// Runs the stages; whether all were green.
pub(crate) fn run() -> Result<bool, Failure> {
    let mut stages = Stages::default();
    stages.run("fmt", || succeeds(&mut cargo(&["fmt", "--all", "--", "--check"])))?;
    stages.run("tidy", tidy::run)?;
    stages.run("clippy", || {
        succeeds(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    stages.run("pure", pure::run)?;
    stages.run("doc", || {
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--lib"]);
        succeeds(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let mut tests = Summary::default();
    // The README's own command, so that what a newcomer types is what is checked.
    stages.run("test", || {
        let succeeded = for_each_line(&mut cargo(&["xtask", "test"]), |line| {
            println!("{line}");
            tests = Summary::parse(line).unwrap_or(tests);
        })?;
        tests.ended(succeeded);
        Ok(nothing_left_out(tests))
    })?;
    let mut of_benches = Summary::default();
    stages.run("benches", || benches(&mut of_benches))?;
    if is_installed("deny")? {
        stages.run("deny", || {
            let main = succeeds(&mut cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
            let config = ["deny", "check", "--config", "../deny.toml", "bans", "licenses", "sources"];
            Ok(succeeds(&mut cargo_in_benches(&config))? && main)
        })?;
    } else {
        println!("== deny: cargo-deny is not installed here, left out");
    }
    println!("\n{}{tests}\nbenches: {of_benches}", stages.report());
    Ok(stages.all_green())
}

/// The workspace of the benches: its form, its lints, and its tests, which run all that it measures in a small
/// size. Apart from the main tests, since it builds the log's peers first.
fn benches(tests: &mut Summary) -> Result<bool, Failure> {
    let formatted = succeeds(&mut cargo_in_benches(&["fmt", "--", "--check"]))?;
    let lint = ["clippy", "--all-targets", "--", "-D", "warnings"];
    let clean = succeeds(&mut cargo_in_benches(&lint))?;
    let succeeded = for_each_line(&mut cargo_in_benches(&["test", "--no-fail-fast"]), |line| {
        println!("{line}");
        tests.take(line);
    })?;
    tests.ended(succeeded);
    Ok(nothing_left_out(*tests) && formatted && clean)
}

/// Whether every test ran, and passed.
fn nothing_left_out(tests: Summary) -> bool {
    if tests.skipped > 0 {
        println!("{} skipped: a skipped test fails this stage; mend it or delete it", tests.skipped);
    }
    tests.failed == 0 && tests.skipped == 0
}

fn is_installed(subcommand: &str) -> Result<bool, Failure> {
    let mut command = cargo(&[subcommand, "--version"]);
    succeeds(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

/// The stages that ran, in order: name, whether green, seconds.
#[derive(Debug, Default)]
struct Stages(Vec<(&'static str, bool, u64)>);

impl Stages {
    fn run(
        &mut self,
        name: &'static str,
        stage: impl FnOnce() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        println!("== {name}");
        let watch = Stopwatch::start();
        let green = stage()?;
        let seconds = watch.elapsed().as_secs();
        println!("== {name}: {}, {seconds} s", word(green));
        self.0.push((name, green, seconds));
        Ok(())
    }

    fn all_green(&self) -> bool {
        self.0.iter().all(|(_, green, _)| *green)
    }

    fn report(&self) -> String {
        let red: Vec<_> = self.0.iter().filter(|(_, green, _)| !green).map(|(name, ..)| *name).collect();
        let verdict =
            if red.is_empty() { "all green".to_owned() } else { format!("FAILED: {}", red.join(", ")) };
        format!("{}{verdict}\n", self.lines())
    }

    fn lines(&self) -> String {
        self.0
            .iter()
            .map(|(name, green, seconds)| format!("{name}: {}, {seconds} s\n", word(*green)))
            .collect()
    }
}

fn word(green: bool) -> &'static str {
    if green { "ok" } else { "FAILED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_stage_fails_the_whole_and_is_named() {
        let mut stages = Stages::default();
        stages.run("one", || Ok(false)).unwrap();
        stages.run("two", || Ok(true)).unwrap();
        assert!(!stages.all_green());
        assert_eq!(stages.report(), "one: FAILED, 0 s\ntwo: ok, 0 s\nFAILED: one\n");
    }

    #[test]
    fn a_skipped_test_fails_the_stage() {
        assert!(nothing_left_out(Summary { passed: 3, failed: 0, skipped: 0 }));
        assert!(!nothing_left_out(Summary { passed: 3, failed: 0, skipped: 1 }));
        assert!(!nothing_left_out(Summary { passed: 3, failed: 1, skipped: 0 }));
    }
}
