//! Counting what test binaries say of themselves. A run that fails without naming a failed test (a crash,
//! a build error) still counts as one failure: no sum of zeros ever hides it.

use std::fmt;

/// Sums over all test binaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Summary {
    /// Adds what `line` reports, if it is the last line of a test binary.
    pub(crate) fn take(&mut self, line: &str) {
        let Some(counts) = line.trim_start().strip_prefix("test result: ") else { return };
        for part in counts.split([';', '.']) {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// The sum that `line` is, as this type prints it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(", ").map(|part| part.split_once(' '));
        let mut next = |what: &str| match parts.next() {
            Some(Some((number, named))) if named == what => number.parse().ok(),
            _ => None,
        };
        let sum = Self { passed: next("passed")?, failed: next("failed")?, skipped: next("skipped")? };
        parts.next().is_none().then_some(sum)
    }

    /// Adds one program that ran by itself.
    pub(crate) fn program(&mut self, succeeded: bool) {
        if succeeded { self.passed += 1 } else { self.failed += 1 }
    }

    /// Takes in how the run as a whole ended.
    pub(crate) fn ended(&mut self, succeeded: bool) {
        if !succeeded && self.failed == 0 {
            self.failed = 1;
        }
    }

    /// How many tests ran.
    pub(crate) fn ran(self) -> u64 {
        self.passed + self.failed
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(lines: &[&str], succeeded: bool) -> String {
        let mut summary = Summary::default();
        lines.iter().for_each(|line| summary.take(line));
        summary.ended(succeeded);
        summary.to_string()
    }

    #[test]
    fn counts_are_summed_over_all_binaries() {
        let lines = [
            "running 5 tests",
            "test a ... ok",
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.02s",
            "test result: FAILED. 2 passed; 1 failed; 3 ignored; 4 measured; 0 filtered out; finished in 1.50s",
            "all doctests ran in 0.35s; merged doctests compilation took 0.20s",
        ];
        assert_eq!(sum(&lines, false), "7 passed, 1 failed, 3 skipped");
    }

    #[test]
    fn a_sum_is_read_as_it_is_printed() {
        let sum = Summary { passed: 12, failed: 1, skipped: 3 };
        assert_eq!(Summary::parse(&sum.to_string()), Some(sum));
        for line in
            ["", "12 passed", "12 passed, 1 failed", "x passed, 1 failed, 3 skipped", "1 passed; 2 failed"]
        {
            assert_eq!(Summary::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_crash_without_a_result_is_a_failure() {
        let lines = ["test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"];
        assert_eq!(sum(&lines, false), "5 passed, 1 failed, 0 skipped");
        assert_eq!(sum(&[], false), "0 passed, 1 failed, 0 skipped");
    }
}
