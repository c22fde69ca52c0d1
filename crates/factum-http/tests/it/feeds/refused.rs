//! What is not understood is refused by name.

use super::board::Boards;

fn named(boards: &Boards, path: &str, headers: &[(&str, &str)], field: &str) {
    let (status, problem) = boards.refusal(path, headers);
    assert_eq!(status, 400, "{path}");
    assert_eq!(problem["type"], "urn:factum:problem:shape");
    assert_eq!(problem["fields"][0]["field"], field, "{path}: {problem}");
}

#[test]
fn a_parameter_that_is_not_understood_is_named() {
    let boards = Boards::open();
    let (commands, events) = (boards.get("/commands"), boards.get("/events"));
    let (commands, events) = (commands["cursor"].as_str().unwrap(), events["cursor"].as_str().unwrap());
    for list in ["/commands", "/events"] {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=many", "limit"),
            ("limit=5&limit=5", "limit"),
            ("cursor=", "cursor"),
            ("cursor=7", "cursor"),
            (&*format!("cursor={}", if list == "/events" { commands } else { events }), "cursor"),
            (&*format!("cursor={}x", if list == "/events" { events } else { commands }), "cursor"),
            ("service=middle", "service"),
            ("sort=up", "sort"),
        ] {
            named(&boards, &format!("{list}?{query}"), &[], field);
        }
    }
    named(&boards, "/commands?status=done", &[], "status");
    named(&boards, "/commands?type=boards.posted", &[], "type");
    named(&boards, "/events?type=", &[], "type");
    named(&boards, "/events?stream=a%0Ab", &[], "stream");
    named(&boards, "/events/7", &[], "id");
    named(&boards, "/commands/7/updates", &[], "id");
    for stream in ["/commands/updates", "/events/updates"] {
        named(&boards, &format!("{stream}?service=middle"), &[], "service");
        named(&boards, &format!("{stream}?limit=5"), &[], "limit");
    }
    let id = Boards::post(&boards.left, "ann", 1, "hello");
    named(&boards, &format!("/commands/{id}/updates?service=left"), &[], "service");
}

#[test]
fn a_last_event_id_that_is_none_is_named() {
    let boards = Boards::open();
    let id = Boards::post(&boards.left, "ann", 1, "hello");
    let (commands, events) = (boards.get("/commands"), boards.get("/events"));
    let (commands, events) = (commands["cursor"].as_str().unwrap(), events["cursor"].as_str().unwrap());
    let one = format!("/commands/{id}/updates");
    for (path, of_another) in [("/commands/updates", events), (&*one, events), ("/events/updates", commands)]
    {
        for value in ["", "7", of_another, "c-0", "e-0"] {
            named(&boards, path, &[("Last-Event-ID", value)], "Last-Event-ID");
        }
        let own = if path == "/events/updates" { events } else { commands };
        named(&boards, path, &[("Last-Event-ID", own), ("Last-Event-ID", own)], "Last-Event-ID");
    }
}

#[test]
fn what_nobody_sent_is_not_found() {
    let boards = Boards::open();
    let id = "00000000-0000-0000-0000-000000000001";
    for path in [format!("/commands/{id}/updates"), format!("/events/{id}")] {
        let (status, problem) = boards.refusal(&path, &[]);
        assert_eq!((status, &problem["type"]), (404, &"urn:factum:problem:not-found".into()), "{path}");
    }
}
