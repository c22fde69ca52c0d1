//! Who sees what: senders their own, operators all.

use super::board::Boards;
use factum::{
    ARRIVALS_READ_MAX, App, CommandName, CommandPayload, CommandRecord, Condition, Metadata, NewCommit,
    Outcome, block_on, store::Append,
};
use serde_json::Value;

fn actors(page: &Value) -> Vec<&str> {
    let mut actors: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| item["actor"].as_str().unwrap()).collect();
    actors.sort_unstable();
    actors.dedup();
    actors
}

#[test]
fn lists_show_senders_their_own_and_operators_all() {
    let boards = Boards::with_tokens();
    for number in 0..6 {
        let app = if number % 2 == 0 { &boards.left } else { &boards.right };
        Boards::post(app, "ann", 1, "hello");
        Boards::post_directly(app, "bob", 1, "hello");
    }
    for list in ["/commands?limit=1000", "/events?limit=1000"] {
        for (actor, seen) in [
            ("ann", &["ann"][..]),
            ("bob", &["bob"]),
            ("rita", &[]),
            ("olga", &["ann", "bob"]),
            ("root", &["ann", "bob"]),
        ] {
            assert_eq!(actors(&boards.get_as(actor, list)), seen, "{actor} at {list}");
        }
    }
    // A page that others' commands leave short goes on.
    let page = boards.get_as("ann", "/commands?limit=4");
    assert_eq!((page["items"].as_array().unwrap().len(), page["next"].is_string()), (4, true));
    let rest = boards.get_as("ann", &format!("/commands?cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
}

#[test]
fn streams_show_senders_their_own_and_operators_all() {
    let boards = Boards::with_tokens();
    for path in ["/commands/updates", "/events/updates"] {
        let mut open: Vec<_> =
            ["ann", "rita", "olga"].map(|actor| boards.follow_as(actor, path, None)).into();
        for updates in &mut open {
            assert!(updates.block().unwrap().event.is_empty(), "it begins");
        }
        Boards::post_directly(&boards.left, "bob", 1, "hello");
        Boards::post_directly(&boards.right, "ann", 1, "hello");
        Boards::post_directly(&boards.right, "rita", 1, "hello");
        for (updates, first) in open.iter_mut().zip(["ann", "rita", "bob"]) {
            assert_eq!(updates.next().unwrap().data["actor"], first, "{path}");
        }
    }
}

#[test]
fn a_stream_that_shows_its_reader_nothing_tells_how_far_it_has_come() {
    let boards = Boards::with_tokens();
    let mut updates = boards.follow_as("ann", "/commands/updates", None);
    let began = updates.block().unwrap();
    for _ in 0..1100 {
        Boards::post_directly(&boards.left, "bob", 1, "-");
    }
    let place = updates.block().unwrap();
    assert_eq!((&*place.event, &place.data), ("", &Value::Null));
    assert_ne!(place.id, began.id);
    Boards::post_directly(&boards.left, "ann", 1, "-");
    let from = |id: &str| boards.follow_as("olga", "/commands/updates", Some(id)).take(50).count();
    assert_eq!(from(&place.id), 50, "76 of bob's are left");
    let told = boards.follow_as("ann", "/commands/updates", Some(&place.id)).next().unwrap();
    assert_eq!(told, updates.next().unwrap());
}

#[test]
fn what_is_anothers_is_not_found_and_the_look_is_kept() {
    let boards = Boards::with_tokens();
    let id = Boards::post(&boards.right, "ann", 1, "hello");
    let event = boards.get("/events?limit=1")["items"][0]["id"].as_str().unwrap().to_owned();
    let paths = [format!("/commands/{id}/updates"), format!("/events/{event}")];
    for path in &paths {
        let (status, problem) = boards.refusal(path, &[("X-Api-Key", "t-bob")]);
        assert_eq!((status, &problem["type"]), (404, &"urn:factum:problem:not-found".into()));
        assert_eq!(boards.refusal(path, &[]).0, 401);
    }
    let kept: Vec<_> = boards.kept.all().into_iter().map(|denial| (denial.action, denial.path)).collect();
    let [commands, events] = paths;
    let expected = [("factum.read-command", commands), ("factum.read-event", events)];
    assert_eq!(kept, expected.map(|(action, path)| (action.to_owned(), path)));
    assert_eq!(boards.get_as("ann", &format!("/events/{event}"))["command"]["command_id"], id.to_string());
    assert_eq!(boards.follow_as("olga", &format!("/commands/{id}/updates"), None).count(), 2);
}

#[test]
fn a_page_without_anything_to_show_goes_on() {
    let boards = Boards::with_tokens();
    for _ in 0..42 {
        Boards::post_directly(&boards.left, "bob", 1, "often");
        boards.clock.advance(std::time::Duration::from_secs(1));
    }
    Boards::post_directly(&boards.right, "ann", 1, "hello");
    let page = boards.get_as("ann", "/events");
    assert_eq!((&page["items"], page["next"].is_string()), (&serde_json::json!([]), true));
    let page = boards.get_as("ann", &format!("/events?cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (2, &Value::Null));
}

#[test]
fn a_service_with_much_that_is_not_shown_is_waited_for_by_the_others() {
    let boards = Boards::with_tokens();
    let step = || boards.clock.advance(std::time::Duration::from_secs(1));
    Boards::post_directly(&boards.right, "ann", 1, "early");
    step();
    // More than is read for one page.
    let nothing = |_| Append { commit: nothing_by_bob(&boards.left), condition: Condition::none() };
    for _ in 0..2 {
        let verdicts =
            block_on(boards.left.store().append((0..ARRIVALS_READ_MAX / 2 + 1).map(nothing).collect()));
        assert!(verdicts.iter().all(Result::is_ok));
    }
    step();
    Boards::post_directly(&boards.right, "ann", 1, "late");
    let all = boards.get_as("ann", "/commands?service=right");
    let all = all["items"].as_array().unwrap();
    let first = boards.get_as("ann", "/commands");
    assert_eq!((&first["items"], first["next"].is_string()), (&all[..1].into(), true));
    let second = boards.get_as("ann", &format!("/commands?cursor={}", first["next"].as_str().unwrap()));
    assert_eq!((&second["items"], &second["next"]), (&all[1..].into(), &Value::Null));
}

fn nothing_by_bob(app: &App) -> NewCommit {
    let command = CommandRecord {
        id: app.fresh_command_id(),
        name: CommandName::unchecked("boards.post"),
        payload: CommandPayload::None,
        issued_at: app.now(),
        metadata: Metadata { actor: Some("bob".into()), ..Metadata::default() },
    };
    NewCommit { command, outcome: Outcome::Nothing, events: Vec::new() }
}
