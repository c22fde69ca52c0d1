//! Live while the process answers, ready while its logs do.

use crate::{
    boxes::{self, BROKEN},
    memos::{self, FileMemo, MemoId},
    notes::{Client, served, service},
};
use factum::{
    App, ErrorKind, StoreError, Uuid, block_on,
    store::{AppendError, AppendObserver, Store},
};
use factum_http::{Metrics, Service};
use factum_testkit::Intercepted;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const LONG: Duration = Duration::from_secs(30);

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
    assert_eq!(block_on(app.store().head()).unwrap().sequence.get(), 2);
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
    let sound = Service { routes: factum_http::Routes::new(), ..service(App::in_memory().start()) };
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
fn a_log_that_cannot_seal_what_ended_takes_commands_and_is_degraded() {
    let metrics = Metrics::default();
    let (observer, sound) = (metrics.service("notes"), metrics.service("memos"));
    let app = App::in_memory().observer(Arc::clone(&observer)).start();
    let other = memos::service(App::in_memory().commands::<FileMemo>().observer(sound).start());
    let told = served(vec![service(app), other], metrics, move |client| {
        let mut told = Vec::new();
        for trouble in [None, Some("the disk is full"), None] {
            observer.maintained(trouble);
            let answer = client.get("/health/ready");
            assert_eq!((answer.status, client.write(3, &[]).status), (200, 201));
            told.push(answer.json());
        }
        told
    });
    let statuses = |index: usize| {
        let services = &told[index]["services"];
        (
            &told[index]["status"],
            &services["notes"]["status"],
            &services["notes"]["unsealed"],
            &services["memos"]["status"],
        )
    };
    let ready = json!("ready");
    assert_eq!(statuses(0), (&ready, &ready, &Value::Null, &ready));
    assert_eq!(statuses(1), (&json!("degraded"), &json!("degraded"), &json!(["events"]), &ready));
    assert_eq!(statuses(2), statuses(0));
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

#[test]
fn a_service_whose_lanes_failed_is_not_ready_and_says_why() {
    let behind = App::in_memory().start();
    let store = Intercepted::new(Arc::clone(behind.store()), |store: &dyn Store, batch| {
        if batch.iter().any(|append| append.commit.command.name.as_str() == "memos.file-memo") {
            let cause = StoreError::new(ErrorKind::Reopen, "the disk is gone");
            return Box::pin(async { vec![Err(AppendError::Store(cause))] });
        }
        store.append(batch)
    });
    let commands = App::in_memory().start();
    let app =
        App::on(Arc::new(store)).command_log(Arc::clone(commands.store())).commands::<FileMemo>().start();
    // Once they have begun, their layout is written.
    while block_on(app.lanes().unwrap().load()).is_err() {}
    let before = ask(vec![memos::service(app.clone())], |client| client.get("/health/ready"));
    assert_eq!(before.status, 200, "{before:?}");
    let commands = json!({"position": 1, "sequence": 1});
    assert_eq!(before.json()["services"]["memos"]["commands"], commands, "the layout stands there");
    block_on(async {
        let drawer = MemoId(Uuid::from_u128(0x4ea));
        let ended = app.submit(FileMemo(drawer)).await.unwrap().outcome().await;
        assert!(ended.is_err(), "{ended:?}");
    });
    let after = ask(vec![memos::service(app)], |client| client.get("/health/ready"));
    let why =
        "accepted commands are not decided: the disk is gone: look at its disk, then start the process again";
    let fields = json!([{"field": "memos", "message": why}]);
    assert_eq!((after.status, &after.json()["fields"]), (503, &fields));
}

#[test]
fn a_service_whose_command_log_refuses_is_not_ready() {
    let behind = App::in_memory().start();
    let store = Intercepted::new(Arc::clone(behind.store()), |store: &dyn Store, batch| {
        if batch.iter().any(|append| append.commit.command.name.as_str() == "factum.probe") {
            let cause = StoreError::new(ErrorKind::Retry, "the disk is full");
            return Box::pin(async { vec![Err(AppendError::Store(cause))] });
        }
        store.append(batch)
    });
    let events = App::in_memory().start();
    let app = App::on(Arc::clone(events.store())).command_log(Arc::new(store)).commands::<FileMemo>().start();
    let asked = ask(vec![memos::service(app)], |client| client.get("/health/ready"));
    assert!(asked.text.contains("the command log: the disk is full: it may pass"), "{asked:?}");
    assert_eq!(asked.status, 503);
}

#[test]
fn a_service_that_was_stopped_is_not_ready() {
    let app = App::in_memory().commands::<FileMemo>().start();
    block_on(app.stop());
    let asked = ask(vec![memos::service(app)], |client| client.get("/health/ready"));
    assert!(asked.status == 503 && asked.text.contains("the application was stopped"), "{asked:?}");
}

#[test]
fn a_service_whose_projection_has_stopped_is_degraded_and_goes_on_being_read() {
    let app = boxes::started();
    let ready = |app: &App| {
        let answer = ask(vec![boxes::service(app.clone())], |client| client.get("/health/ready"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let put = |grams| {
        let put = boxes::Put { box_id: boxes::BoxId(201), grams };
        let app = app.clone();
        block_on(async move {
            let position = app.execute(put).await.unwrap().position();
            app.projections().reached("weight", position, LONG).await.unwrap();
            app.projections().reached("total", position, LONG).await.unwrap();
        });
    };
    let shown = |position: u64, status: &str, lag_events: u64, parked: u64| {
        json!({
            "status": status, "position": position, "lag_events": lag_events, "stalled": false, "parked": parked,
        })
    };
    put(13);
    let sound = ready(&app);
    assert_eq!((&sound["status"], &sound["services"]["boxes"]["status"]), (&json!("ready"), &json!("ready")));
    let both = json!({"total": shown(1, "caught-up", 0, 0), "weight": shown(1, "caught-up", 0, 0)});
    assert_eq!(sound["services"]["boxes"]["projections"], both);

    BROKEN.lock().unwrap().insert(201);
    put(13);
    let degraded = ready(&app);
    assert_eq!(
        (&degraded["status"], &degraded["services"]["boxes"]["status"]),
        (&json!("degraded"), &json!("degraded"))
    );
    let both = json!({"total": shown(1, "stopped", 1, 0), "weight": shown(2, "caught-up", 0, 1)});
    assert_eq!(degraded["services"]["boxes"]["projections"], both, "one stops, the other parks");

    block_on(app.projections().pause("total")).unwrap();
    let paused = ready(&app);
    assert_eq!(paused["services"]["boxes"]["projections"]["total"]["status"], "paused");
    assert_eq!(paused["status"], "ready", "somebody wants it so");
}

#[test]
fn a_service_of_which_a_build_has_stopped_is_degraded() {
    let app = boxes::started();
    block_on(async {
        let put = boxes::Put { box_id: boxes::BoxId(202), grams: 13 };
        let position = app.execute(put).await.unwrap().position();
        assert!(app.projections().reached("total", position, LONG).await.unwrap());
        BROKEN.lock().unwrap().insert(202);
        app.projections().rebuild("total").await.unwrap();
        let stopped = |building: &factum::BuildProgress| building.state.as_str() == "stopped";
        while !app.projections().status("total").await.unwrap().building.as_ref().is_some_and(stopped) {
            std::thread::yield_now();
        }
    });
    let ready = ask(vec![boxes::service(app)], |client| client.get("/health/ready")).json();
    assert_eq!(
        ready["services"]["boxes"]["projections"]["total"]["status"], "caught-up",
        "that is what is read"
    );
    assert_eq!(
        (&ready["status"], &ready["services"]["boxes"]["status"]),
        (&json!("degraded"), &json!("degraded"))
    );
}
