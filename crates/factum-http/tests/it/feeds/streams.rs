//! Streams of updates: from any place on exactly the rest, however slow the reader.

use super::board::{Block, BoardId, Boards, Post, jammed};
use factum::block_on;
use factum_http::STREAMS_MAX;
use serde_json::Value;
use std::{collections::BTreeMap, thread, time::Duration};

/// The updates up to that of the last command, which is the last of all.
fn until(updates: impl Iterator<Item = Block>, last: &str) -> Vec<Block> {
    let mut read = Vec::new();
    for block in updates {
        let ended =
            block.data["command_id"] == last && !["accepted", "boards.posted"].contains(&&*block.event);
        read.push(block);
        if ended {
            return read;
        }
    }
    panic!("the stream ended before {last}");
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<_> = items.collect();
    items.sort();
    items
}

#[test]
fn updates_of_all_services_go_on_at_every_id_with_exactly_the_rest() {
    let boards = Boards::open();
    let updates = boards.follow("/commands/updates");
    boards.fill("updated");
    let last = Boards::post(&boards.left, "ann", 1, "last").to_string();
    let told = until(updates, &last);
    // 12 direct, 12 for later, 4 stuck (one of them driven again twice over), 4 behind them, the last.
    let mut by_command: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for block in &told {
        assert_eq!(block.event, block.data["status"].as_str().unwrap());
        by_command.entry(block.update().1).or_default().push(block.event.clone());
    }
    let listed = boards.get("/commands?limit=1000");
    for command in listed["items"].as_array().unwrap() {
        let told = &by_command[command["command_id"].as_str().unwrap()];
        assert_eq!(told.last().unwrap(), command["status"].as_str().unwrap());
        if told.contains(&"accepted".to_owned()) {
            assert_eq!(told[0], "accepted");
        }
    }
    assert_eq!(by_command.len(), listed["items"].as_array().unwrap().len());
    for (number, block) in told.iter().enumerate().take(told.len() - 1) {
        let rest = until(boards.follow_from("/commands/updates", &block.id), &last);
        let left = told[number + 1..].iter().map(Block::update);
        assert_eq!(sorted(rest.iter().map(Block::update)), sorted(left), "after {number}");
    }
    let own = until(boards.follow_from("/commands/updates?service=left", &told[0].id), &last);
    let left = told[1..].iter().map(Block::update).filter(|(service, ..)| service == "left");
    assert_eq!(sorted(own.iter().map(Block::update)), sorted(left));
}

#[test]
fn events_go_on_at_every_id_with_exactly_the_rest() {
    let boards = Boards::open();
    let updates = boards.follow("/events/updates");
    boards.fill("evented");
    let last = Boards::post(&boards.right, "ann", 1, "last").to_string();
    let told = until(updates, &last);
    let listed = boards.get("/events?limit=1000");
    let data = |blocks: &[Block]| sorted(blocks.iter().map(|block| block.data.to_string()));
    assert_eq!(data(&told), sorted(listed["items"].as_array().unwrap().iter().map(Value::to_string)));
    for (number, block) in told.iter().enumerate().take(told.len() - 1) {
        assert_eq!(block.event, block.data["type"].as_str().unwrap());
        let rest = until(boards.follow_from("/events/updates", &block.id), &last);
        assert_eq!(data(&rest), data(&told[number + 1..]), "after {number}");
    }
}

#[test]
fn one_commands_updates_are_replayed_go_on_and_end() {
    let boards = Boards::open();
    let stuck = "one's own".to_owned();
    jammed(|jammed| jammed.insert(stuck.clone()));
    let id = Boards::post(&boards.right, "ann", 1, &stuck);
    let path = format!("/commands/{id}/updates");
    let mut updates = boards.follow(&path);
    let mut told: Vec<_> = updates.by_ref().take(2).collect();
    jammed(|jammed| jammed.remove(&stuck));
    block_on(boards.right.lanes().unwrap().redrive(id, "olga")).unwrap();
    told.extend(updates);
    let events: Vec<_> = told.iter().map(|block| &*block.event).collect();
    assert_eq!(events, ["accepted", "parked", "accepted", "succeeded"]);
    assert_eq!(told[3].data, boards.get(&format!("/commands/{id}")));
    assert!(told.iter().all(|block| block.data["service"] == "right"));
    let again: Vec<_> = boards.follow(&path).collect();
    assert_eq!(again, told, "replayed");
    for number in 0..3 {
        let rest: Vec<_> = boards.follow_from(&path, &told[number].id).collect();
        assert_eq!(rest, told[number + 1..], "after {number}");
    }
    let ended = boards.get_with(&path, &[("Last-Event-ID", &told[3].id)]);
    assert_eq!(ended.status(), 204, "there is nothing to come back for");
}

#[test]
fn a_reader_that_reads_nothing_while_thousands_come_misses_nothing() {
    let boards = Boards::open();
    let (commands, events) = (boards.follow("/commands/updates"), boards.follow("/events/updates"));
    // More than the sockets between them hold.
    let text = "x".repeat(8 * 1024);
    for number in 0..1500 {
        let app = if number % 2 == 0 { &boards.left } else { &boards.right };
        Boards::post_directly(app, "ann", number % 5, &text);
        boards.clock.advance(Duration::from_secs(1));
    }
    let last = Boards::post(&boards.left, "ann", 1, "last").to_string();
    let told = until(commands, &last);
    assert_eq!(told.len(), 1502);
    let mut ids: Vec<_> = told.iter().map(|block| block.update().1).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1501);
    let told = until(events, &last);
    assert_eq!(told.len(), 3002);
    for service in ["left", "right"] {
        let own = told.iter().filter(|block| block.data["service"] == service);
        assert!(own.map(|block| block.data["position"].as_u64().unwrap()).is_sorted_by(|a, b| a + 1 == *b));
    }
}

#[test]
fn who_comes_back_before_the_first_update_misses_none() {
    let boards = Boards::open();
    for path in ["/commands/updates", "/events/updates"] {
        let began = boards.follow(path).block().unwrap();
        assert_eq!((&*began.event, &began.data), ("", &Value::Null));
        Boards::post_directly(&boards.left, "ann", 1, path);
        let told = boards.follow_from(path, &began.id).next().unwrap();
        assert_eq!(told.data["actor"], "ann");
    }
}

#[test]
fn streams_end_when_the_server_is_told_to_stop() {
    let mut boards = Boards::open();
    jammed(|jammed| jammed.insert("to the end".to_owned()));
    let id = Boards::post(&boards.left, "ann", 1, "to the end");
    let paths =
        ["/commands/updates".to_owned(), "/events/updates".to_owned(), format!("/commands/{id}/updates")];
    let open = paths.map(|path| boards.follow(&path));
    let readers = open.map(|updates| thread::spawn(move || updates.count()));
    boards.stop();
    let told = readers.map(|reader| reader.join().unwrap());
    assert_eq!(told, [0, 0, 2]);
}

#[test]
fn one_stream_too_many_is_told_to_come_back_and_room_is_given_back() {
    let boards = Boards::open();
    let mut open: Vec<_> = (0..STREAMS_MAX).map(|_| boards.follow("/events/updates")).collect();
    for path in ["/events/updates", "/commands/updates"] {
        let response = boards.get_with(path, &[]);
        assert_eq!(
            (response.status().as_u16(), response.headers()["retry-after"].as_bytes()),
            (503, &b"1"[..])
        );
    }
    assert_eq!(boards.get("/events")["next"], Value::Null, "other requests are answered");
    open.pop();
    // Until the server has seen that the connection is gone.
    let freed = (0..6000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        boards.get_with("/events/updates", &[]).status() == 200
    });
    assert!(freed);
    block_on(boards.left.submit(Post(BoardId(1), "told".into())).into_future()).unwrap();
    assert!(open.iter_mut().take(3).all(|updates| updates.next().is_some()));
}
