//! A place that is none of a log of this server is not believed.

use super::board::{Block, Boards, Logs};
use factum_http::Access;
use serde_json::Value;

fn items(page: &Value) -> usize {
    page["items"].as_array().unwrap().len()
}

/// The cursor with each place changed.
fn changed(cursor: &str, change: impl Fn(&str, &str, &str) -> String) -> String {
    let mut parts = cursor.split('-');
    let kind = parts.next().unwrap().to_owned();
    parts.fold(kind, |changed, part| {
        let [log, generation, place] = part.split('.').collect::<Vec<_>>()[..] else { panic!("{part}") };
        changed + "-" + &change(log, generation, place)
    })
}

/// The first update that comes after one more command.
fn first(boards: &Boards, path: &str, id: &str) -> Block {
    let mut updates = boards.follow_from(path, id);
    // Told before anything else happens: from here on it is open.
    assert!(updates.block().unwrap().event.is_empty());
    Boards::post_directly(&boards.left, "ann", 9, "first");
    updates.next().unwrap()
}

#[test]
fn a_place_of_another_log_or_life_or_of_the_future_is_not_believed() {
    let (boards, other) = (Boards::open(), Logs::new(2).serve(Access::Open));
    for boards in [&boards, &other] {
        boards.fill("placed");
    }
    for (list, stream) in [("/commands", "/commands/updates"), ("/events", "/events/updates")] {
        let count = items(&boards.get(&format!("{list}?limit=1000")));
        let page = boards.get(&format!("{list}?limit=5"));
        let (cursor, of_other) =
            (page["cursor"].as_str().unwrap(), other.get(&format!("{list}?limit=5"))["cursor"].clone());
        let from = |cursor: &str| items(&boards.get(&format!("{list}?limit=1000&cursor={cursor}")));
        assert_eq!(from(cursor), count - 5);
        let old = changed(cursor, |log, _, place| format!("{log}.7.{place}"));
        let future = changed(cursor, |log, generation, _| format!("{log}.{generation}.ffffffffffffffff"));
        for unknown in [of_other.as_str().unwrap(), &old, &future] {
            let count = items(&boards.get(&format!("{list}?limit=1000")));
            assert_eq!(from(unknown), count, "a list begins at the start: {unknown}");
            let block = first(&boards, stream, unknown);
            assert!(block.data.to_string().contains("ann"), "a stream begins now: {block:?}");
            let told = boards.get(&format!("{list}?limit=1000&cursor={}", block.id));
            assert!(items(&told) <= 1, "{told}");
        }
        // All that is not told yet, and nothing that is, whatever else the place says.
        let mixed = format!("{cursor}{}", &of_other.as_str().unwrap()[1..]);
        assert!(from(&mixed) > count - 5);
        let kept = boards.get(&format!("{list}?limit=1000&cursor={mixed}"))["cursor"].clone();
        let places = |cursor: &str| cursor.split('-').count();
        assert_eq!(places(kept.as_str().unwrap()), places(cursor), "no place of another server is handed on");
        assert_ne!(boards.follow_from(stream, &mixed).next(), None);
    }
}

#[test]
fn the_place_of_a_service_that_is_not_looked_at_is_kept() {
    let boards = Boards::open();
    boards.fill("kept");
    for list in ["/commands", "/events"] {
        let all = boards.get(&format!("{list}?limit=1000"));
        let end = all["cursor"].as_str().unwrap();
        let left = boards.get(&format!("{list}?limit=1000&service=left&cursor={end}"));
        assert_eq!(items(&left), 0);
        let on = boards.get(&format!("{list}?limit=1000&cursor={}", left["cursor"].as_str().unwrap()));
        assert_eq!(items(&on), 0, "{list}");
    }
}
