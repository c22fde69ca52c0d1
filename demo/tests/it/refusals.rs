//! What is malformed is refused with its field, and nothing of it is stored.

use crate::server::{Answer, Server, factum};
use serde_json::Value;

const VALUE: &str = "/values/00000000-0000-0000-0000-000000000001";

/// How many commands were stored, in either log.
fn stored(dir: &std::path::Path) -> u64 {
    let output = factum(&["inspect", "--json", dir.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    json["commands"].as_u64().unwrap()
}

fn refused(answer: &Answer, status: u16, field: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.content_type, "application/problem+json");
    assert_eq!(answer.body["fields"][0]["field"], field, "{answer:?}");
    assert!(answer.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
}

#[test]
fn s2_07_what_is_malformed_is_refused_with_its_field_and_nothing_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    refused(&server.send("POST", "/values", r#"{"value": "#), 400, "body");
    refused(&server.send("POST", "/values", ""), 400, "body");
    refused(&server.send("POST", "/values", "{}"), 400, "value");
    refused(&server.send("POST", "/values", r#"{"value": "three"}"#), 400, "value");
    refused(&server.send("POST", "/values", r#"{"value": 1e999}"#), 400, "body");
    refused(&server.send("POST", "/values", r#"{"value": 1, "id": "mine"}"#), 400, "id");
    refused(&server.send("PUT", VALUE, r#"{"operation": "DIVIDE", "value": 2}"#), 400, "operation");
    refused(&server.send("PUT", VALUE, r#"{"operation": null, "value": 2}"#), 400, "operation");
    refused(&server.send("PUT", VALUE, r#"{"operation": {"ADD": null}, "value": 2}"#), 400, "operation");
    refused(&server.send("PUT", VALUE, r#"["ADD", 2]"#), 400, "body");
    refused(&server.send("POST", "/values", r#"{"value": 1, "value": 2}"#), 400, "value");
    refused(&server.send("PUT", VALUE, r#"{"operation": "ADD"}"#), 400, "value");
    refused(&server.send("PUT", VALUE, r#"{"value": 2}"#), 400, "operation");
    refused(&server.send("PUT", "/values/seven", r#"{"operation": "ADD", "value": 2}"#), 400, "id");
    for spelling in [
        "FFFFFFFF-ffff-ffff-ffff-ffffffffffff",
        "ffffffffffffffffffffffffffffffff",
        "%66fffffff-ffff-ffff-ffff-ffffffffffff",
    ] {
        let path = format!("/values/{spelling}");
        refused(&server.send("PUT", &path, r#"{"operation": "ADD", "value": 2}"#), 400, "id");
    }
    refused(&server.get("/values/seven"), 400, "id");
    refused(&server.get("/commands/seven"), 400, "id");
    let plain =
        server.try_send("POST", "/values", &[("Content-Type", "text/plain")], r#"{"value": 3}"#).unwrap();
    refused(&plain, 415, "Content-Type");
    for key in ["", "a b", &"k".repeat(256)] {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        refused(
            &server.try_send("POST", "/values", &headers, r#"{"value": 3}"#).unwrap(),
            400,
            "Idempotency-Key",
        );
    }
    let twice = [("Content-Type", "application/json"), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    refused(&server.try_send("POST", "/values", &twice, r#"{"value": 3}"#).unwrap(), 400, "Idempotency-Key");
    assert_eq!(stored(dir.path()), 0);
    server.create(1.0);
    assert_eq!(stored(dir.path()), 1);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let body = format!(r#"{{"value": 1, "x": "{}"}}"#, "x".repeat(2 * 1024 * 1024));
    // The server may close the connection before it has taken the whole body.
    if let Ok(answer) = server.try_send("POST", "/values", &[("Content-Type", "application/json")], &body) {
        assert_eq!(
            (answer.status, answer.body["type"].as_str()),
            (413, Some("urn:factum:problem:too-large"))
        );
    }
    assert_eq!(stored(dir.path()), 0);
}

#[test]
fn a_body_that_does_not_arrive_whole_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let address = server.url.trim_start_matches("http://");
    let head = "POST /values HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for (framing, status) in
        [("Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"), ("Content-Length: 10000000000\r\n\r\n{", "413")]
    {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, format!("{head}{framing}").as_bytes()).unwrap();
        let mut answer = [0; 12];
        std::io::Read::read_exact(&mut stream, &mut answer).unwrap();
        assert_eq!(&answer[9..], status.as_bytes());
    }
    assert_eq!(stored(dir.path()), 0);
}

#[test]
fn what_is_not_there_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    for (answer, status) in [
        (server.get("/nothing"), 404),
        (server.get(VALUE), 404),
        (server.get("/commands/00000000-0000-0000-0000-000000000001"), 404),
        (server.send("PUT", "/values", "{}"), 405),
    ] {
        assert_eq!(
            (answer.status, &*answer.content_type),
            (status, "application/problem+json"),
            "{answer:?}"
        );
    }
}

#[test]
fn listening_beyond_loopback_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let output = factum(&["demo", "--listen", "0.0.0.0:0", "--data", dir.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(told.contains("0.0.0.0:0") && told.contains("without authentication"), "{told}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _server = Server::start(dir.path());
    let output = factum(&["demo", "--listen", "127.0.0.1:0", "--data", dir.path().to_str().unwrap()]);
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("calculator/events"), "{told}");
}

#[test]
fn a_request_for_another_host_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let headers = [("Content-Type", "application/json"), ("Host", "evil.example")];
    refused(&server.try_send("POST", "/values", &headers, r#"{"value": 3}"#).unwrap(), 421, "Host");
    assert_eq!(stored(dir.path()), 0);
}
