//! The seeded tests, longer. A test named `soak_*` reads where to begin and how long to go on from the
//! environment; the contract stands in `docs/internals/testing.md`.

use crate::{
    Failure,
    cargo::{cargo, for_each_line},
    stopwatch::{Stopwatch, seed_of_the_moment},
    summary::Summary,
};
use std::time::Duration;

/// The seed that a test begins with.
pub(crate) const SEED_VARIABLE: &str = "FACTUM_SOAK_SEED";
/// How many seconds a test goes on with further seeds. 0: the first seed only.
pub(crate) const SECONDS_VARIABLE: &str = "FACTUM_SOAK_SECONDS";
/// Seeds between the beginnings of two rounds. A test plays fewer in one round.
const SEEDS_PER_ROUND: u64 = 1_000_000;
/// Longest that one test goes on in one round.
const ROUND_MAX: Duration = Duration::from_secs(60);

/// Plays rounds until the time is out or one fails; whether none did.
pub(crate) fn run(minutes: u64, seed: Option<u64>) -> Result<bool, Failure> {
    let time = Duration::from_secs(minutes * 60);
    let first = seed.unwrap_or_else(seed_of_the_moment);
    let watch = Stopwatch::start();
    let mut total = Summary::default();
    for round in 0u64.. {
        let left = time.saturating_sub(watch.elapsed());
        if round > 0 && left.is_zero() {
            break;
        }
        let seed = first.wrapping_add(round.wrapping_mul(SEEDS_PER_ROUND));
        let seconds = left.min(ROUND_MAX).as_secs();
        println!("round {}: seed {seed}, up to {seconds} s a test", round + 1);
        let played = play(seed, seconds)?;
        total.passed += played.passed;
        total.failed += played.failed;
        total.skipped += played.skipped;
        if played.failed > 0 {
            println!("seed {seed} failed; again: cargo xtask soak --minutes {minutes} --seed {seed}");
            break;
        }
        if played.ran() == 0 {
            return Err("no test is named `soak_*`: there is nothing to soak".to_owned());
        }
    }
    println!("{total}");
    Ok(total.failed == 0)
}

fn play(seed: u64, seconds: u64) -> Result<Summary, Failure> {
    let mut summary = Summary::default();
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast", "--tests", "--", "soak_"]);
    tests.env(SEED_VARIABLE, seed.to_string()).env(SECONDS_VARIABLE, seconds.to_string());
    let succeeded = for_each_line(&mut tests, |line| {
        if !is_empty_binary(line) {
            println!("{line}");
        }
        summary.take(line);
    })?;
    summary.ended(succeeded);
    Ok(summary)
}

/// What a test binary without a seeded test prints, over and over.
fn is_empty_binary(line: &str) -> bool {
    line.is_empty() || line == "running 0 tests" || line.starts_with("test result: ok. 0 passed")
}
