//! The documents of the services against the demo that serves them. That every answer of every other test is
//! as described is seen to by `described`.

use crate::{
    described::{Asked, DOCUMENTS, Document},
    server::{Answer, Server},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const ID: &str = "6f1d4ee6-7b4c-4bb1-9d2b-0a7d5a3c9e10";

/// The paths and methods that differ between a document and a server.
fn differences(document: &Value, server: &Server) -> Vec<String> {
    let paths: BTreeMap<&String, &Value> = document["paths"].as_object().unwrap().iter().collect();
    let mut differences = Vec::new();
    for (path, methods) in paths {
        let described: BTreeSet<_> =
            methods.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        let taken = server.methods(&path.replace("{id}", ID).replace("{month}", "2026-11"));
        if described != taken {
            differences.push(format!("{path}: {described:?} described, {taken:?} taken"));
        }
    }
    differences
}

#[test]
fn what_is_described_is_served_with_these_methods_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    for document in &*DOCUMENTS {
        assert_eq!(differences(&document.json, &server), [""; 0]);
    }
    let mut doctored = DOCUMENTS[0].json.clone();
    doctored["paths"]["/values"]["put"] = doctored["paths"]["/values"]["post"].clone();
    doctored["paths"]["/values/{id}"].as_object_mut().unwrap().remove("get");
    doctored["paths"]["/nowhere"] = json!({"get": {}});
    let told = differences(&doctored, &server);
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn the_documents_are_served_as_they_are_committed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let start = server.get("/").text;
    for (name, document) in ["calculator", "issue-tracker", "bank"].into_iter().zip(&*DOCUMENTS) {
        let path = format!("/openapi/{name}.json");
        let answer = server.get(&path);
        assert_eq!((answer.status, &*answer.content_type), (200, "application/json"));
        assert_eq!(answer.body, document.json);
        assert!(start.contains(&format!("{}{path}", server.url)), "{start}");
    }
}

#[test]
fn every_example_of_a_body_is_of_its_form() {
    let mut seen = 0;
    for document in &*DOCUMENTS {
        for (name, schema) in document.json["components"]["schemas"].as_object().unwrap() {
            for example in schema["examples"].as_array().into_iter().flatten() {
                let reference = json!({"$ref": format!("#/components/schemas/{name}")});
                assert_eq!(document.faults_of_value(name, &reference, example), [""; 0]);
                seen += 1;
            }
        }
    }
    assert!(seen >= 6, "only {seen}");
}

#[test]
fn the_examples_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let things = things(&server);
    let other = account(&server);
    let mut sent = 0;
    for (document, id) in DOCUMENTS.iter().zip(&things) {
        for (path, methods) in document.json["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
                let Some(schema) = schema.as_str() else { continue };
                let schema = document.json.pointer(schema.strip_prefix('#').unwrap()).unwrap();
                for example in schema["examples"].as_array().into_iter().flatten() {
                    let mut example = example.clone();
                    if path == "/transfers" {
                        (example["from"], example["to"]) = (id.as_str().into(), other.as_str().into());
                    }
                    // Nothing is parked here that could be given up.
                    if path.contains("/commands/") {
                        continue;
                    }
                    let path = path.replace("{id}", id);
                    let headers = [("Content-Type", "application/json"), ("Prefer", "wait=60")];
                    let answer = server
                        .try_send(&method.to_uppercase(), &path, &headers, &example.to_string())
                        .unwrap();
                    assert!([200, 201].contains(&answer.status), "{method} {path}: {answer:?}");
                    sent += 1;
                }
            }
        }
    }
    assert!(sent >= 11, "only {sent}");
}

/// One thing of each service, in the order of the documents.
fn things(server: &Server) -> [String; 3] {
    let value = server.create(1.0);
    let issue = server.send("POST", "/api/issues", r#"{"title": "t", "description": "d"}"#);
    let issue = issue.body["id"].as_str().unwrap().to_owned();
    [value, issue, account(server)]
}

/// An account with more on it than the examples take out.
fn account(server: &Server) -> String {
    let opened = server.send("POST", "/accounts", r#"{"owner": "ann"}"#);
    let account = opened.body["account_id"].as_str().unwrap().to_owned();
    let path = format!("/accounts/{account}/deposits");
    assert_eq!(server.send("POST", &path, r#"{"amount": 1000000}"#).status, 200);
    account
}

/// Bodies that break one bound each. Both sides must see it: the document, so that a client can be told before
/// it sends; the service, since nothing forces a client to look.
#[test]
fn what_a_document_forbids_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let [value, issue, account] = things(&server);
    let form = |field: &str, value: Value| {
        let mut form = json!({"title": "t", "description": "d", "priority": 1});
        form[field] = value;
        form
    };
    let tags: Vec<_> = (0..21).map(|tag| tag.to_string()).collect();
    for (document, id, method, path, body) in [
        (0, &value, "post", "/values", json!({})),
        (0, &value, "post", "/values", json!({"value": "2"})),
        (0, &value, "post", "/values", json!({"value": 2, "more": 1})),
        (0, &value, "put", "/values/{id}", json!({"operation": "add", "value": 2})),
        (0, &value, "put", "/values/{id}", json!({"value": 2})),
        (0, &value, "post", "/commands", json!({"action": "calculator.divide", "data": {}})),
        (0, &value, "post", "/commands", json!({"action": "calculator.create-value"})),
        (1, &issue, "post", "/api/issues", form("title", " ".into())),
        (1, &issue, "post", "/api/issues", form("title", "x".repeat(201).into())),
        (1, &issue, "post", "/api/issues", form("title", Value::Null)),
        (1, &issue, "put", "/api/issues/{id}", form("description", "x".repeat(20_001).into())),
        (1, &issue, "put", "/api/issues/{id}", form("priority", 0.into())),
        (1, &issue, "put", "/api/issues/{id}", form("priority", 6.into())),
        (1, &issue, "put", "/api/issues/{id}", form("colour", "red".into())),
        (1, &issue, "post", "/api/issues/{id}/comments", json!({"text": "x".repeat(20_001)})),
        (1, &issue, "put", "/api/issues/{id}/tags", json!({"tags": tags})),
        (1, &issue, "put", "/api/issues/{id}/tags", json!({"tags": ["x".repeat(51)]})),
        (1, &issue, "put", "/api/issues/{id}/tags", json!({"tags": [" x"]})),
        (1, &issue, "put", "/api/issues/{id}/tags", json!({"tags": [""]})),
        (1, &issue, "put", "/api/issues/{id}/project", json!({})),
        (1, &issue, "put", "/api/issues/{id}/project", json!({"project": "x".repeat(101)})),
        (1, &issue, "put", "/api/issues/{id}/project", json!({"project": "a\tb"})),
        (1, &issue, "post", "/api/issues/{id}/start", json!({"why": 1})),
        (2, &account, "post", "/accounts", json!({})),
        (2, &account, "post", "/accounts", json!({"owner": ""})),
        (2, &account, "post", "/accounts", json!({"owner": " ann"})),
        (2, &account, "post", "/accounts", json!({"owner": "x".repeat(256)})),
        (2, &account, "post", "/accounts", json!({"owner": "ann", "balance": 1})),
        (2, &account, "post", "/accounts", json!({"owner": "ann", "effective_at": "yesterday"})),
        (2, &account, "post", "/accounts/{id}/deposits", json!({})),
        (2, &account, "post", "/accounts/{id}/deposits", json!({"amount": 0})),
        (2, &account, "post", "/accounts/{id}/deposits", json!({"amount": -1})),
        (2, &account, "post", "/accounts/{id}/deposits", json!({"amount": 1.5})),
        (2, &account, "post", "/accounts/{id}/deposits", json!({"amount": 9_007_199_254_740_992_u64})),
        (
            2,
            &account,
            "post",
            "/accounts/{id}/withdrawals",
            json!({"amount": 1, "reference": "x".repeat(256)}),
        ),
        (2, &account, "post", "/transfers", json!({"from": account, "to": "bob", "amount": 1})),
        (2, &account, "post", "/transfers", json!({"from": account, "amount": 1})),
    ] {
        let described = &DOCUMENTS[document];
        let schema =
            &described.json["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"];
        let faults = described.faults_of_value(&format!("{method} {path} takes"), schema, &body);
        assert!(!faults.is_empty(), "{method} {path} with {body} is allowed");
        let answer = server.send(&method.to_uppercase(), &path.replace("{id}", id), &body.to_string());
        assert_eq!(
            (answer.status, answer.body["type"].as_str()),
            (400, Some("urn:factum:problem:shape")),
            "{body}"
        );
    }
}

#[test]
fn what_is_within_the_bounds_is_taken_to_the_last_character() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let longest = json!({"title": "ö".repeat(200), "description": "x".repeat(20_000), "priority": null});
    let issue = server.send("POST", "/api/issues", &longest.to_string());
    assert_eq!(issue.status, 202, "{issue:?}");
    let path = format!("/api/issues/{}", issue.body["id"].as_str().unwrap());
    let tags: Vec<_> = (0..20).map(|tag| format!("{tag:x>50}")).collect();
    for (path, body) in [
        (format!("{path}/tags"), json!({"tags": tags})),
        (format!("{path}/project"), json!({"project": "x".repeat(100)})),
        (format!("{path}/project"), json!({"project": null})),
    ] {
        assert_eq!(server.send("PUT", &path, &body.to_string()).status, 202, "{body}");
    }
    for path in [format!("{path}/start"), format!("{path}/resolve")] {
        assert_eq!(server.send("POST", &path, "").status, 202);
    }
}

/// The answer to a command, as it was once given.
fn accepted() -> Answer {
    let body = json!({"command_id": ID, "value_id": ID});
    let headers = [("location".parse().unwrap(), "/commands/1".parse().unwrap())];
    Answer {
        status: 202,
        location: None,
        content_type: "application/json".to_owned(),
        headers: headers.into_iter().collect(),
        text: body.to_string(),
        body,
    }
}

#[test]
fn an_answer_that_is_not_as_described_is_seen() {
    let told = |doctor: fn(&mut Answer)| {
        let mut answer = accepted();
        doctor(&mut answer);
        let asked = Asked { method: "POST", path: "/values", body: r#"{"value": 2}"# };
        !DOCUMENTS[0].faults("/values", &asked, &answer).is_empty()
    };
    assert!(!told(|_| {}));
    assert!(told(|answer| answer.status = 418), "a status");
    assert!(told(|answer| answer.content_type = "text/plain".to_owned()), "a media type");
    assert!(told(|answer| drop(answer.headers.remove("location"))), "a header that is missing");
    assert!(told(|answer| answer.body["more"] = 1.into()), "a field more");
    assert!(told(|answer| answer.body["value_id"] = "7".into()), "a field of another form");
    assert!(told(|answer| drop(answer.body.as_object_mut().unwrap().remove("value_id"))), "a field less");
}

#[test]
fn a_document_that_says_otherwise_is_seen() {
    let told = |doctor: fn(&mut Value)| {
        let mut document = DOCUMENTS[0].json.clone();
        doctor(&mut document["paths"]["/values"]["post"]);
        let asked = Asked { method: "POST", path: "/values", body: r#"{"value": 2}"# };
        !Document::of(document).faults("/values", &asked, &accepted()).is_empty()
    };
    assert!(!told(|_| {}));
    assert!(told(|post| post["responses"]["202"]["content"] = json!({"text/plain": {}})));
    assert!(told(|post| drop(post["responses"].as_object_mut().unwrap().remove("202"))));
    assert!(told(|post| post["responses"]["202"]["headers"]["ETag"] = json!({"required": true})));
    assert!(told(
        |post| post["requestBody"]["content"]["application/json"]["schema"] = json!({"type": "string"})
    ));
}

/// References that have something beside them, which programs that make clients pass over.
fn beside_references(json: &Value, at: &str, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            let lone = fields.keys().all(|name| ["$ref", "description"].contains(&name.as_str()));
            if fields.get("$ref").is_some_and(Value::is_string) && !lone {
                found.push(at.to_owned());
            }
            fields.iter().for_each(|(name, field)| beside_references(field, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| beside_references(item, at, found)),
        _ => {}
    }
}

#[test]
fn a_reference_stands_alone() {
    let told = |document: &Value| {
        let mut found = Vec::new();
        beside_references(document, "", &mut found);
        found
    };
    for document in &*DOCUMENTS {
        assert_eq!(told(&document.json), [""; 0]);
    }
    let doctored = json!({"a": [{"$ref": "#/b", "description": "b"}, {"$ref": "#/b", "required": ["c"]}]});
    assert_eq!(told(&doctored), ["/a"]);
}

/// What was decided of a command, as the services answer it and list it.
fn decided() -> Value {
    let place = json!({"id": ID, "type": "a.b", "stream": "a", "revision": 0, "position": 1});
    json!({
        "command_id": ID, "service": "calculator", "action": "calculator.create-value", "status": "succeeded",
        "events": [place], "rejection": null, "actor": null,
        "issued_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
    })
}

#[test]
fn a_field_that_is_not_described_is_seen_wherever_forms_are_put_together() {
    let document = &DOCUMENTS[0];
    let post = &document.json["paths"]["/values"]["post"]["responses"];
    let with = |mut value: Value, more: Value| {
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let problem = |kind: &str, status: u16| json!({"type": format!("urn:factum:problem:{kind}"), "title": "t", "status": status, "detail": "d"});
    let mut told = decided();
    told.as_object_mut().unwrap().remove("status");
    let rejected =
        with(with(problem("rejected", 412), told), json!({"value_id": ID, "code": "stale-revision"}));
    let body = |status: &str, media: &str| post[status]["content"][media]["schema"].clone();
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let cases = [
        ("decided", body("201", "application/json"), with(decided(), json!({"value_id": ID})), "/events/0"),
        ("rejected", body("412", "application/problem+json"), rejected, "/events/0"),
        (
            "listed",
            reference("CommandStatusPage"),
            json!({"items": [decided()], "next": null, "cursor": "c"}),
            "/items/0",
        ),
    ];
    for (at, schema, value, inner) in cases {
        assert_eq!(document.faults_of_value(at, &schema, &value), [""; 0]);
        for place in ["", inner] {
            let mut more = value.clone();
            more.pointer_mut(place).unwrap()["more"] = 1.into();
            assert!(
                !document.faults_of_value(at, &schema, &more).is_empty(),
                "{at}: a field more at `{place}`"
            );
        }
    }
    let lacks = |field: &str, (at, schema, mut value): (&str, Value, Value)| {
        value.as_object_mut().unwrap().remove(field);
        !document.faults_of_value(at, &schema, &value).is_empty()
    };
    let decided = || ("decided", body("201", "application/json"), with(decided(), json!({"value_id": ID})));
    for field in ["value_id", "command_id", "rejection"] {
        assert!(lacks(field, decided()), "{field} is missing");
    }
}
