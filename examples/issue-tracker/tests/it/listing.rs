//! `GET /api/issues`: its order, its pages, its filters, and what it refuses.

use crate::served::{Answer, LONG, Served, id};
use factum::{Event as _, NewEvent, Timestamp};
use issue_tracker::{
    DeleteIssue, IssueEvent, Project, ReplaceIssue, ResolveIssue, SetProject, SetTags, StartIssue,
};
use serde_json::{Value, json};

/// All pages from `path` on: how many issues each has, and their numbers.
fn pages(served: &Served, path: &str) -> (Vec<usize>, Vec<u64>) {
    let (mut sizes, mut numbers, mut path) = (Vec::new(), Vec::new(), path.to_owned());
    loop {
        let page = served.get(&path);
        let shown = page.numbers();
        sizes.push(shown.len());
        numbers.extend(shown);
        assert!(sizes.len() < 100, "it goes round in circles: {numbers:?}");
        match page.next() {
            Some(next) => path = next,
            None => return (sizes, numbers),
        }
    }
}

fn replace(nth: u64, title: &str, description: &str, priority: u8) -> ReplaceIssue {
    ReplaceIssue { issue: id(nth), title: title.to_owned(), description: description.to_owned(), priority }
}

#[test]
fn s0_01_issues_are_listed_by_their_number_a_hundred_a_page() {
    let served = Served::start();
    assert_eq!((served.get("").text, served.get("").next()), ("[]".to_owned(), None));
    (1..=205).for_each(|nth| served.create(nth, "Crash", 3));
    let (sizes, numbers) = pages(&served, "");
    assert_eq!(sizes, [100, 100, 5]);
    assert_eq!(numbers, (1..=205).collect::<Vec<_>>(), "10 comes after 9, not after 1");
    assert_eq!(pages(&served, "?limit=5&cursor=195").0, [5, 5], "no empty page at the end");
}

#[test]
fn s0_01_what_is_added_or_changed_between_two_pages_shifts_none() {
    let served = Served::start();
    (1..=6).for_each(|nth| served.create(nth, "Crash", 3));
    let first = served.get("?limit=3");
    served.create(7, "Crash", 3);
    served.decide(DeleteIssue { issue: id(1) });
    served.decide(replace(5, "Hang", "It hangs", 1));
    let (_, rest) = pages(&served, &first.next().unwrap());
    assert_eq!((first.numbers(), rest), (vec![1, 2, 3], vec![4, 5, 6, 7]));
}

#[test]
fn s0_42_the_most_urgent_come_first_and_of_these_the_oldest() {
    let served = Served::start();
    for (nth, priority) in [5, 1, 3, 1, 3, 3, 2].into_iter().enumerate() {
        served.create(nth as u64 + 1, "Crash", priority);
    }
    let urgent = [2, 4, 7, 3, 5, 6, 1];
    assert_eq!(served.get("?sort=priority").numbers(), urgent);
    for limit in 1..=7 {
        let (sizes, numbers) = pages(&served, &format!("?sort=priority&limit={limit}"));
        assert_eq!((numbers, sizes.len()), (urgent.to_vec(), 7_usize.div_ceil(limit)));
    }
    served.decide(replace(1, "Crash", "Description 1", 1));
    assert_eq!(served.get("?sort=priority").numbers(), [1, 2, 4, 7, 3, 5, 6]);
    assert_eq!(served.get("?sort=number").numbers(), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn s0_42_a_list_is_filtered_by_state_tag_and_project() {
    let served = Served::start();
    (1..=4).for_each(|nth| served.create(nth, "Crash", 3));
    let tags =
        |nth, tags: &[&str]| SetTags { issue: id(nth), tags: tags.iter().map(|&tag| tag.into()).collect() };
    let project = |nth, name: Option<&str>| SetProject { issue: id(nth), project: name.map(Project::from) };
    served.decide(StartIssue { issue: id(2) });
    served.decide(ResolveIssue { issue: id(3) });
    served.decide(tags(1, &["ui", "bug"]));
    served.decide(tags(3, &["bug"]));
    served.decide(project(1, Some("web")));
    served.decide(project(4, Some("web")));
    let listed = |path: &str| served.get(path).numbers();
    assert_eq!(listed("?state=new"), [1, 4]);
    assert_eq!((listed("?state=in-progress"), listed("?state=resolved")), (vec![2], vec![3]));
    assert_eq!((listed("?tag=bug"), listed("?tag=ui"), listed("?tag=u")), (vec![1, 3], vec![1], vec![]));
    assert_eq!((listed("?project=web"), listed("?project=Web")), (vec![1, 4], vec![]));
    assert_eq!(listed("?project=web&tag=bug&state=new&sort=priority"), [1], "all of them hold");
    served.decide(tags(1, &["ui"]));
    served.decide(project(1, None));
    assert_eq!((listed("?tag=bug"), listed("?project=web")), (vec![3], vec![4]));
    let filtered = served.get("?state=new&limit=1");
    let next = filtered.next().unwrap();
    assert_eq!((filtered.numbers(), listed(&next)), (vec![1], vec![4]), "the next page keeps the filter");
}

#[test]
fn s0_42_a_text_is_found_in_titles_and_descriptions_whatever_its_case() {
    let served = Served::start();
    served.create(1, "Crash at 100%_start", 3);
    served.create(2, "ÜBER ΟΔΟΣ", 3);
    served.create(3, r"C:\temp", 3);
    served.decide(replace(3, r"C:\temp", "It CRASHES", 3));
    served.create(4, "a\0B", 3);
    let listed = |text: &str| served.get(&format!("?text={text}")).numbers();
    assert_eq!((listed("cRASH"), listed("crashes")), (vec![1, 3], vec![3]));
    assert_eq!((listed("%C3%BCber"), listed("%CE%BF%CE%B4%CE%BF")), (vec![2], vec![2]));
    for (text, found) in [("0%25_s", vec![1]), ("%25s", vec![]), ("h_at", vec![]), ("%5Ct", vec![3])] {
        assert_eq!(listed(text), found, "{text} stands for itself");
    }
    assert_eq!(
        (listed("%00b"), listed("Description"), listed("startDesc")),
        (vec![4], vec![1, 2, 4], vec![])
    );
}

#[test]
fn s0_25_deleted_issues_are_hidden_unless_they_are_asked_for() {
    let served = Served::start();
    (1..=3).for_each(|nth| served.create(nth, "Crash", 3));
    served.decide(DeleteIssue { issue: id(2) });
    assert_eq!(served.get("").numbers(), [1, 3]);
    assert_eq!(served.get("?includeDeleted=false").numbers(), [1, 3]);
    let all = served.get("?includeDeleted=true");
    assert_eq!(all.numbers(), [1, 2, 3]);
    let all = all.json();
    assert_eq!((&all[0]["deleted"], &all[1]["deleted"]), (&Value::Null, &all[1]["updated"]));
}

#[test]
fn s0_01_an_issue_in_the_list_is_the_issue_without_comments_and_history() {
    let served = Served::start();
    served.create(1, "Crash", 3);
    served.decide(SetTags { issue: id(1), tags: ["b".to_owned(), "a".to_owned()].into() });
    served.decide(SetProject { issue: id(1), project: Some(Project::from("web")) });
    served.decide(StartIssue { issue: id(1) });
    served.create(2, "Hang", 1);
    served.decide(DeleteIssue { issue: id(2) });
    // Of two who ask at once, one may be decided first and have asked last.
    let early = |event: IssueEvent| NewEvent { effective_at: Some(Timestamp::EPOCH), ..event.to_new() };
    served.store(vec![
        early(IssueEvent::PriorityModified { issue: id(1), before: 3, after: 1 }),
        early(IssueEvent::IssueDeleted { issue: id(2) }),
    ]);
    let listed = served.get("?includeDeleted=true").json();
    for (nth, listed) in [("1", &listed[0]), ("2", &listed[1])] {
        let mut whole = served.get(&format!("/{nth}")).json();
        let fields = whole.as_object_mut().unwrap();
        assert!(fields.remove("comments").is_some() && fields.remove("history").is_some());
        assert_eq!(*listed, whole);
    }
}

fn refused(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["fields"][0]["field"].clone())
}

#[test]
fn what_a_list_does_not_know_is_refused_by_name() {
    let served = Served::start();
    let long = "x".repeat(201);
    for (query, name) in [
        ("colour=red", "colour"),
        ("sort=title", "sort"),
        ("sort=", "sort"),
        ("state=open", "state"),
        ("state=New", "state"),
        ("tag=", "tag"),
        ("tag=%20ui", "tag"),
        ("project=%20", "project"),
        (&format!("project={}", &long[..101]), "project"),
        ("text=", "text"),
        (&format!("text={long}"), "text"),
        ("includeDeleted=yes", "includeDeleted"),
        ("include_deleted=true", "include_deleted"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("tag=ui&tag=bug", "tag"),
        ("cursor=x", "cursor"),
        ("cursor=3-1", "cursor"),
        ("sort=priority&cursor=1", "cursor"),
    ] {
        let answer = served.get(&format!("?{query}"));
        assert_eq!(refused(&answer), (400, json!(name)), "{query}: {answer:?}");
    }
    served.create(1, "Crash", 3);
    assert_eq!(refused(&served.get("/1/history?cursor=x")), (400, json!("cursor")));
    assert_eq!(refused(&served.get("/1/history?state=new")), (400, json!("state")));
}

#[test]
fn a_list_that_the_client_has_is_not_sent_again() {
    let served = Served::start();
    served.create(1, "Crash", 3);
    let first = served.get("");
    let tag = first.header("ETag");
    let again = served.get_with("", &[("If-None-Match", tag), LONG]);
    assert_eq!((again.status, &*again.text, again.header("ETag")), (304, "", tag));
    served.decide(StartIssue { issue: id(1) });
    let changed = served.get_with("", &[("If-None-Match", tag), LONG]);
    assert_eq!((changed.status, changed.json()[0]["state"].clone()), (200, json!("in-progress")));
    assert_ne!(changed.header("ETag"), tag);
}
