//! The golden vector of the issue, and what its history says of who, when and in answer to what.

use super::{Tracker, issue, told, types};
use serde_json::{Value, json};

/// As the row of section 6: create, the same again, three fields, two users, delete, a change after it, and
/// everything made again from the log.
#[test]
fn s0_12_to_s0_26_the_golden_session_gives_its_answers_and_the_same_after_a_restart() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    assert_eq!(types(&tracker.wait("ann", "PUT", &path, issue("Crash", "It crashes", 3))).len(), 0);
    let anns = tracker.wait("ann", "PUT", &path, issue("Hang", "It hangs", 1));
    assert_eq!(types(&anns).len(), 3);
    let bobs = tracker.wait("bob", "PUT", "/1", issue("Freeze", "It hangs", 1));
    let deleted = tracker.wait("mia", "DELETE", &path, Value::Null);
    let refused = tracker.wait("bob", "PUT", &path, issue("Stop", "It stops", 2));
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("deleted")));
    let live = tracker.get("/1");
    let read = &live.body;
    assert_eq!(told(read, "user"), ["ann", "ann", "ann", "ann", "bob", "mia"]);
    assert_eq!(
        told(read, "field"),
        [
            &Value::Null,
            &json!("title"),
            &json!("description"),
            &json!("priority"),
            &json!("title"),
            &json!("deleted")
        ]
    );
    assert_eq!(
        told(read, "before")[1..5],
        ["Crash".into(), "It crashes".into(), json!(3), "Hang".into()].each_ref()
    );
    assert_eq!(
        told(read, "after")[1..5],
        ["Hang".into(), "It hangs".into(), json!(1), "Freeze".into()].each_ref()
    );
    let commands = told(read, "command_id");
    assert_eq!(commands[1..4], [&anns.body["command_id"]; 3], "three events, one command");
    assert_eq!((commands[4], commands[5]), (&bobs.body["command_id"], &deleted.body["command_id"]));
    assert_eq!(
        tracker.stored(),
        (6, 6),
        "the one that changed nothing and the one that was refused are commands too"
    );
    // S0-22, S0-32: folded again from its own events in order, it is the same to the byte, number included.
    let twice = tracker.restarted().restarted();
    assert_eq!(twice.get("/1").text, live.text);
    assert_eq!((twice.get(&path).text, twice.stored()), (live.text, (6, 6)));
}

#[test]
fn s0_12_an_issue_has_its_fields_and_no_others() {
    let tracker = Tracker::start();
    let id = tracker.create();
    let read = tracker.read("/1");
    let names: Vec<_> = read.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "id",
        "issueId",
        "title",
        "description",
        "priority",
        "state",
        "created",
        "updated",
        "deleted",
        "tags",
        "project",
        "comments",
        "history",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!((&read["id"], &read["issueId"]), (&json!(id), &json!(1)));
    assert_eq!(
        (&read["deleted"], &read["project"], &read["state"]),
        (&Value::Null, &Value::Null, &json!("new"))
    );
}

#[test]
fn s0_14_s0_15_s0_16_every_event_leads_to_its_command_and_its_user() {
    let tracker = Tracker::start();
    let path = format!("/{}", tracker.create());
    let put = tracker.wait("bob", "PUT", &path, issue("Hang", "It crashes", 3));
    let entry = &tracker.read(&path)["history"][1];
    let command = entry["command_id"].as_str().unwrap();
    assert_eq!(put.body["command_id"], command);
    let asked =
        tracker.server.get_with(&format!("/commands/{command}"), &[("X-Api-Key", tracker.token("bob"))]);
    let status = &asked.body;
    assert_eq!((&status["action"], &status["actor"]), (&json!("issues.replace"), &json!("bob")));
    assert_eq!((&entry["user"], &entry["id"]), (&json!("bob"), &status["events"][0]["id"]));
    assert_eq!((&entry["type"], &entry["revision"]), (&json!("issues.title-modified"), &json!(1)));
}

#[test]
fn s0_23_s0_24_created_and_updated_are_the_times_of_the_commands() {
    let tracker = Tracker::start();
    let created = tracker.wait("ann", "POST", "", issue("Crash", "It crashes", 3));
    let asked = &created.body["issued_at"];
    let new = tracker.read("/1");
    assert_eq!((&new["created"], &new["updated"], told(&new, "at")[0]), (asked, asked, asked));
    assert_eq!(told(&new, "recorded_at"), [&created.body["updated_at"]]);
    let changed = tracker.wait("bob", "PUT", "/1", issue("Hang", "It crashes", 3));
    let read = tracker.read("/1");
    assert_eq!((&read["created"], &read["updated"]), (asked, &changed.body["issued_at"]));
    let times: Vec<_> = told(&read, "at").iter().map(|at| at.as_str().unwrap().to_owned()).collect();
    assert!(times.is_sorted(), "{times:?}");
}
