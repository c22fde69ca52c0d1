//! An issue whose creation was accepted and is not decided.

use factum::{App, Sleep, Spawn, block_on, store::BoxFuture};
use factum_http::{Gate, Server};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio::{runtime::Builder, sync::oneshot};

/// Keeps the lanes from working until they are let go.
#[derive(Default)]
struct Held(Mutex<Vec<BoxFuture<'static, ()>>>);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Spawn for Held {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(task);
    }
}

impl Held {
    fn let_go(&self) {
        for task in self.0.lock().unwrap().drain(..) {
            thread::spawn(move || block_on(task));
        }
    }
}

/// No pause takes any time.
#[derive(Debug)]
struct NoSleep;

impl Sleep for NoSleep {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

struct Served {
    url: String,
    app: App,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Served {
    fn start(lanes: Arc<Held>) -> Self {
        let builder = issue_tracker::setup(App::in_memory());
        let app = builder.spawn(lanes).sleep(Arc::new(NoSleep)).start();
        let services = vec![issue_tracker::service(app.clone())];
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let server = runtime.block_on(Server::bind(address, Gate::default(), services)).unwrap();
        let url = format!("http://{}/api/issues", server.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = async {
            // Also when the sender was dropped.
            let _ = stopped.await;
        };
        let thread = thread::spawn(move || runtime.block_on(server.serve(serving)));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { url, app, agent, stop: Some(stop), thread: Some(thread) }
    }

    fn send(&self, method: &str, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.url);
        let request = if method == "PUT" { self.agent.put(url) } else { self.agent.post(url) };
        let request = request.header("Content-Type", "application/json");
        let mut answer = request.send(r#"{"title": "t", "description": "d"}"#).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    /// The status, and when to come back.
    fn get(&self, path: &str) -> (u16, Option<String>) {
        let answer = self.agent.get(format!("{}{path}", self.url)).call().unwrap();
        let later = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), later)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn s0_10_a_uuid_is_known_once_its_creation_was_accepted_and_no_other_is() {
    let lanes = Arc::new(Held::default());
    let served = Served::start(Arc::clone(&lanes));
    let (status, body) = served.send("POST", "");
    assert_eq!(status, 202);
    let path = format!("/{}", body["id"].as_str().unwrap());
    assert_eq!(served.send("PUT", &path).0, 202);
    let again = Some("1".to_owned());
    assert_eq!(served.get(&path), (404, again), "there is nothing to read yet");
    assert_eq!(served.get("/1").0, 404, "no number was given yet");
    let nobody = "/ffffffff-ffff-ffff-ffff-ffffffffffff";
    assert_eq!((served.send("PUT", nobody).0, served.get(nobody)), (404, (404, None)));
    lanes.let_go();
    let command = body["command_id"].as_str().unwrap().parse().unwrap();
    let outcome = block_on(served.app.lanes().unwrap().outcome(command)).unwrap();
    assert_eq!(outcome.events.len(), 1);
    assert_eq!((served.get(&path), served.get("/1")), ((200, None), (200, None)));
    block_on(served.app.stop());
}
