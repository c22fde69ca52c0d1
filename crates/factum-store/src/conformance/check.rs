//! One check of the suite, and what it is run on.

use crate::{
    Clock, Families, Store,
    conformance::{CheckReport, Failure, Promise, Verdict, case::Case},
};
use std::{any::Any, panic, sync::Arc, time::Duration};

/// A kind of store, as the suite meets it.
pub trait Subject: Sync {
    /// What to call it in a report.
    fn name(&self) -> &str;

    /// A fresh, empty log on this clock. A store that takes its time elsewhere may ignore the clock; the
    /// suite then learns less about recorded time.
    fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store>;

    /// Closes a log and opens it again. The suite holds no other handle on `store`, and tells logs apart by
    /// their identity. None unless the store claims to be durable.
    fn reopen(&self, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Option<Arc<dyn Store>> {
        let _ = (store, clock);
        None
    }

    /// How long a wake-up may take before it counts as lost. Only a store that loses one waits so long.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// One of [`Families`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// One order over all events.
    TotalOrder,
    /// Conditions over any query.
    GlobalConditions,
    /// Events of several streams in one commit.
    SeveralStreams,
    /// What is acknowledged survives the process.
    Durable,
}

impl Family {
    fn is_claimed(self, families: Families) -> bool {
        match self {
            Self::TotalOrder => families.total_order,
            Self::GlobalConditions => families.global_conditions,
            Self::SeveralStreams => families.several_streams,
            Self::Durable => families.durable,
        }
    }
}

/// A claim about every store, and how it is checked.
#[derive(Debug)]
pub struct Check {
    /// The claim.
    pub name: &'static str,
    /// The promises it holds.
    pub promises: &'static [Promise],
    /// What a store must claim to be concerned.
    pub families: &'static [Family],
    pub(crate) body: fn(&Case<'_>) -> Result<(), Failure>,
}

impl Check {
    /// Runs it on a fresh log of `subject`. A panic counts as a failure.
    pub fn run(&'static self, subject: &dyn Subject) -> CheckReport {
        let verdict = panic::catch_unwind(panic::AssertUnwindSafe(|| self.judge(subject)));
        let verdict = verdict.unwrap_or_else(|panic| Verdict::Failed(self.panicked(&*panic)));
        CheckReport { check: self, verdict }
    }

    fn judge(&'static self, subject: &dyn Subject) -> Verdict {
        let case = Case::new(subject, self);
        if !self.families.is_empty() {
            let claimed = case.families();
            if let Some(family) = self.families.iter().find(|family| !family.is_claimed(claimed)) {
                return Verdict::Skipped(*family);
            }
        }
        match (self.body)(&case) {
            Ok(()) => Verdict::Passed,
            Err(failure) => Verdict::Failed(failure),
        }
    }

    fn panicked(&self, panic: &(dyn Any + Send)) -> Failure {
        let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        self.promises[0].broken("called the store", "an answer", &format!("a panic: {text}"))
    }
}
