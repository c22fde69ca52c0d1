//! Making read models anew, and waiting for it.

use crate::{
    ledger::{HELD, enter},
    program::{Running, Server, ledger},
};
use std::fs;

#[test]
fn a_rebuild_of_data_runs_until_what_was_made_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    enter(data, "bank", 1..=100);
    enter(data, "shop", 1..=10);
    let told = ledger(data, "projections rebuild --all --data DIR").done();
    let mut lines: Vec<_> = told.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "bank/counts: build 1.2 is read now",
            "bank/sums: build 1.2 is read now",
            "shop/sums: build 1.2 is read now",
        ]
    );
    let list = ledger(data, "projections list --data DIR --json").json();
    for one in list.as_array().unwrap() {
        assert_eq!((&one["status"], &one["lag_events"]), (&"caught-up".into(), &0.into()), "{one:#}");
        assert_eq!(one["previous"]["number"], 1);
    }
    let told = ledger(data, "projections rollback counts --data DIR").done();
    assert_eq!(told, "bank/counts: build 1.1 is read now\n");
}

#[test]
fn a_rebuild_that_is_not_waited_for_goes_on_when_the_data_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    enter(data, "bank", 1..=3);
    ledger(data, "projections rebuild counts --data DIR").done();
    let told = ledger(data, "projections rebuild counts bank/counts --no-wait --data DIR").done();
    assert_eq!(told, "bank/counts: it begins once it is served; see its `status`\n");
    let one = ledger(data, "projections status counts --json --data DIR").json();
    let building = &one["building"];
    let told = (&building["build"]["number"], &building["position"], &building["status"]);
    assert_eq!(told, (&3.into(), &0.into(), &"starting".into()), "nobody feeds it: {one:#}");
    ledger(data, "projections cancel counts --data DIR").done();
    let told = ledger(data, "projections cancel counts --data DIR").refused();
    assert!(told.contains("nothing to cancel"), "{told}");
    let one = ledger(data, "projections status counts --json --data DIR").json();
    assert!(one["building"].is_null() && one["build"]["number"] == 2, "{one:#}");
}

#[test]
fn a_rebuild_of_data_goes_on_with_the_one_that_was_begun() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "bank", 1..=3);
    ledger(dir.path(), "projections rebuild counts --data DIR").done();
    ledger(dir.path(), "projections rebuild counts --no-wait --data DIR").done();
    let told = ledger(dir.path(), "projections rebuild counts --data DIR").done();
    assert_eq!(told, "bank/counts: build 1.3 is read now\n");
}

#[test]
fn what_one_service_refuses_keeps_no_other_from_being_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "bank", 1..=3);
    enter(dir.path(), "shop", 1..=3);
    ledger(dir.path(), "projections rebuild --all --data DIR").done();
    ledger(dir.path(), "projections disable counts --data DIR").done();
    let ended = ledger(dir.path(), "projections rebuild --all --data DIR");
    assert_eq!((ended.code, &*ended.out), (1, "shop/sums: build 1.3 is read now\n"), "{ended:?}");
    assert!(ended.err.contains("bank: projection `counts` is disabled: enable it"), "{ended:?}");
}

#[test]
fn one_key_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "bank", 1..=3);
    ledger(dir.path(), "projections rebuild counts --data DIR").done();
    let told = ledger(dir.path(), "projections rebuild counts --key 1 --data DIR").done();
    assert_eq!(told, "bank/counts: made anew under the key; events applied: 3\n");
}

#[test]
fn who_stops_waiting_for_a_service_does_not_stop_its_rebuild() {
    let dir = tempfile::tempdir().unwrap();
    let (data, held) = (&dir.path().join("data"), dir.path().join("held"));
    enter(data, "bank", 1..=100);
    ledger(data, "projections rebuild --all --data DIR").done();
    fs::write(&held, "").unwrap();
    let server = Server::start(data, "", Some((HELD, &held)));
    let url = &server.url;
    let mut waiting = Running::start(data, &format!("projections rebuild counts --url {url}"), None);
    assert_eq!(waiting.told(), "bank/counts: 1.3 at 0 of 100\n");
    let (code, told) = waiting.interrupt();
    assert!(code == 1 && told.contains("goes on") && told.contains("cancel"), "{code} {told}");
    let told = ledger(data, &format!("projections rebuild counts --url {url}")).refused();
    assert!(told.contains("being rebuilt already"), "{told}");
    fs::remove_file(held).unwrap();
    let is_read = |_: &u32| {
        let one = ledger(data, &format!("projections status counts --json --url {url}")).json();
        one["build"]["number"] == 3
    };
    assert!((0..1000).any(|asked| is_read(&asked)), "nobody waits for it, and it is read");
}
