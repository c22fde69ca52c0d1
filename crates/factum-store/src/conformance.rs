//! The suite that every store passes, whatever it is made of. It knows a store only through [`Store`](crate::Store): no
//! file, no thread, no clock of its own. A check cites the promises it holds; [`broken`] has, for each
//! promise, stores that break it and that the suite must catch.
//!
//! ```
//! use factum_store::{Clock, MemoryStore, Store, SystemEntropy, conformance};
//! use std::sync::Arc;
//!
//! struct InMemory;
//!
//! impl conformance::Subject for InMemory {
//!     fn name(&self) -> &str {
//!         "memory"
//!     }
//!
//!     fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
//!         Arc::new(MemoryStore::with_ports(clock, &SystemEntropy))
//!     }
//! }
//!
//! let check = conformance::checks().find(|check| check.name == "positions_and_sequences_have_no_gaps");
//! assert!(check.unwrap().run(&InMemory).passed());
//! ```

#[doc(hidden)]
pub mod broken;
mod case;
mod check;
mod checks;
mod draft;
mod log;
mod promise;
mod race;
mod report;

pub use check::{Check, Family, Subject};
pub use promise::Promise;
pub use report::{CheckReport, Failure, Report, Verdict};

/// Every check of the suite, in reading order.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    checks::ALL.iter().copied().flatten().copied()
}

/// Runs the whole suite, each check on a fresh log.
pub fn run(subject: &dyn Subject) -> Report {
    Report { subject: subject.name().to_owned(), checks: checks().map(|check| check.run(subject)).collect() }
}

/// As [`run`], for a test.
///
/// # Panics
/// When a check fails; the message is the report.
pub fn assert_conforms(subject: &dyn Subject) {
    let report = run(subject);
    assert!(report.passed(), "{report}");
}
