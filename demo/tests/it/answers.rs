//! The session of source 2, and what the sender of a command is told.

use crate::server::Server;
use serde_json::{Value, json};

#[test]
fn s2_01_a_command_is_accepted_with_its_ids_and_a_place_to_ask() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let answer = server.send("POST", "/values", r#"{"value": 3}"#);
    assert_eq!(answer.status, 202);
    let command = answer.body["command_id"].as_str().unwrap();
    assert_eq!(answer.location.unwrap(), format!("/commands/{command}"));
    let status = server.outcome(command);
    let value_id = answer.body["value_id"].as_str().unwrap();
    assert_eq!(status["command_id"], command);
    assert_eq!(status["status"], "succeeded");
    assert_eq!(status["rejection"], Value::Null);
    let event = &status["events"][0];
    assert_eq!(event["type"], "calculator.value-created");
    assert_eq!(event["stream"], format!("value-{value_id}"));
    assert_eq!((event["revision"].as_u64(), event["position"].as_u64()), (Some(0), Some(1)));
    assert_eq!(event["id"].as_str().unwrap().len(), 36);
}

#[test]
fn s2_11_the_golden_session_gives_its_answers() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let three = server.create(3.0);
    server.update(&three, "MULTIPLY", 3.0);
    assert_eq!(server.get(&format!("/values/{three}")).body, json!({"value_id": three, "value": 9.0}));
    let two = server.create(2.0);
    server.update(&two, "ADD", 2.0);
    server.update(&two, "MULTIPLY", 3.0);
    assert_eq!(server.value(&two), 12.0);
}

#[test]
fn s2_05_a_command_on_an_unknown_value_is_accepted_then_rejected_without_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let command = server.update("ffffffff-ffff-ffff-ffff-ffffffffffff", "MULTIPLY", 3.0);
    let status = server.outcome(&command);
    assert_eq!(status["status"], "rejected");
    assert_eq!(status["events"], json!([]));
    assert_eq!(status["rejection"]["code"], "does-not-exist");
    assert_eq!(
        status["rejection"]["reason"],
        "value with id ffffffff-ffff-ffff-ffff-ffffffffffff does not exist"
    );
    assert_eq!(server.get("/values/ffffffff-ffff-ffff-ffff-ffffffffffff").status, 404);
}

#[test]
fn infinity_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(f64::MAX);
    let command = server.update(&id, "MULTIPLY", 2.0);
    let status = server.outcome(&command);
    assert_eq!(
        (status["status"].as_str(), status["rejection"]["code"].as_str()),
        (Some("rejected"), Some("not-finite"))
    );
    assert_eq!(server.value(&id), f64::MAX);
}

#[test]
fn a_value_is_the_same_to_the_bit_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(0.1);
    for (operation, operand) in
        [("ADD", 0.2), ("MULTIPLY", 1.0 / 3.0), ("ADD", 5e-324), ("MULTIPLY", 1.1e300)]
    {
        server.update(&id, operation, operand);
    }
    let live = server.value(&id);
    assert_eq!(live.to_bits(), ((((0.1_f64 + 0.2) * (1.0 / 3.0)) + 5e-324) * 1.1e300).to_bits());
    server.kill();
    assert_eq!(Server::start(dir.path()).value(&id).to_bits(), live.to_bits());
}

#[test]
fn a_repeat_under_its_idempotency_key_changes_nothing_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "k1")];
    let send = |server: &Server, body| server.try_send("POST", "/values", &headers, body).unwrap();
    let first = send(&server, r#"{"value": 3}"#);
    let again = send(&server, r#"{"value": 3}"#);
    assert_eq!((again.status, &again.body), (202, &first.body));
    server.kill();
    let server = Server::start(dir.path());
    assert_eq!(send(&server, r#"{"value": 3}"#).body, first.body);
    let other = send(&server, r#"{"value": 4}"#);
    assert_eq!((other.status, other.body["type"].as_str()), (422, Some("urn:factum:problem:key-reused")));
    let next = server.create(1.0);
    let last = server.outcome(&server.update(&next, "ADD", 1.0));
    assert_eq!(last["events"][0]["position"], 3, "only three events were ever stored");
}
