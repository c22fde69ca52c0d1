//! Creating, replacing, deleting, and working on issues; several people at once.

use super::{NOBODY, Tracker, issue, told, types};
use serde_json::{Value, json};
use std::{collections::BTreeSet, thread};

#[test]
fn s0_03_s0_19_an_issue_is_created_by_one_event_and_found_by_its_location_number_and_uuid() {
    let tracker = Tracker::start();
    let answer = tracker.wait("ann", "POST", "", issue("Crash", "It crashes", 3));
    assert_eq!((answer.status, types(&answer)), (201, vec!["issues.issue-created"]), "{answer:?}");
    let id = answer.body["id"].as_str().unwrap();
    assert_eq!(answer.location.as_deref(), Some(&*format!("/api/issues/{id}")));
    let by_uuid = tracker.get(&format!("/{id}"));
    let by_number = tracker.get("/1");
    assert_eq!((by_uuid.status, &by_uuid.text), (200, &by_number.text));
    assert_eq!(by_uuid.body["id"], id);
}

#[test]
fn s0_17_a_command_is_stored_before_the_answer_which_does_not_wait_for_it() {
    let tracker = Tracker::start();
    let answer = tracker.send("ann", "POST", "", issue("Crash", "It crashes", 3));
    assert_eq!(answer.status, 202, "{answer:?}");
    let command = answer.body["command_id"].as_str().unwrap();
    assert_eq!(answer.location.as_deref(), Some(&*format!("/commands/{command}")));
    let id = answer.body["id"].as_str().unwrap().to_owned();
    let tracker = tracker.restarted();
    // S0-10: known by its UUID as soon as its creation was accepted; S0-36: decided in the order of its key.
    let path = format!("/{id}");
    assert_eq!(tracker.send("bob", "PUT", &path, issue("Hang", "It hangs", 1)).status, 202);
    assert_eq!(tracker.wait("bob", "POST", &format!("{path}/start"), json!({})).status, 200);
    let read = tracker.read(&path);
    assert_eq!(
        (&read["title"], &read["state"], &read["issueId"]),
        (&json!("Hang"), &json!("in-progress"), &json!(1))
    );
}

#[test]
fn s0_04_s0_20_a_put_is_an_event_for_each_field_that_changed_and_the_same_again_is_none() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    let before = tracker.get(&path).text;
    let same = tracker.wait("bob", "PUT", &path, issue("Crash", "It crashes", 3));
    assert_eq!((same.status, types(&same).len()), (200, 0), "{same:?}");
    assert_eq!(tracker.get(&path).text, before, "history and `updated` included");
    let three = tracker.wait("bob", "PUT", "/1", issue("Hang", "It hangs", 1));
    let names = ["issues.title-modified", "issues.description-modified", "issues.priority-modified"];
    assert_eq!((three.status, types(&three)), (200, names.to_vec()));
    let read = tracker.read(&path);
    let command = &three.body["command_id"];
    assert_eq!(told(&read, "command_id")[1..], [command; 3], "three events of one command");
    let one = tracker.wait("bob", "PUT", &path, issue("Hang", "It hangs", 2));
    assert_eq!(types(&one), ["issues.priority-modified"]);
    // S0-09: a priority that is not said is 5.
    let unsaid = json!({"title": "Hang", "description": "It hangs"});
    assert_eq!(types(&tracker.wait("bob", "PUT", &path, unsaid)), ["issues.priority-modified"]);
    assert_eq!(tracker.read(&path)["priority"], 5);
}

#[test]
fn s0_05_s0_25_a_deleted_issue_takes_no_change_and_keeps_its_history() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    let deleted = tracker.wait("mia", "DELETE", "/1", Value::Null);
    assert_eq!((deleted.status, types(&deleted)), (200, vec!["issues.issue-deleted"]), "{deleted:?}");
    let read = tracker.get(&path);
    assert_eq!(read.body["deleted"], deleted.body["issued_at"]);
    assert_eq!(read.body["updated"], deleted.body["issued_at"]);
    assert_eq!(told(&read.body, "type"), ["issues.issue-created", "issues.issue-deleted"]);
    for (user, method, below, body) in [
        ("mia", "DELETE", "", Value::Null),
        ("ann", "PUT", "", issue("Hang", "It hangs", 1)),
        ("ann", "POST", "/comments", json!({"text": "Hm"})),
        ("ann", "PUT", "/tags", json!({"tags": ["ui"]})),
        ("ann", "PUT", "/project", json!({"project": "web"})),
        ("ann", "POST", "/start", json!({})),
        ("ann", "POST", "/resolve", json!({})),
        ("ann", "POST", "/reopen", json!({})),
    ] {
        let refused = tracker.wait(user, method, &format!("{path}{below}"), body);
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("deleted")), "{method} {below}");
    }
    assert_eq!(tracker.get(&path).text, read.text);
    assert_eq!(tracker.wait("ann", "POST", "", issue("Next", "d", 1)).status, 201);
    assert_eq!(tracker.read("/2")["title"], "Next", "its number is not given again");
}

#[test]
fn s0_13_the_state_follows_the_work_and_the_history_shows_it() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    let state = |user: &str, verb: &str, body: Value| {
        let answer = tracker.wait(user, "POST", &format!("{path}{verb}"), body);
        assert_eq!(answer.status, 200, "{answer:?}");
        tracker.read(&path)["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(tracker.read(&path)["state"], "new");
    assert_eq!(state("ann", "/comments", json!({"text": "See also"})), "new", "the creator's own comment");
    assert_eq!(state("bob", "/comments", json!({"text": "I look into it"})), "in-progress");
    assert_eq!(state("bob", "/start", json!({})), "in-progress");
    assert_eq!(state("bob", "/resolve", json!({})), "resolved");
    let refused = tracker.wait("bob", "POST", &format!("{path}/start"), Value::Null);
    assert_eq!(refused.status, 400, "null is no body of fields");
    let refused = tracker.wait("bob", "POST", &format!("{path}/start"), json!({}));
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("resolved")));
    assert_eq!(state("ann", "/reopen", json!({})), "new");
    assert_eq!(state("ann", "/start", json!({})), "in-progress");
    let read = tracker.read(&path);
    let changes: Vec<_> =
        read["history"].as_array().unwrap().iter().filter(|entry| entry["field"] == "state").collect();
    let changes: Vec<_> =
        changes.iter().map(|entry| [&entry["before"], &entry["after"], &entry["user"]]).collect();
    assert_eq!(
        json!(changes),
        json!([
            ["new", "in-progress", "bob"],
            ["in-progress", "resolved", "bob"],
            ["resolved", "new", "ann"],
            ["new", "in-progress", "ann"],
        ])
    );
    let said: Vec<_> =
        read["comments"].as_array().unwrap().iter().map(|said| [&said["user"], &said["text"]]).collect();
    assert_eq!(json!(said), json!([["ann", "See also"], ["bob", "I look into it"]]));
}

#[test]
fn tags_and_the_project_are_set_whole() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    let set = |below: &str, body: Value| tracker.wait("ann", "PUT", &format!("{path}/{below}"), body);
    assert_eq!(types(&set("tags", json!({"tags": ["ui", "bug", "ui"]}))), ["issues.tags-modified"]);
    assert_eq!(types(&set("tags", json!({"tags": ["bug", "ui"]}))).len(), 0);
    assert_eq!(types(&set("project", json!({"project": "web"}))), ["issues.project-modified"]);
    let read = tracker.read(&path);
    assert_eq!((&read["tags"], &read["project"]), (&json!(["bug", "ui"]), &json!("web")));
    set("tags", json!({"tags": []}));
    set("project", json!({"project": null}));
    let read = tracker.read(&path);
    assert_eq!((&read["tags"], &read["project"]), (&json!([]), &Value::Null));
}

#[test]
fn s0_29_what_several_users_ask_of_one_issue_at_once_is_all_accepted_and_in_the_history() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    let users = ["ann", "bob", "cid", "dan"];
    let edit = |user: &str, nth: usize| {
        let body = issue(&format!("{user} {nth}"), "It crashes", 3);
        let answer = tracker.send(user, "PUT", &path, body);
        assert_eq!(answer.status, 202, "{answer:?}");
    };
    thread::scope(|scope| {
        for user in users {
            let edit = &edit;
            scope.spawn(move || (0..10).for_each(|nth| edit(user, nth)));
        }
    });
    let read = tracker.read(&path);
    let edits = &read["history"].as_array().unwrap()[1..];
    let titles: BTreeSet<_> = edits.iter().map(|edit| edit["after"].as_str().unwrap()).collect();
    assert_eq!((edits.len(), titles.len()), (40, 40), "none is lost, none is there twice");
    let mut last = "Crash";
    for edit in edits {
        assert_eq!(edit["before"], last, "each was decided on what the one before it left");
        last = edit["after"].as_str().unwrap();
        assert_eq!(last.split(' ').next(), edit["user"].as_str());
    }
    assert_eq!(read["title"], last);
    for user in users {
        let own = edits.iter().filter(|edit| edit["user"] == user).map(|edit| edit["after"].clone());
        let sent: Vec<_> = (0..10).map(|nth| json!(format!("{user} {nth}"))).collect();
        assert_eq!(own.collect::<Vec<_>>(), sent, "in the order in which each sent them");
    }
}

#[test]
fn issues_that_are_created_at_once_get_numbers_of_their_own() {
    let tracker = Tracker::start();
    let ids: Vec<String> = thread::scope(|scope| {
        let create = |user| {
            let one =
                || tracker.send(user, "POST", "", issue("t", "d", 1)).body["id"].as_str().unwrap().to_owned();
            (0..8).map(|_| one()).collect::<Vec<_>>()
        };
        let threads = ["ann", "bob", "cid", "dan"].map(|user| scope.spawn(move || create(user)));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let number = |id: &String| tracker.read(&format!("/{id}"))["issueId"].as_u64().unwrap();
    let numbers: BTreeSet<_> = ids.iter().map(number).collect();
    assert_eq!(numbers, (1..=32).collect());
    assert_eq!(tracker.stored(), (32, 32));
}

#[test]
fn a_tag_of_the_revision_guards_a_change_and_spares_an_answer() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    let tag = |answer: &crate::server::Answer| answer.headers["etag"].to_str().unwrap().to_owned();
    let first = tag(&tracker.get(&path));
    let put = |title: &str| {
        let headers = [("Prefer", "wait=60"), ("If-Match", &*first)];
        tracker.ask("bob", "PUT", &path, &headers, &issue(title, "It crashes", 3).to_string())
    };
    assert_eq!(put("Hang").status, 200);
    let stale = put("Freeze");
    assert_eq!(stale.status, 412, "{stale:?}");
    assert_eq!(tracker.read(&path)["title"], "Hang");
    let token = tracker.token("rob");
    let unless = |tag: &str| {
        let headers = [("X-Api-Key", token), ("If-None-Match", tag)];
        tracker.server.get_with(&format!("/api/issues{path}"), &headers).status
    };
    assert_eq!((unless(&first), unless(&tag(&tracker.get(&path)))), (200, 304));
}

#[test]
fn a_repeat_under_its_key_creates_one_issue() {
    let tracker = Tracker::start();
    let create = || {
        let headers = [("Prefer", "wait=60"), ("Idempotency-Key", "k1")];
        tracker.ask("ann", "POST", "", &headers, &issue("t", "d", 1).to_string())
    };
    let (first, again) = (create(), create());
    assert_eq!((first.status, &first.body["id"]), (201, &again.body["id"]));
    assert_eq!(tracker.stored(), (1, 1));
    assert_eq!(tracker.get(&format!("/{NOBODY}")).status, 404);
}
