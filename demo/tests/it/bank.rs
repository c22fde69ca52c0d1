//! The bank in the binary: what it keeps to be read follows from its log, whatever becomes of the process or of
//! what is kept.

use crate::server::Server;
use serde_json::json;
use std::fs;

/// What was read, byte for byte.
fn read(server: &Server, account: &str) -> Vec<String> {
    let paths = ["", "/history", "/statements/2026-09", "/statements/2026-10", "/statements/2026-11"];
    let read = |path: &str| {
        let answer = server.get(&format!("/accounts/{account}{path}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text
    };
    paths.map(read).into()
}

#[test]
fn s1_12_s1_13_s4_21_what_is_read_survives_a_kill_and_the_loss_of_every_read_model() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let opened = server.send("POST", "/accounts", r#"{"owner": "ann"}"#);
    let account = opened.body["account_id"].as_str().unwrap().to_owned();
    for (path, amount, at) in [
        ("deposits", 10, "2026-10-30T12:00:00Z"),
        ("withdrawals", 3, "2026-11-02T12:00:00Z"),
        ("deposits", 4, "2026-10-31T12:00:00Z"),
    ] {
        let body = json!({"amount": amount, "effective_at": at}).to_string();
        let answer = server.send("POST", &format!("/accounts/{account}/{path}"), &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let before = read(&server, &account);
    assert!(before[0].contains(r#""balance":11"#), "{before:?}");
    server.kill();
    let server = Server::start(dir.path());
    assert_eq!(read(&server, &account), before);
    server.kill();
    fs::remove_dir_all(dir.path().join("bank/views")).unwrap();
    let server = Server::start(dir.path());
    // A further event is answered once it can be read, and so can all before it.
    let last = server.send("POST", &format!("/accounts/{account}/deposits"), r#"{"amount": 1}"#);
    assert_eq!(last.status, 200);
    let after = read(&server, &account);
    assert!(after[0].contains(r#""balance":12"#), "{after:?}");
    assert!(after[1].starts_with(before[1].strip_suffix(']').unwrap()), "{after:?}");
    assert_eq!(after[2..4], before[2..4]);
}
