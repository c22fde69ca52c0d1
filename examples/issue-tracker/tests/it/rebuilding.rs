//! Read models thrown away and made again from the log: the same to the byte, and readable meanwhile.

use crate::served::{Served, id};
use factum::{Uuid, block_on};
use issue_tracker::{AddComment, DeleteIssue, Project, ReplaceIssue, ResolveIssue, SetProject, SetTags};
use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

const NAMES: [&str; 3] = ["issue", "issue-history", "issues"];
/// Only a broken build ever takes it.
const BUILT_WITHIN: Duration = Duration::from_secs(60);
const PATHS: [&str; 8] = [
    "",
    "?includeDeleted=true",
    "?sort=priority&includeDeleted=true&limit=3",
    "?tag=ui",
    "/1",
    "/2",
    "/1/history",
    "/2/history?limit=2",
];

/// Some of everything.
fn fill(served: &Served) {
    for nth in 1..=7 {
        served.create(nth, &format!("Crash {nth}"), u8::try_from(nth % 5 + 1).unwrap());
    }
    for nth in 1..=3 {
        let (issue, comment) = (id(nth), Uuid::from_u128(u128::from(nth) + 100).into());
        let (title, description) = (format!("Hang {nth}"), "It häNgs \"so\"".to_owned());
        served.decide(ReplaceIssue { issue, title, description, priority: 1 });
        served.decide(AddComment { issue, comment, text: "I see".to_owned() });
        served.decide(SetTags { issue, tags: ["ui".to_owned(), format!("n{nth}")].into() });
        served.decide(SetProject { issue, project: Some(Project::from("web")) });
        served.decide(SetTags { issue, tags: ["ui".to_owned()].into() });
        served.decide(ResolveIssue { issue });
    }
    served.decide(DeleteIssue { issue: id(2) });
}

/// What is read at each path: the body, and its tag.
fn read(served: &Served) -> Vec<(String, String)> {
    let read = |path: &str| {
        let answer = served.get(path);
        assert!(answer.status == 200 && !answer.is_stale(), "{path}: {answer:?}");
        (answer.header("ETag").to_owned(), answer.text)
    };
    PATHS.map(read).into()
}

#[test]
fn s0_32_dropped_and_made_again_every_read_model_is_the_same_to_the_byte() {
    let served = Served::start();
    fill(&served);
    let before = read(&served);
    for name in NAMES {
        served.operate("reset", name);
    }
    assert_eq!(read(&served), before);
    block_on(served.app.projections().rebuild_all(&NAMES)).unwrap();
    assert!(NAMES.iter().all(|name| caught_up(&served, name)));
    assert_eq!(read(&served), before);
}

#[test]
fn s0_32_one_issue_made_again_by_itself_is_the_same_to_the_byte() {
    let served = Served::start();
    fill(&served);
    let before = read(&served);
    let uuid = id(2).to_string();
    let stream = format!("issue-{uuid}");
    for (name, key) in [("issue", &uuid), ("issue-history", &stream), ("issues", &stream)] {
        let events = block_on(served.app.projections().rebuild_key(name, key)).unwrap();
        assert!(events >= 9, "{name}: {events}");
    }
    assert_eq!(read(&served), before);
}

#[test]
fn s0_32_read_models_that_were_deleted_between_two_starts_are_made_again_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Served::embedded(dir.path());
    let served = start();
    fill(&served);
    let before = read(&served);
    drop(served);
    let served = start();
    assert_eq!(read(&served), before, "taken up as they were");
    drop(served);
    fs::remove_dir_all(dir.path().join("views")).unwrap();
    assert_eq!(read(&start()), before, "made again");
}

#[test]
fn s0_32_a_rebuild_is_seen_by_no_reader() {
    let served = Served::start();
    fill(&served);
    let before = read(&served);
    let rebuilt = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for name in NAMES.iter().cycle().take(9) {
                served.operate("rebuild", name);
                while block_on(served.app.projections().status(name)).unwrap().building.is_some() {
                    assert!(caught_up(&served, name));
                }
            }
            rebuilt.store(true, Ordering::SeqCst);
        });
        loop {
            // Looked at before the read, so that the last read is after the last rebuild.
            let last = rebuilt.load(Ordering::SeqCst);
            assert_eq!(read(&served), before);
            if last {
                break;
            }
        }
    });
}

fn caught_up(served: &Served, name: &str) -> bool {
    block_on(served.app.projections().caught_up(name, BUILT_WITHIN)).unwrap()
}
