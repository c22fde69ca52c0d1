//! An issue whose creation was accepted and is not decided.

use crate::served::Served;
use factum::{App, Sleep, Spawn, SystemSpawn, block_on, store::BoxFuture};
use serde_json::json;
use std::{
    future::{pending, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Keeps the lanes from working until they are let go. Until then no pause takes any time; after it, nobody gives
/// up waiting.
#[derive(Default)]
struct Held {
    tasks: Mutex<Vec<BoxFuture<'static, ()>>>,
    gone: AtomicBool,
    /// Whether the first one who waits lets them go.
    ready: AtomicBool,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Spawn for Held {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.tasks.lock().unwrap().push(task);
    }

    /// Read models are kept up all the time.
    fn spawn_beside(&self, name: &str, task: BoxFuture<'static, ()>) {
        SystemSpawn.spawn_beside(name, task);
    }
}

impl Sleep for Held {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        if self.ready.load(Ordering::SeqCst) {
            self.let_go();
        }
        if self.gone.load(Ordering::SeqCst) { Box::pin(pending()) } else { Box::pin(ready(())) }
    }
}

impl Held {
    fn let_go(&self) {
        self.gone.store(true, Ordering::SeqCst);
        for task in self.tasks.lock().unwrap().drain(..) {
            thread::spawn(move || block_on(task));
        }
    }
}

/// The status, and when to come back.
fn get(served: &Served, path: &str) -> (u16, String) {
    let answer = served.get(path);
    (answer.status, answer.header("Retry-After").to_owned())
}

fn served(held: &Arc<Held>) -> Served {
    let builder = issue_tracker::setup(App::in_memory());
    Served::over(builder.spawn(Arc::clone(held) as _).sleep(Arc::clone(held) as _).start())
}

#[test]
fn s0_27_a_read_waits_for_what_was_accepted_before_it() {
    for path in ["", "/history"] {
        let held = Arc::new(Held::default());
        let served = served(&held);
        let (_, body) = served.send("POST", "", &json!({"title": "t", "description": "d"}));
        let issue = format!("/{}", body["id"].as_str().unwrap());
        assert_eq!(served.send("PUT", &issue, &json!({"title": "u", "description": "d"})).0, 202);
        held.ready.store(true, Ordering::SeqCst);
        let answer = served.get(&format!("{issue}{path}"));
        assert_eq!((answer.status, answer.text.contains(r#""u""#)), (200, true), "{answer:?}");
    }
}

#[test]
fn s0_10_a_uuid_is_known_once_its_creation_was_accepted_and_no_other_is() {
    let held = Arc::new(Held::default());
    let served = served(&held);
    let form = json!({"title": "t", "description": "d"});
    let (status, body) = served.send("POST", "", &form);
    assert_eq!(status, 202);
    let path = format!("/{}", body["id"].as_str().unwrap());
    assert_eq!(served.send("PUT", &path, &form).0, 202);
    let later = |at: &str| (404, at.to_owned());
    for path in [path.clone(), format!("{path}/history")] {
        assert_eq!(get(&served, &path), later("1"), "there is nothing to read yet");
    }
    for nobody in ["/1", "/1/history", "/ffffffff-ffff-ffff-ffff-ffffffffffff"] {
        assert_eq!(get(&served, nobody), later(""), "{nobody}");
    }
    assert_eq!(served.send("PUT", "/ffffffff-ffff-ffff-ffff-ffffffffffff", &form).0, 404);
    held.let_go();
    let command = body["command_id"].as_str().unwrap().parse().unwrap();
    let outcome = block_on(served.app.lanes().unwrap().outcome(command)).unwrap();
    assert_eq!(outcome.events.len(), 1);
    for path in [&path, "/1", &format!("{path}/history"), "/1/history"] {
        assert_eq!(get(&served, path), (200, String::new()), "{path}");
    }
}
