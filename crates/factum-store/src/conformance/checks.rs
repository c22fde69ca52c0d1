//! The table of checks, one module per behaviour. A check's name is the name of its function.

use crate::conformance::Check;

macro_rules! checks {
    ($($name:ident: [$($promise:ident),+] needs [$($family:ident),*];)+) => {
        pub(super) const CHECKS: &[&$crate::conformance::Check] = &[$(
            &$crate::conformance::Check {
                name: stringify!($name),
                promises: &[$($crate::conformance::Promise::$promise),+],
                families: &[$($crate::conformance::Family::$family),*],
                body: $name,
            },
        )+];
    };
}

mod absent;
mod crossing;
mod disjoint;
mod envelope;
mod fresh;
mod head;
mod ids;
mod limits;
mod order;
mod outcomes;
mod pages;
mod queries;
mod races;
mod reopened;
mod streams;
mod times;
mod together;
mod tracked;
mod whole;

/// Every check, in reading order.
pub(crate) const ALL: &[&[&Check]] = &[
    order::CHECKS,
    whole::CHECKS,
    streams::CHECKS,
    fresh::CHECKS,
    absent::CHECKS,
    tracked::CHECKS,
    together::CHECKS,
    queries::CHECKS,
    pages::CHECKS,
    outcomes::CHECKS,
    limits::CHECKS,
    times::CHECKS,
    ids::CHECKS,
    head::CHECKS,
    envelope::CHECKS,
    reopened::CHECKS,
    races::CHECKS,
    crossing::CHECKS,
    disjoint::CHECKS,
];
