//! The bank behind HTTP, in this process.

use factum::App;
use factum_http::{Gate, Server};
use serde_json::{Value, json};
use std::thread;
use tokio::{runtime::Builder, sync::oneshot};
use ureq::http::HeaderMap;

/// A bank that is served until it is dropped.
pub(crate) struct Served {
    url: String,
    pub(crate) app: App,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::over(bank::setup(App::in_memory()).start())
    }

    pub(crate) fn over(app: App) -> Self {
        let services = vec![bank::service(app.clone())];
        // Several threads, so that requests meet in the middle of a decision.
        let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let server = runtime.block_on(Server::bind(address, Gate::default(), services)).unwrap();
        let url = format!("http://{}", server.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = async {
            // Also when the sender was dropped.
            let _ = stopped.await;
        };
        let thread = thread::spawn(move || runtime.block_on(server.serve(serving)));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { url, app, agent, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        answer(request.call().unwrap())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body)
    }

    pub(crate) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = request.header("Content-Type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        answer(request.send(body.to_string()).unwrap())
    }

    /// An account of ann's.
    pub(crate) fn open(&self) -> String {
        let opened = self.post("/accounts", &json!({"owner": "ann"}));
        assert_eq!(opened.status, 201, "{opened:?}");
        opened.body["account_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn deposit(&self, account: &str, body: &Value) -> Answer {
        let answer = self.post(&format!("/accounts/{account}/deposits"), body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    pub(crate) fn withdraw(&self, account: &str, body: &Value) -> Answer {
        self.post(&format!("/accounts/{account}/withdrawals"), body)
    }

    pub(crate) fn transfer(&self, from: &str, to: &str, amount: u64) -> Answer {
        self.post("/transfers", &json!({"from": from, "to": to, "amount": amount}))
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The fields at fault.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let fields = self.body["fields"].as_array().into_iter().flatten();
        fields.map(|fault| fault["field"].as_str().unwrap()).collect()
    }

    /// One field of each event that happened.
    pub(crate) fn events(&self, field: &str) -> Vec<&Value> {
        self.body["events"].as_array().unwrap().iter().map(|event| &event[field]).collect()
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let text = response.body_mut().read_to_string().unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), text, body }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}
