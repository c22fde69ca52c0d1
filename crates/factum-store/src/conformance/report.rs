//! What a run of the suite found, in words that say what to look at.

use crate::conformance::{Check, Family, Promise};
use std::fmt;

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which promise.
    pub promise: Promise,
    /// What was done.
    pub done: String,
    /// What should have come of it.
    pub expected: String,
    /// What came of it.
    pub came: String,
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Passed,
    /// The store does not claim this family.
    Skipped(Family),
    /// It did not hold.
    Failed(Failure),
}

/// One check, and what became of it.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// The check.
    pub check: &'static Check,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of the whole suite.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was checked.
    pub subject: String,
    /// Every check, in order.
    pub checks: Vec<CheckReport>,
}

impl CheckReport {
    /// Whether it held, or did not concern this store.
    pub fn passed(&self) -> bool {
        self.failure().is_none()
    }

    /// What did not hold.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Failed(failure) => Some(failure),
            Verdict::Passed | Verdict::Skipped(_) => None,
        }
    }
}

impl Report {
    /// Whether no check failed.
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The checks that failed, and how.
    pub fn failed(&self) -> impl Iterator<Item = (&'static Check, &Failure)> {
        self.checks.iter().filter_map(|report| Some((report.check, report.failure()?)))
    }

    /// The checks that did not concern this store, and the family it does not claim.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static Check, Family)> {
        self.checks.iter().filter_map(|report| match report.verdict {
            Verdict::Skipped(family) => Some((report.check, family)),
            Verdict::Passed | Verdict::Failed(_) => None,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { promise, done, expected, came } = self;
        writeln!(f, "  {promise}: {}", promise.sentence())?;
        writeln!(f, "  done:     {done}")?;
        writeln!(f, "  expected: {expected}")?;
        writeln!(f, "  came:     {came}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, skipped) = (self.failed().count(), self.skipped().count());
        let passed = self.checks.len() - failed - skipped;
        writeln!(f, "{}: {passed} checks passed, {failed} failed, {skipped} skipped", self.subject)?;
        self.failed().try_for_each(|(check, failure)| write!(f, "{}\n{failure}", check.name))
    }
}

impl Promise {
    /// Fails unless `came` is what was expected.
    pub(crate) fn same<T: fmt::Debug + PartialEq>(
        self,
        done: impl Into<String>,
        expected: T,
        came: T,
    ) -> Result<(), Failure> {
        if expected == came {
            return Ok(());
        }
        Err(self.broken(done, brief(&expected), &came))
    }

    /// Fails unless `held`.
    pub(crate) fn holds(
        self,
        held: bool,
        done: impl Into<String>,
        expected: impl Into<String>,
        came: &dyn fmt::Debug,
    ) -> Result<(), Failure> {
        if held { Ok(()) } else { Err(self.broken(done, expected, came)) }
    }

    /// The failure itself.
    pub(crate) fn broken(
        self,
        done: impl Into<String>,
        expected: impl Into<String>,
        came: &dyn fmt::Debug,
    ) -> Failure {
        Failure { promise: self, done: done.into(), expected: expected.into(), came: brief(came) }
    }
}

/// A value in words, cut where it gets long.
fn brief(value: &dyn fmt::Debug) -> String {
    const CHARACTERS_MAX: usize = 1200;
    let text = format!("{value:?}");
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}... ({} bytes in all)", &text[..end], text.len()),
        None => text,
    }
}
