//! What is read of issues, through the gate and over read models that outlive the process.

use super::{Tracker, issue};
use serde_json::{Value, json};

fn numbers(answer: &Value) -> Vec<u64> {
    answer.as_array().unwrap().iter().map(|issue| issue["issueId"].as_u64().unwrap()).collect()
}

#[test]
fn s0_01_s0_42_the_list_and_a_history_are_as_they_are_described_and_the_same_after_a_kill() {
    let tracker = Tracker::start();
    for priority in [3, 1, 2, 2] {
        tracker.wait("ann", "POST", "", issue("Crash", "It crashes", priority));
    }
    tracker.wait("bob", "PUT", "/3/tags", json!({"tags": ["ui"]}));
    tracker.wait("mia", "DELETE", "/2", Value::Null);
    assert_eq!(numbers(&tracker.read("")), [1, 3, 4]);
    assert_eq!(numbers(&tracker.read("?sort=priority&includeDeleted=true")), [2, 3, 4, 1]);
    assert_eq!(numbers(&tracker.read("?tag=ui&text=CRASH&state=new")), [3]);
    let page = tracker.get("?sort=priority&limit=1");
    assert_eq!(page.headers["link"], r#"</api/issues?sort=priority&limit=1&cursor=2-3>; rel="next""#);
    let paths = ["?includeDeleted=true", "/3", "/3/history", "/2/history?limit=1"];
    let before = paths.map(|path| tracker.get(path).text);
    let tag = tracker.get("").headers["etag"].to_str().unwrap().to_owned();
    for path in ["?state=open", "?colour=red", "/1/history?cursor=x"] {
        assert_eq!(tracker.get(path).status, 400, "{path}");
    }
    for path in ["/9/history", "/ffffffff-ffff-ffff-ffff-ffffffffffff/history"] {
        assert_eq!(tracker.get(path).status, 404, "{path}");
    }
    assert_eq!(tracker.server.get_with("/api/issues", &[]).status, 401);
    let tracker = tracker.restarted();
    let headers = [("X-Api-Key", tracker.token("rob")), ("If-None-Match", &tag), ("Prefer", "wait=60")];
    assert_eq!(tracker.server.get_with("/api/issues", &headers).status, 304);
    assert_eq!(paths.map(|path| tracker.get(path).text), before);
}
