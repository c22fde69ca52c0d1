//! A read model that does not go on, or not for one issue: it is read all the same, and says so.

use crate::served::{LONG, Served, id};
use factum::{Event as _, EventType, Id as _, NewEvent, store::read_models::DOCUMENT_BYTES_MAX};
use issue_tracker::{IssueEvent, ReplaceIssue, StartIssue};
use serde_json::json;

const ALL: [(&str, &str); 3] = [("issues", ""), ("issue", "/1"), ("issue-history", "/1/history")];

#[test]
fn a_read_model_that_is_paused_answers_as_of_then_and_says_that_it_is_stale() {
    for (name, path) in ALL {
        let served = Served::start();
        served.create(1, "Crash", 3);
        let before = served.get(path);
        served.operate("pause", name);
        assert!(!served.get(path).is_stale(), "nothing has happened since");
        served.decide(StartIssue { issue: id(1) });
        let stale = served.get(path);
        assert_eq!((stale.status, &stale.text, stale.is_stale()), (200, &before.text, true), "{name}");
        assert_eq!(stale.header("Factum-Position"), before.header("Factum-Position"));
        for (_, other) in ALL.iter().filter(|(other, _)| *other != name) {
            let answer = served.get(other);
            assert!(!answer.is_stale() && answer.text.contains("in-progress"), "{answer:?}");
        }
        served.operate("resume", name);
        let after = served.get(path);
        assert!(!after.is_stale() && after.text.contains("in-progress"), "{after:?}");
    }
}

#[test]
fn an_issue_that_is_not_shown_yet_is_not_told_as_unknown() {
    let served = Served::start();
    served.operate("pause", "issue");
    served.operate("pause", "issue-history");
    served.create(1, "Crash", 3);
    for path in ["/1", "/1/history", &format!("/{}", id(1)), &format!("/{}/history", id(1))] {
        let answer = served.get(path);
        assert_eq!((answer.status, answer.header("Retry-After")), (503, "1"), "{path}: {answer:?}");
        assert_eq!(answer.json()["type"], "urn:factum:problem:behind");
    }
    assert_eq!(served.get("/2").status, 404);
}

/// An event of issue 1 that no build can read.
fn poison() -> NewEvent {
    let title = EventType::new("issues.title-modified").unwrap();
    NewEvent::json(id(1).stream(), title, r#"{"issue": 7}"#)
}

#[test]
fn an_event_that_cannot_be_read_makes_its_issue_stale_and_no_other() {
    let served = Served::start();
    (1..=2).for_each(|nth| served.create(nth, "Crash", 3));
    let before = ALL.map(|(_, path)| served.get(path).text);
    served.store(vec![poison()]);
    assert!(ALL.iter().all(|(_, path)| served.get(path).is_stale()), "though nothing waits behind it");
    // Past all decisions: they would not read it either.
    let started = |nth| IssueEvent::StateChanged {
        issue: id(nth),
        before: issue_tracker::State::New,
        after: issue_tracker::State::InProgress,
    };
    served.store(vec![started(1).to_new()]);
    served.store(vec![started(2).to_new()]);
    for ((name, path), before) in ALL.into_iter().zip(before).skip(1) {
        let stale = served.get(path);
        assert_eq!((stale.status, &stale.text, stale.is_stale()), (200, &before, true), "{name}");
        let other = served.get(&path.replace('1', "2"));
        assert!(!other.is_stale() && other.text.contains("in-progress"), "{name}: {other:?}");
    }
    let list = served.get("");
    assert_eq!(list.numbers(), [1, 2]);
    assert!(list.is_stale(), "one of them is");
    let states = list.json();
    assert_eq!((&states[0]["state"], &states[1]["state"]), (&json!("new"), &json!("in-progress")));
}

#[test]
fn an_event_that_one_read_model_cannot_apply_makes_that_one_stale_alone() {
    let served = Served::start();
    (1..=2).for_each(|nth| served.create(nth, "Crash", 3));
    let tagged =
        |nth| IssueEvent::TagsModified { issue: id(nth), before: [].into(), after: ["ui".to_owned()].into() };
    // The second time the tag is there already, which nothing that decides would do.
    served.store(vec![tagged(1).to_new(), tagged(1).to_new(), tagged(2).to_new()]);
    let list = served.get("?tag=ui");
    assert_eq!((list.numbers(), list.is_stale()), (vec![1, 2], true));
    for path in ["/1", "/2", "/1/history"] {
        assert!(!served.get(path).is_stale(), "{path}");
    }
    assert_eq!(served.get_with("/1/history", &[LONG]).json().as_array().unwrap().len(), 3);
}

#[test]
fn an_issue_that_outgrows_a_document_is_shown_as_it_was_and_its_history_goes_on() {
    const CHANGES: u64 = 120;
    let dir = tempfile::tempdir().unwrap();
    let served = Served::embedded(dir.path());
    served.create(1, "Crash", 3);
    served.operate("pause", "issue");
    for nth in 1..=CHANGES {
        // As long as a description may be: each stands in the history before and after.
        let description = format!("{}{nth:05}", "\u{10348}".repeat(19_995));
        served.decide(ReplaceIssue { issue: id(1), title: "Crash".to_owned(), description, priority: 3 });
    }
    served.create(2, "Other", 3);
    served.operate("resume", "issue");
    let issue = served.get("/1");
    let shown = issue.text.matches(r#""revision":"#).count() as u64;
    assert!(issue.is_stale() && (100..CHANGES).contains(&shown), "{shown}");
    assert!(issue.text.len() <= DOCUMENT_BYTES_MAX);
    assert!(!served.get("/2").is_stale(), "no other issue is held up");
    let last = served.get(&format!("/1/history?cursor={CHANGES}"));
    assert_eq!((last.is_stale(), last.json()[0]["revision"].as_u64()), (false, Some(CHANGES)));
}
