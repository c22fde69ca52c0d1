//! What is not taken, and why.

use super::{NOBODY, Tracker, issue};
use crate::server::Answer;
use serde_json::{Value, json};

fn fields(answer: &Answer) -> Vec<&str> {
    assert_eq!(
        (answer.status, &answer.body["type"]),
        (400, &json!("urn:factum:problem:shape")),
        "{answer:?}"
    );
    let fields = answer.body["fields"].as_array().unwrap();
    fields.iter().map(|fault| fault["field"].as_str().unwrap()).collect()
}

#[test]
fn s0_07_s0_08_s0_09_all_fields_at_fault_are_told_on_post_and_put_and_nothing_is_stored() {
    let tracker = Tracker::start();
    tracker.create();
    for (method, path) in [("POST", ""), ("PUT", "/1")] {
        let refused = |body: Value| tracker.send("ann", method, path, body);
        assert_eq!(fields(&refused(issue(" ", "", 18))), ["title", "description", "priority"]);
        assert_eq!(fields(&refused(issue("t", "d", 18))), ["priority"]);
        assert_eq!(fields(&refused(issue("t", "d", 0))), ["priority"]);
        assert_eq!(
            fields(&refused(json!({"title": 7, "priority": "high"}))),
            ["title", "description", "priority"]
        );
        // The envelope is the server's: nobody says who they are, which issue it is or when it was.
        let forged = json!({"title": "t", "description": "d", "id": NOBODY, "user": "eve", "created": "2020-01-01T00:00:00Z"});
        assert_eq!(fields(&refused(forged)), ["created", "id", "user"]);
    }
    assert_eq!(tracker.stored(), (1, 1));
}

#[test]
fn s0_06_a_body_that_is_not_json_and_no_body_at_all_are_400() {
    let tracker = Tracker::start();
    tracker.create();
    for (method, path) in [("POST", ""), ("PUT", "/1")] {
        for body in ["nonsense", "{", r#"{"title": "t""#, "[]", "7"] {
            let refused = tracker.ask("ann", method, path, &[], body);
            assert_eq!(fields(&refused), ["body"], "{body}");
        }
        for body in ["", " \n", "{}"] {
            let refused = tracker.ask("ann", method, path, &[], body);
            assert_eq!(fields(&refused), ["title", "description"], "{body:?}");
        }
    }
    let key = [("X-Api-Key", tracker.token("ann"))];
    let unnamed =
        tracker.server.try_send("POST", "/api/issues", &key, r#"{"title": "t", "description": "d"}"#);
    assert_eq!(unnamed.unwrap().status, 415);
    assert_eq!(tracker.stored(), (1, 1));
}

/// Each route below an issue: who may ask it, and a body it takes.
fn routes() -> [(&'static str, &'static str, &'static str, Value); 8] {
    [
        ("ann", "PUT", "", issue("t", "d", 1)),
        ("mia", "DELETE", "", Value::Null),
        ("ann", "POST", "/comments", json!({"text": "Hm"})),
        ("ann", "PUT", "/tags", json!({"tags": []})),
        ("ann", "PUT", "/project", json!({"project": null})),
        ("ann", "POST", "/start", json!({})),
        ("ann", "POST", "/resolve", json!({})),
        ("ann", "POST", "/reopen", json!({})),
    ]
}

#[test]
fn s0_10_an_unknown_issue_is_404_on_every_route_by_number_and_by_uuid() {
    let tracker = Tracker::start();
    tracker.create();
    for reference in ["2", NOBODY] {
        let missing = tracker.get(&format!("/{reference}"));
        assert_eq!((missing.status, &missing.body["type"]), (404, &json!("urn:factum:problem:not-found")));
        for (user, method, below, body) in routes() {
            let refused = tracker.send(user, method, &format!("/{reference}{below}"), body);
            assert_eq!(refused.status, 404, "{method} {below}: {refused:?}");
            assert_eq!(refused.body["detail"], format!("Issue {reference} not found."));
        }
    }
    assert_eq!(tracker.stored(), (1, 1));
    assert_eq!(fields(&tracker.get("/crash")), ["id"]);
    assert_eq!(fields(&tracker.get("/01")), ["id"], "a number has one spelling");
}

#[test]
fn each_route_says_which_of_its_fields_is_at_fault() {
    let tracker = Tracker::start();
    tracker.create();
    for (method, below, body, field) in [
        ("POST", "/comments", json!({"text": " "}), "text"),
        ("POST", "/comments", json!({}), "text"),
        ("PUT", "/tags", json!({"tags": ["ui", " "]}), "tags"),
        ("PUT", "/tags", json!({"tags": "ui"}), "tags"),
        ("PUT", "/project", json!({"project": ""}), "project"),
        ("PUT", "/project", json!({}), "project"),
        ("POST", "/start", json!({"state": "resolved"}), "state"),
        ("POST", "/resolve", json!({"by": "eve"}), "by"),
        ("POST", "/reopen", json!({"why": "so"}), "why"),
    ] {
        assert_eq!(fields(&tracker.send("ann", method, &format!("/1{below}"), body)), [field], "{below}");
    }
    assert_eq!(tracker.stored(), (1, 1));
}

#[test]
fn s0_11_s0_35_every_route_needs_a_token_and_a_role_that_allows_it() {
    let tracker = Tracker::start();
    let path = format!("/api/issues/{}", tracker.create());
    let json = [("Content-Type", "application/json")];
    let nobody =
        |method: &str, path: &str| tracker.server.try_send(method, path, &json, "{}").unwrap().status;
    assert_eq!((nobody("POST", "/api/issues"), tracker.server.get(&path).status), (401, 401));
    for (user, method, below, body) in routes() {
        assert_eq!(nobody(method, &format!("{path}{below}")), 401, "{method} {below}");
        let denied = tracker.send("rob", method, &format!("/1{below}"), body.clone());
        assert_eq!(denied.status, 403, "{method} {below} by a reader");
        let other = if user == "ann" { "mia" } else { "ann" };
        let denied = tracker.send(other, method, &format!("/1{below}"), body);
        assert_eq!(denied.status, 403, "{method} {below} by {other}");
    }
    for user in ["ann", "mia", "rob"] {
        assert_eq!(
            tracker.server.get_with(&path, &[("X-Api-Key", tracker.token(user))]).status,
            200,
            "{user}"
        );
    }
    assert_eq!(tracker.stored(), (1, 1), "nothing of it was stored");
}

fn command(tracker: &Tracker, action: &str, data: &Value) -> Answer {
    let headers =
        [("Content-Type", "application/json"), ("X-Api-Key", tracker.token("ann")), ("Prefer", "wait=60")];
    let body = json!({"action": action, "data": data}).to_string();
    tracker.server.try_send("POST", "/commands", &headers, &body).unwrap()
}

#[test]
fn s0_18_what_is_no_command_is_refused_and_the_rest_goes_on() {
    let tracker = Tracker::start();
    let id = tracker.create();
    assert_eq!(command(&tracker, "issues.burn", &json!({"issue": id})).status, 400);
    assert_eq!(command(&tracker, "issues.replace", &json!({})).status, 400);
    assert_eq!(command(&tracker, "issues.replace", &Value::Null).status, 400);
    assert_eq!(command(&tracker, "issues.start", &json!({"issue": id})).status, 200);
    assert_eq!(tracker.stored(), (2, 2));
}

#[test]
fn s0_19_s0_21_the_aggregate_itself_refuses_an_unknown_issue_and_blank_fields() {
    let tracker = Tracker::start();
    let id = tracker.create();
    let replace =
        |id: &str, title: &str| json!({"issue": id, "title": title, "description": "d", "priority": 1});
    let unknown = command(&tracker, "issues.replace", &replace(NOBODY, "t"));
    assert_eq!((unknown.status, &unknown.body["code"]), (404, &json!("not-found")));
    assert_eq!(unknown.body["detail"], format!("Issue {NOBODY} not found."));
    let blank = command(&tracker, "issues.replace", &replace(&id, " "));
    assert_eq!((blank.status, &blank.body["code"]), (400, &json!("invalid")));
    let nil = replace("00000000-0000-0000-0000-000000000000", " ");
    let blank = command(&tracker, "issues.create", &nil);
    assert_eq!(blank.body["detail"], "`id` must not be the nil UUID; `title` must not be blank");
    assert_eq!(tracker.stored(), (4, 1), "four commands with an outcome, one event");
}
