//! One line for whoever has to mend it: where, what, and what to do.

use std::fmt;

/// A rule broken at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    /// What is wrong, a comma, what to do.
    what: String,
}

impl Violation {
    /// At `line` of `path`, counted from 1.
    pub(crate) fn at(path: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.into(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// The violations as the lines that are printed.
#[cfg(test)]
pub(crate) fn printed(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(Violation::to_string).collect()
}
