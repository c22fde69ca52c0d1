//! Who reads what a projection keeps reads their own writes, or is told that they do not yet.

use crate::{
    boxes::{self, ASKED, BROKEN, service},
    notes::{Answer, Client, served},
};
use factum::{App, Spawn, store::BoxFuture};
use factum_http::Metrics;
use serde_json::json;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

const POSITION: &str = "factum-position";
const STALE: &str = "factum-stale";
const LONG: (&str, &str) = ("Prefer", "wait=30");

fn asked<T: Send + 'static>(ask: impl FnOnce(&Client) -> T + Send + 'static) -> T {
    served(vec![service(boxes::started())], Metrics::default(), ask)
}

/// Puts something into a box, and gives its position.
fn fill(client: &Client, at: &str, grams: u64) -> String {
    let answer = client.send("PUT", &format!("/boxes/{at}"), &[], &grams.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header(POSITION)
}

fn act(client: &Client, verb: &str) {
    let answer = client.send("POST", &format!("/admin/projections/boxes/weight/{verb}"), &[], "");
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn shown(answer: &Answer) -> (u16, String, String) {
    (answer.status, answer.text.clone(), answer.header(STALE))
}

fn grams(grams: u64) -> String {
    json!({"grams": grams}).to_string()
}

#[test]
fn who_sends_the_position_back_reads_what_they_wrote() {
    asked(|client| {
        for nth in 1..=20 {
            let position = fill(client, "1", 1);
            let answer = client.send("GET", "/boxes/1", &[(POSITION, &*position), LONG], "");
            assert_eq!(shown(&answer), (200, grams(nth), String::new()));
            assert_eq!(answer.header(POSITION), position);
            assert_eq!(answer.header("preference-applied"), "wait=30");
            let strict = client.send("GET", "/strict/1", &[(POSITION, &*position)], "");
            assert_eq!(shown(&strict), (200, grams(nth), String::new()));
        }
    });
}

#[test]
fn what_is_not_up_to_date_says_so_or_is_refused_as_the_route_has_it() {
    asked(|client| {
        let before = fill(client, "2", 5);
        assert_eq!(client.send("GET", "/boxes/2", &[(POSITION, &*before), LONG], "").text, grams(5));
        act(client, "pause");
        let after = fill(client, "2", 6);
        let seen = |headers: &[(&str, &str)]| client.send("GET", "/boxes/2", headers, "");
        let stale = seen(&[(POSITION, &after)]);
        assert_eq!(shown(&stale), (200, grams(5), "true".to_owned()));
        assert_eq!(stale.header(POSITION), before, "it says where it holds");
        let at_once = seen(&[(POSITION, &after), ("Prefer", "wait=0")]);
        assert_eq!(
            (at_once.header(STALE), at_once.header("preference-applied")),
            ("true".into(), "wait=0".into())
        );
        assert_eq!(
            shown(&seen(&[(POSITION, &before)])),
            (200, grams(5), String::new()),
            "no less than was seen"
        );
        let unasked = seen(&[LONG]);
        assert_eq!(shown(&unasked), (200, grams(5), String::new()), "nothing was seen");
        assert_eq!(unasked.header("preference-applied"), "");
        let refused = client.send("GET", "/strict/2", &[(POSITION, &*after)], "");
        assert_eq!((refused.status, refused.header("retry-after")), (503, "1".to_owned()));
        assert_eq!(refused.json()["type"], "urn:factum:problem:behind");
        act(client, "resume");
        assert_eq!(shown(&seen(&[(POSITION, &after), LONG])), (200, grams(11), String::new()));
    });
}

#[test]
fn a_document_that_waits_behind_a_parked_event_is_stale_whatever_was_seen() {
    asked(|client| {
        BROKEN.lock().unwrap().insert(3);
        fill(client, "3", 5);
        let position = fill(client, "3", 13);
        let parked = client.send("GET", "/boxes/3", &[(POSITION, &*position), LONG], "");
        assert_eq!(shown(&parked), (200, grams(5), "true".to_owned()));
        assert_eq!(client.get("/boxes/3").header(STALE), "true");
        let other = fill(client, "4", 13);
        let other = client.send("GET", "/boxes/4", &[(POSITION, &*other), LONG], "");
        assert_eq!(shown(&other), (200, grams(13), String::new()));
    });
}

#[test]
fn a_position_of_another_log_is_refused_and_a_projection_that_is_not_there_is_a_fault_of_the_service() {
    asked(|client| {
        let position = fill(client, "5", 1);
        let other = format!("{}.1.1", "0".repeat(32));
        for path in ["/boxes/5", "/strict/5"] {
            let refused = client.send("GET", path, &[(POSITION, &other)], "");
            assert_eq!(
                (refused.status, &refused.json()["fields"][0]["field"]),
                (400, &json!("Factum-Position"))
            );
        }
        let nothing = client.send("GET", "/nothing", &[(POSITION, &*position)], "");
        assert_eq!((nothing.status, &nothing.json()["type"]), (500, &json!("urn:factum:problem:corrupt")));
    });
}

#[test]
fn what_is_disabled_cannot_be_read() {
    asked(|client| {
        fill(client, "6", 1);
        act(client, "disable");
        let refused = client.get("/boxes/6");
        assert_eq!((refused.status, refused.header("retry-after")), (503, "1".to_owned()));
        act(client, "enable");
        assert_eq!(client.get("/boxes/6").status, 200);
    });
}

/// Keeps what it is to run, and never does.
#[derive(Default)]
struct Never(Mutex<Vec<BoxFuture<'static, ()>>>, AtomicBool);

impl std::fmt::Debug for Never {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Never")
    }
}

impl Spawn for Never {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.1.store(true, Ordering::SeqCst);
        self.0.lock().unwrap().push(task);
    }
}

/// The service, whose projections never come to run.
fn never_run() -> App {
    App::in_memory().spawn(Arc::new(Never::default())).view::<boxes::Weight>().start()
}

#[test]
fn a_read_waits_no_longer_than_it_was_asked_to() {
    served(vec![service(never_run())], Metrics::default(), |client| {
        let position = fill(client, "7", 1);
        let refused = client.send("GET", "/strict/7", &[(POSITION, &*position), ("Prefer", "wait=1")], "");
        assert_eq!((refused.status, &refused.json()["type"]), (503, &json!("urn:factum:problem:behind")));
        let refused = client.send("GET", "/strict/7", &[(POSITION, &*position)], "");
        assert_eq!(refused.status, 503, "a second unless it is said");
    });
}

#[test]
fn who_waits_to_read_while_the_server_stops_is_answered() {
    let waiting = served(vec![service(never_run())], Metrics::default(), |client| {
        let position = fill(client, "8", 1);
        let reader = client.clone();
        let waiting = std::thread::spawn(move || {
            reader.send("GET", "/strict/8", &[(POSITION, &*position), ("Prefer", "wait=60")], "")
        });
        while !ASKED.lock().unwrap().contains(&8) {
            std::thread::yield_now();
        }
        waiting
    });
    assert_eq!(waiting.join().unwrap().status, 503);
}
