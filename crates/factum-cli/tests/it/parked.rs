//! Events that a read model could not apply.

use crate::{
    ledger::{POISON, POISONOUS, enter},
    program::{ledger, ledger_with},
};
use rustix::process::getuid;
use std::path::Path;
use tempfile::TempDir;

/// Data with one event of `bank/sums` parked at 2, and one that waits behind it.
fn parked() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    enter(data, "bank", [1, POISON, 2]);
    ledger_with(data, "projections rebuild sums --data DIR", Some((POISONOUS, data))).done();
    dir
}

/// Under what it is parked.
fn key(data: &Path) -> String {
    let list = ledger(data, "projections parked sums --json --data DIR").json();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list:#}");
    assert_eq!((&list[0]["position"], &list[0]["waiting"]), (&2.into(), &1.into()));
    list[0]["key"].as_str().unwrap().to_owned()
}

fn counts(data: &Path) -> (u64, u64) {
    let one = ledger(data, "projections status sums --json --data DIR").json();
    (one["parked"].as_u64().unwrap(), one["waiting"].as_u64().unwrap())
}

#[test]
fn a_parked_event_is_shown_with_its_cause_and_driven_again() {
    let dir = parked();
    let data = dir.path();
    let people = ledger(data, "projections parked sums --data DIR").done();
    assert!(people.contains("this entry is unlucky") && people.contains("ledger.entered"), "{people}");
    let redrive = format!("projections redrive sums 2 {} --data DIR", key(data));
    let told = ledger_with(data, &redrive, Some((POISONOUS, data))).refused();
    assert!(told.contains("still cannot be applied") && told.contains("unlucky"), "{told}");
    assert_eq!(counts(data), (1, 1));
    assert_eq!(ledger(data, &redrive).done(), "bank/sums: 2 is driven again; events applied: 2\n");
    assert_eq!(counts(data), (0, 0));
    assert_eq!(
        ledger(data, "projections parked sums --data DIR").done(),
        "no event of bank/sums is parked\n"
    );
    let told = ledger(data, &redrive).refused();
    assert!(told.contains("parked at 2"), "{told}");
}

#[test]
fn a_parked_event_is_given_up_and_who_did_it_is_told() {
    let dir = parked();
    let data = dir.path();
    let key = key(data);
    let told = ledger(data, &format!("projections discard sums 2 {key} --cause  _ --data DIR")).refused();
    assert!(told.contains("\n  cause: is empty"), "{told}");
    let discard = format!("projections discard sums 2 {key} --cause paid_by_hand --data DIR");
    let told = ledger_with(data, &discard, Some((POISONOUS, data))).done();
    assert_eq!(told, "bank/sums: 2 is given up; events applied: 1\n");
    let people = ledger(data, "projections status sums --data DIR").done();
    let who = format!("by uid-{}", getuid().as_raw());
    assert!(people.contains(&who) && people.contains("paid by hand"), "{people}");
}
