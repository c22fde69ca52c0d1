//! Making read models anew, and waiting for it.

use crate::{
    ledger::{SLOW, enter},
    program::{Running, Server, ledger},
};

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
    let told = ledger(data, "projections rebuild counts --no-wait --data DIR").done();
    assert_eq!(told, "bank/counts: it begins once it is served; see its `status`\n");
    let one = ledger(data, "projections status counts --json --data DIR").json();
    assert_eq!((&one["building"]["build"]["number"], &one["building"]["position"]), (&3.into(), &0.into()));
    ledger(data, "projections cancel counts --data DIR").done();
    let told = ledger(data, "projections cancel counts --data DIR").refused();
    assert!(told.contains("nothing to cancel"), "{told}");
    let one = ledger(data, "projections status counts --json --data DIR").json();
    assert!(one["building"].is_null() && one["build"]["number"] == 2, "{one:#}");
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
    let data = dir.path();
    enter(data, "bank", 1..=100);
    ledger(data, "projections rebuild --all --data DIR").done();
    // From here on a build takes five seconds.
    let server = Server::start(data, "", Some(SLOW));
    let url = &server.url;
    let mut waiting = Running::start(data, &format!("projections rebuild counts --url {url}"), None);
    let told = waiting.told();
    assert!(told.starts_with("bank/counts: 1.3 at ") && told.contains(" of 100"), "{told}");
    let (code, told) = waiting.interrupt();
    assert!(code == 1 && told.contains("goes on") && told.contains("cancel"), "{code} {told}");
    let one = ledger(data, &format!("projections status counts --json --url {url}")).json();
    assert_eq!(one["building"]["build"]["number"], 3, "{one:#}");
    let told = ledger(data, &format!("projections rebuild counts --url {url}")).refused();
    assert!(told.contains("being rebuilt already"), "{told}");
    ledger(data, &format!("projections cancel counts --url {url}")).done();
}

#[test]
fn who_waits_learns_that_somebody_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    enter(data, "bank", 1..=100);
    ledger(data, "projections rebuild --all --data DIR").done();
    let server = Server::start(data, "", Some(SLOW));
    let url = &server.url;
    let mut waiting = Running::start(data, &format!("projections rebuild counts --url {url}"), None);
    waiting.told();
    ledger(data, &format!("projections cancel counts --url {url}")).done();
    loop {
        let told = waiting.told();
        assert_ne!(told, "", "it ended without a word");
        if told.contains("somebody cancelled it") {
            break;
        }
    }
    assert_eq!(waiting.child.wait().unwrap().code(), Some(1));
}
