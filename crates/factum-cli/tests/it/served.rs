//! Beside a service that runs.

use crate::{
    ledger::enter,
    program::{Server, ledger},
};
use serde_json::json;
use std::fs;

#[test]
fn data_that_is_served_is_to_be_asked_for_by_url() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    enter(data, "bank", 1..=20);
    let server = Server::start(data, "", None);
    for line in ["projections list", "projections rebuild --all", "commands parked", "log"] {
        let told = ledger(data, &format!("{line} --data DIR")).refused();
        assert!(told.contains("a service is running on") && told.contains("use --url"), "{told}");
    }
    let url = &server.url;
    let at = |line: &str| ledger(data, &format!("{line} --url {url}"));
    let told = at("projections rebuild bank/sums counts").done();
    let mut lines: Vec<_> = told.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["bank/counts: build 1.2 is read now", "bank/sums: build 1.2 is read now"]);
    let people = at("projections list");
    assert!(people.err.is_empty(), "{people:?}");
    assert_eq!(people.done().lines().count(), 4, "three projections under their headings");
    assert_eq!(at("projections pause shop/sums").done(), "shop/sums is paused\n");
    assert_eq!(at("projections status shop/sums --json").json()["status"], "paused");
    assert_eq!(at("commands parked").done(), "no command is parked\n");
    assert_eq!(at("log --json").json()[0]["events"]["position"], 20);
    server.stop();
}

#[test]
fn where_callers_are_told_apart_it_takes_the_token_of_an_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let (data, tokens) = (dir.path().join("data"), dir.path().join("tokens.json"));
    enter(&data, "bank", [1]);
    let entry = |actor: &str, role: &str| json!({ "actor": actor, "roles": [role], "sha256": factum_http::sha256_hex(&format!("t-{actor}")) });
    let all = json!({ "tokens": [entry("root", "admin"), entry("rita", "reader")] });
    fs::write(&tokens, all.to_string()).unwrap();
    fs::write(dir.path().join("token"), "t-root\n").unwrap();
    let server = Server::start(dir.path(), "--data DIR/data --tokens DIR/tokens.json", None);
    let at = |words: &str| ledger(dir.path(), &format!("projections list --url {} {words}", server.url));
    assert!(at("").refused().contains("Authorization"));
    assert!(at("--token t-rita").refused().contains("`admin`"));
    at("--token t-root").done();
    at("--token-file DIR/token").done();
    assert!(at("--token-file DIR/none").refused().contains("none"));
}
