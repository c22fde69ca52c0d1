//! Lists of commands and events, page by page.

use super::board::{BoardId, Boards, Post};
use factum::block_on;
use serde_json::{Value, json};

/// All items, page by page, and the cursor at the end.
fn all(boards: &Boards, path: &str, limit: usize) -> (Vec<Value>, String) {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let page = boards.get(&format!("{path}limit={limit}{next}"));
        let shown = page["items"].as_array().unwrap();
        assert!(shown.len() <= limit);
        items.extend(shown.iter().cloned());
        let cursor = page["cursor"].as_str().unwrap();
        match page["next"].as_str() {
            Some(goes_on) => {
                assert_eq!(goes_on, cursor);
                next = format!("&cursor={goes_on}");
            }
            None => return (items, cursor.to_owned()),
        }
    }
}

fn field(items: &[Value], name: &str) -> Vec<String> {
    items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_commands_of_all_services_are_listed_once_in_the_order_they_came() {
    let boards = Boards::open();
    boards.fill("listed");
    let (commands, cursor) = all(&boards, "/commands?", 1000);
    assert_eq!(commands.len(), 4 * 8);
    let mut ids = field(&commands, "command_id");
    assert!(commands.is_sorted_by_key(|command| command["issued_at"].as_str().unwrap().to_owned()));
    for command in &commands {
        assert_eq!(boards.get(&format!("/commands/{}", command["command_id"].as_str().unwrap())), *command);
    }
    for limit in 1..=9 {
        assert_eq!(all(&boards, "/commands?", limit).0, commands, "{limit}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), commands.len());
    let whole = boards.get(&format!("/commands?limit={}", commands.len()));
    assert_eq!(whole["next"], Value::Null, "a page that ends with the list is the last");
    // What comes later is found from where the list ended.
    let late = Boards::post(&boards.right, "ann", 1, "late").to_string();
    let (later, _) = all(&boards, &format!("/commands?cursor={cursor}&"), 10);
    assert_eq!(field(&later, "command_id"), [late]);
}

#[test]
fn a_list_of_commands_shows_a_service_or_a_status() {
    let boards = Boards::open();
    boards.fill("filtered");
    let (commands, _) = all(&boards, "/commands?", 1000);
    for (parameter, field, values) in [
        ("service", "service", &["left", "right"][..]),
        ("status", "status", &["accepted", "succeeded", "rejected", "parked", "failed"]),
    ] {
        for value in values {
            let own: Vec<_> = commands.iter().filter(|command| command[field] == *value).cloned().collect();
            assert!(!own.is_empty() && own.len() < commands.len(), "{value}");
            for limit in [1, 2, 1000] {
                assert_eq!(all(&boards, &format!("/commands?{parameter}={value}&"), limit).0, own, "{value}");
            }
        }
    }
}

#[test]
fn the_events_of_all_services_are_listed_and_a_commit_may_be_parted() {
    let boards = Boards::open();
    boards.fill("happened");
    let (events, cursor) = all(&boards, "/events?", 1000);
    assert!(events.len() > 16, "{}", events.len());
    assert!(events.is_sorted_by_key(|event| event["recorded_at"].as_str().unwrap().to_owned()));
    for service in ["left", "right"] {
        let own: Vec<_> = events.iter().filter(|event| event["service"] == service).cloned().collect();
        assert!(own.iter().map(|event| event["position"].as_u64().unwrap()).eq(1..=own.len() as u64));
        assert_eq!(all(&boards, &format!("/events?service={service}&"), 3).0, own);
    }
    for limit in 1..=7 {
        assert_eq!(all(&boards, "/events?", limit).0, events, "{limit}");
    }
    for (query, name, value) in
        [("type=boards.pinned", "type", "boards.pinned"), ("stream=board-11", "stream", "board-11")]
    {
        let own: Vec<_> = events.iter().filter(|event| event[name] == value).cloned().collect();
        assert!(!own.is_empty() && own.len() < events.len());
        for limit in [1, 1000] {
            assert_eq!(all(&boards, &format!("/events?{query}&"), limit).0, own, "{query}");
        }
    }
    Boards::post(&boards.left, "ann", 1, "late");
    let (later, _) = all(&boards, &format!("/events?cursor={cursor}&"), 10);
    assert_eq!(field(&later, "type"), ["boards.posted", "boards.pinned"]);
}

#[test]
fn an_event_is_shown_with_the_command_it_came_from() {
    let boards = Boards::open();
    let correlation = factum::CorrelationId::new(factum::Uuid::from_u128(7));
    let causation = factum::CausationId::new(factum::Uuid::from_u128(8));
    block_on(async {
        let post = boards.right.submit(Post(BoardId(3), "hello".to_owned())).actor("ann").tenant("acme");
        post.correlation(correlation).causation(causation).await.unwrap().outcome().await.unwrap();
    });
    let events = boards.get("/events?limit=1")["items"].clone();
    let event = &events[0];
    let expected = json!({
        "id": event["id"], "service": "right", "type": "boards.posted", "version": 1,
        "stream": "board-3", "revision": 0, "position": 1, "tags": event["tags"],
        "data": {"board": 3, "text": "hello"},
        "effective_at": "1970-01-01T00:00:00.000000Z", "recorded_at": "1970-01-01T00:00:00.000000Z",
        "command_id": event["command_id"], "actor": "ann", "tenant": "acme",
        "correlation_id": correlation, "causation_id": causation,
    });
    assert_eq!(*event, expected);
    let mut alone = boards.get(&format!("/events/{}", event["id"].as_str().unwrap()));
    let command = alone.as_object_mut().unwrap().remove("command").unwrap();
    assert_eq!(alone, expected);
    assert_eq!(command, boards.get(&format!("/commands/{}", event["command_id"].as_str().unwrap())));
    assert_eq!(command["status"], "succeeded");
}
