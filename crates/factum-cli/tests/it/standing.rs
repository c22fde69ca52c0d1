//! Looking at data that nothing serves.

use crate::{
    ledger::enter,
    program::{Server, ledger},
};

#[test]
fn a_directory_is_looked_at_and_nothing_is_applied() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    enter(data, "bank", 1..=2);
    ledger(data, "projections rebuild --all --data DIR").done();
    enter(data, "bank", 3..=5);
    for _ in 0..2 {
        let list = ledger(data, "projections list --data DIR --json").json();
        let told = |index: usize| {
            let one = &list[index];
            (
                one["name"].as_str().unwrap(),
                one["position"].as_u64().unwrap(),
                one["lag_events"].as_u64().unwrap(),
            )
        };
        assert_eq!((told(0), told(1)), (("counts", 2, 3), ("sums", 2, 3)), "{list:#}");
    }
    let people = ledger(data, "projections list --data DIR");
    assert!(people.err.contains("nothing runs on"), "{people:?}");
    let lines: Vec<_> = people.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines[0][..4], ["PROJECTION", "STATUS", "POSITION", "HEAD"]);
    assert_eq!(lines[1][..4], ["bank/counts", "at-rest", "2", "5"]);
    let one = ledger(data, "projections status counts --data DIR").done();
    assert!(one.contains("2 of 5") && one.contains("at-rest"), "{one}");
    let one = ledger(data, "projections status counts --json --data DIR").json();
    assert_eq!((&one["service"], &one["head"]), (&"bank".into(), &5.into()));
}

#[test]
fn looking_into_a_directory_begins_no_build() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "bank", [1]);
    let list = ledger(dir.path(), "projections list --data DIR --json").json();
    assert!(list[0]["build"].is_null(), "{list:#}");
    assert!(!dir.path().join("bank/views").exists());
}

#[test]
fn the_folder_of_another_application_or_of_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "library", [1]);
    let told = ledger(dir.path(), "projections list --data DIR").refused();
    assert!(told.contains("library") && told.contains("bank, shop") && told.contains("--data"), "{told}");
    let told = ledger(dir.path(), "projections list --data DIR/nothing").refused();
    assert!(told.contains("nothing"), "{told}");
    assert!(!dir.path().join("nothing").exists(), "a directory that is not there is not made");
}

#[test]
fn what_is_said_to_data_holds_when_it_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    enter(data, "bank", 1..=3);
    ledger(data, "projections rebuild --all --data DIR").done();
    assert_eq!(ledger(data, "projections pause sums --data DIR").done(), "bank/sums is paused\n");
    assert_eq!(ledger(data, "projections disable counts --data DIR").done(), "bank/counts is disabled\n");
    let server = Server::start(data, "", None);
    let url = &server.url;
    let list = ledger(data, &format!("projections list --json --url {url}")).json();
    let told = ["counts", "sums"].map(|name| {
        let mut all = list.as_array().unwrap().iter();
        let one = all.find(|one| one["service"] == "bank" && one["name"] == name).unwrap();
        one["status"].as_str().unwrap().to_owned()
    });
    assert_eq!(told, ["disabled", "paused"]);
    server.stop();
    ledger(data, "projections resume bank/sums --data DIR").done();
    let one = ledger(data, "projections status bank/sums --json --data DIR").json();
    assert_eq!((&one["status"], &one["lag_events"]), (&"caught-up".into(), &0.into()), "{one:#}");
    ledger(data, "projections enable counts --data DIR").done();
    let begun = ledger(data, "projections reset counts --data DIR").done();
    assert_eq!(begun, "bank/counts is begun again with nothing\n");
    let one = ledger(data, "projections status counts --json --data DIR").json();
    assert_eq!((&one["status"], &one["position"]), (&"starting".into(), &0.into()), "{one:#}");
}
