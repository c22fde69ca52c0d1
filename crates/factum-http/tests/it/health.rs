//! Live while the process answers, ready while its logs do.

use crate::notes::{Client, served, service};
use factum::{
    App, ErrorKind, StoreError,
    store::{AppendError, Store},
};
use factum_http::{Metrics, Service};
use factum_testkit::Intercepted;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

fn ask<T: Send + 'static>(services: Vec<Service>, ask: impl FnOnce(&Client) -> T + Send + 'static) -> T {
    served(services, Metrics::default(), ask)
}

#[test]
fn a_service_whose_log_answers_is_ready_and_nothing_is_stored_to_see_it() {
    let app = App::in_memory().start();
    let asked = ask(vec![service(app.clone())], |client| {
        let fresh = client.get("/health/ready");
        client.write(3, &[]);
        client.write(300, &[]);
        [fresh, client.get("/health/ready"), client.get("/health/ready")]
    });
    let heads: Vec<_> = asked.iter().map(|answer| (answer.status, answer.json())).collect();
    let ready = |position, sequence| {
        let service = json!({"status": "ready", "position": position, "sequence": sequence});
        (200, json!({"status": "ready", "services": {"notes": service}}))
    };
    assert_eq!(heads, [ready(0, 0), ready(1, 2), ready(1, 2)]);
    assert_eq!(factum::block_on(app.store().head()).unwrap().sequence.get(), 2);
}

#[test]
fn a_service_whose_log_refuses_is_not_ready_and_says_what_to_do() {
    let behind = App::in_memory().start();
    let fails = Arc::new(AtomicBool::new(false));
    let failing = Arc::clone(&fails);
    let store = Intercepted::new(Arc::clone(behind.store()), move |store: &dyn Store, batch| {
        if failing.load(Ordering::SeqCst) {
            let cause = StoreError::new(ErrorKind::Reopen, "the log failed before");
            return Box::pin(async { vec![Err(AppendError::Store(cause))] });
        }
        store.append(batch)
    });
    let broken = Service { name: "broken", ..service(App::on(Arc::new(store)).start()) };
    let sound = Service { routes: axum::Router::new(), ..service(App::in_memory().start()) };
    let [before, after, live, old] = ask(vec![sound, broken], move |client| {
        let before = client.get("/health/ready");
        fails.store(true, Ordering::SeqCst);
        [before, client.get("/health/ready"), client.get("/health/live"), client.get("/health")]
    });
    assert_eq!(before.status, 200);
    assert_eq!((after.status, &*after.content_type), (503, "application/problem+json"));
    let body = after.json();
    assert_eq!(body["type"], "urn:factum:problem:unavailable");
    let message = "the log failed before: look at its disk, then start the process again";
    assert_eq!(body["fields"], json!([{"field": "broken", "message": message}]));
    assert!(body["detail"].as_str().unwrap().contains("not ready: broken;"), "{body}");
    assert_eq!((live.status, live.json()), (200, json!({"status": "up"})), "the process is alive");
    assert_eq!(old.json(), live.json());
}

#[test]
fn a_log_whose_fate_is_unknown_is_not_ready() {
    let behind = App::in_memory().start();
    let store = Intercepted::new(Arc::clone(behind.store()), |_, _| {
        Box::pin(async { vec![Err(AppendError::Unknown { cause: "no answer".into() })] })
    });
    let app = App::on(Arc::new(store)).start();
    assert_eq!(ask(vec![service(app)], |client| client.get("/health/ready")).status, 503);
}

#[test]
fn a_log_whose_last_commit_is_damaged_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::embedded(dir.path()).start().unwrap();
    let path = dir.path().to_owned();
    let [before, after] = ask(vec![service(app)], move |client| {
        client.write(3, &[]);
        let before = client.get("/health/ready");
        let segment = path.join("events/00000000000000000001.seg");
        let mut bytes = std::fs::read(&segment).unwrap();
        let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[last - 8] ^= 1;
        std::fs::write(&segment, bytes).unwrap();
        [before, client.get("/health/ready")]
    });
    assert_eq!((before.status, after.status), (200, 503), "{after:?}");
    assert!(after.text.contains("stop the process, and verify the log"), "{after:?}");
}

#[test]
fn health_is_told_to_any_machine_and_measures_are_not() {
    let app = App::in_memory().start();
    let statuses = ask(vec![service(app)], |client| {
        ["/health", "/health/live", "/health/ready", "/metrics", "/"]
            .map(|path| client.get_as("evil.example", path).status)
    });
    assert_eq!(statuses, [200, 200, 200, 421, 421]);
}

#[test]
fn health_is_only_asked_for() {
    let app = App::in_memory().start();
    let answer = ask(vec![service(app)], |client| client.method("DELETE", "/health/ready"));
    assert_eq!((answer.status, &*answer.content_type), (405, "application/problem+json"));
}
