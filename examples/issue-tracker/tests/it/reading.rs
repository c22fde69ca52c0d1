//! `GET /api/issues/{id}` and its history: what they show, and what they cost.

use crate::served::{LONG, Served, id};
use factum::{App, Uuid, block_on, store::MemoryStore};
use factum_testkit::Counted;
use issue_tracker::{AddComment, IssueDocument, ReplaceIssue, SetProject, SetTags, StartIssue};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, thread};

fn retitle(nth: u64, title: &str) -> ReplaceIssue {
    let description = format!("Description {nth}");
    ReplaceIssue { issue: id(nth), title: title.to_owned(), description, priority: 3 }
}

#[test]
fn s0_02_an_issue_is_read_by_its_number_and_by_its_uuid() {
    let served = Served::start();
    (1..=3).for_each(|nth| served.create(nth, &format!("Crash {nth}"), 3));
    for nth in 1..=3 {
        let (by_number, by_uuid) = (served.get(&format!("/{nth}")), served.get(&format!("/{}", id(nth))));
        assert_eq!((by_number.status, &by_number.text), (200, &by_uuid.text));
        assert_eq!(by_number.json()["title"], format!("Crash {nth}"));
        assert_eq!((by_number.header("ETag"), by_uuid.header("ETag")), (r#""0""#, r#""0""#));
    }
    for nobody in ["/4", "/0", "/18446744073709551615", &format!("/{}", id(4))] {
        for path in [nobody.to_owned(), format!("{nobody}/history")] {
            let answer = served.get(&path);
            let detail = format!("Issue {} not found.", &nobody[1..]);
            assert_eq!((answer.status, answer.json()["detail"].clone()), (404, json!(detail)));
            assert_eq!(answer.header("Retry-After"), "");
        }
    }
}

#[test]
fn s0_28_reading_an_issue_is_one_lookup_however_long_its_history_is() {
    let store = Arc::new(Counted::new(Arc::new(MemoryStore::new())));
    let builder = App::on(Arc::clone(&store) as _).command_log(Arc::new(MemoryStore::new()));
    let served = Served::over(issue_tracker::setup(builder).start());
    served.create(1, "Crash", 3);
    let cost = || {
        let latest = served.get("/1").json()["history"].as_array().unwrap().len();
        store.take();
        assert_eq!(served.get("/1").status, 200);
        assert_eq!(served.get(&format!("/{}", id(1))).status, 200);
        (latest, store.take())
    };
    assert_eq!(cost(), (1, (0, 0)), "no event of the log is read");
    (0..300).for_each(|nth| served.decide(retitle(1, &format!("Crash {nth}"))));
    assert_eq!(cost(), (301, (0, 0)));
}

#[test]
fn s0_31_folded_from_the_log_an_issue_is_the_same_as_it_is_kept() {
    let served = Served::start();
    served.create(1, "Crash", 3);
    served.decide(retitle(1, "Hang"));
    served.decide(AddComment { issue: id(1), comment: Uuid::from_u128(9).into(), text: "Hm".to_owned() });
    let read = served.get("/1");
    let documents = || served.app.documents::<IssueDocument>();
    let live = block_on(documents().live(&id(1))).unwrap();
    let latest = block_on(documents().latest(&id(1))).unwrap();
    assert_eq!(serde_json::to_string(&live.document.as_ref().unwrap().0).unwrap(), read.text);
    assert_eq!((latest.document, latest.position), (live.document, live.position));
}

#[test]
fn s0_26_a_history_is_read_page_by_page_each_event_with_all_that_was_recorded() {
    let served = Served::start();
    served.create(1, "Crash", 3);
    served.create(2, "Other", 3);
    (1..=204).for_each(|nth| served.decide(retitle(1, &format!("Crash {nth}"))));
    let (mut path, mut sizes, mut events) = ("/1/history".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = served.get(&path);
        assert_eq!(page.status, 200, "{page:?}");
        let Value::Array(shown) = page.json() else { panic!("{page:?}") };
        sizes.push(shown.len());
        events.extend(shown);
        match page.next() {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(sizes, [100, 100, 5]);
    let issue = served.get("/1").json();
    for (nth, event) in events.iter().enumerate() {
        let entry = &issue["history"][nth];
        assert_eq!(event["revision"], nth);
        for (field, of_entry) in [
            ("id", "id"),
            ("type", "type"),
            ("revision", "revision"),
            ("recorded_at", "recorded_at"),
            ("effective_at", "at"),
            ("actor", "user"),
            ("command_id", "command_id"),
        ] {
            assert_eq!(event[field], entry[of_entry], "{field} of {nth}");
        }
    }
    let names: BTreeSet<_> = events[0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["id", "type", "position", "revision", "recorded_at", "effective_at", "actor", "command_id", "data"];
    assert_eq!(names, expected.into());
    assert_eq!((&events[0]["position"], &events[1]["position"]), (&json!(1), &json!(3)));
    let first = json!({
        "issue": id(1), "number": 1, "title": "Crash", "description": "Description 1", "priority": 3,
    });
    assert_eq!(events[0]["data"], first);
    assert_eq!(events[2]["data"], json!({"issue": id(1), "before": "Crash 1", "after": "Crash 2"}));
    assert_eq!(served.get("/1/history?cursor=205").text, "[]", "a page behind the last event is empty");
}

#[test]
fn s0_33_one_command_updates_several_read_models_and_each_says_where_it_stands() {
    let served = Served::start();
    served.create(1, "Crash", 3);
    served.decide(StartIssue { issue: id(1) });
    let [list, issue, history] = ["", "/1", "/1/history"].map(|path| served.get(path));
    assert_eq!(list.json()[0]["state"], "in-progress");
    assert_eq!(issue.json()["state"], "in-progress");
    assert_eq!(history.json()[1]["data"]["after"], "in-progress");
    let position = list.header("Factum-Position");
    assert!(!position.is_empty());
    assert_eq!([issue.header("Factum-Position"), history.header("Factum-Position")], [position; 2]);
    for path in ["", "/1", "/1/history"] {
        let seen = served.get_with(path, &[("Factum-Position", position), LONG]);
        assert_eq!((seen.status, seen.is_stale()), (200, false));
        let other = served.get_with(path, &[("Factum-Position", "seven")]);
        assert_eq!((other.status, &other.json()["fields"][0]["field"]), (400, &json!("Factum-Position")));
    }
}

#[test]
fn s0_27_who_was_answered_202_reads_what_it_was_for() {
    let served = Served::start();
    for nth in 1..=20 {
        let form = json!({"title": format!("Crash {nth}"), "description": "It crashes"});
        let (status, created) = served.send("POST", "", &form);
        assert_eq!(status, 202);
        let path = format!("/{}", created["id"].as_str().unwrap());
        assert_eq!(served.get(&path).json()["title"], form["title"]);
        let form = json!({"title": format!("Hang {nth}"), "description": "It hangs"});
        assert_eq!(served.send("PUT", &path, &form).0, 202);
        let history = served.get(&format!("{path}/history")).json();
        assert_eq!(history.as_array().unwrap().len(), 3);
        assert_eq!(served.get(&format!("/{nth}")).json()["title"], form["title"]);
    }
}

#[test]
fn s0_29_what_several_users_change_at_once_is_all_in_every_read_model() {
    const USERS: u64 = 4;
    const CHANGES: u64 = 10;
    let served = Served::start();
    served.create(1, "Crash", 3);
    thread::scope(|scope| {
        for user in 0..USERS {
            let served = &served;
            scope.spawn(move || {
                for nth in 0..CHANGES {
                    let text = format!("{user} says {nth}");
                    assert_eq!(served.send("POST", "/1/comments", &json!({"text": text})).0, 202);
                }
            });
        }
    });
    let issue = served.get("/1").json();
    let said: Vec<_> = issue["comments"].as_array().unwrap().iter().map(|comment| &comment["text"]).collect();
    let each: BTreeSet<_> = said.iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!((said.len(), each.len() as u64), (each.len(), USERS * CHANGES), "none lost, none twice");
    for user in 0..USERS {
        let own: Vec<_> = each.iter().filter(|text| text.starts_with(&user.to_string())).collect();
        assert_eq!(own.len() as u64, CHANGES);
    }
    let history = served.get("/1/history").json();
    let told: Vec<_> =
        history.as_array().unwrap().iter().filter_map(|event| event["data"].get("text")).collect();
    assert_eq!(told, said, "and the history tells them in the same order");
    assert_eq!(served.get("").json()[0]["updated"], issue["updated"]);
}

#[test]
fn s0_42_tags_and_project_are_in_the_issue() {
    let served = Served::start();
    served.create(1, "Crash", 3);
    served.decide(SetTags { issue: id(1), tags: ["ui".to_owned(), "bug".to_owned()].into() });
    served.decide(SetProject { issue: id(1), project: Some("web".to_owned().into()) });
    let issue = served.get("/1").json();
    assert_eq!((&issue["tags"], &issue["project"]), (&json!(["bug", "ui"]), &json!("web")));
}
