//! A small service to watch: notes are written, within a length. It is served on this thread, and asked from
//! another.

use axum::{extract::State, response::Response};
use factum::prelude::*;
use factum_http::{
    Body, Gate, Incoming, Metrics, PathId, Permissions, Problem, Routes, Server, Service, get, post,
};
use factum_testkit::SeededEntropy;
use std::sync::Arc;
use tokio::{runtime::Builder, sync::oneshot, task::spawn_blocking};
use ureq::http::Response as Raw;

#[derive(Id)]
pub(crate) struct NoteId(factum::Uuid);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "notes", stream = note_id)]
enum NoteEvent {
    Written { note_id: NoteId, length: u64 },
}

#[derive(Command)]
#[command(name = "notes.write")]
struct Write {
    note_id: NoteId,
    length: u64,
}

impl Decide for Write {
    type Event = NoteEvent;
    type Models = ();
    type Rejection = Refused;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        ensure!(self.length < 100, "too-long");
        emit(NoteEvent::Written { note_id: self.note_id, length: self.length })
    }
}

async fn write(
    State(app): State<App>,
    incoming: Incoming,
    Body(length): Body<u64>,
) -> Result<Response, Problem> {
    let note_id: NoteId = incoming.fresh_id();
    let written = format!("/notes/{note_id}");
    incoming.execute(&app, Write { note_id, length }).minted("note_id", note_id).created_at(written).await
}

async fn read(PathId(id): PathId<NoteId>) -> String {
    id.to_string()
}

pub(crate) fn service(app: App) -> Service {
    let routes = Routes::new()
        .command::<Write>("/notes", post(write))
        .query("notes.read", "/notes/{id}", get(read))
        .with_state(app.clone());
    Service { name: "notes", about: "write notes", app, routes, permissions: Permissions::new(), hints: &[] }
}

/// Serves, and gives what `ask` found at the url.
pub(crate) fn served<T: Send + 'static>(
    services: Vec<Service>,
    metrics: Metrics,
    ask: impl FnOnce(&Client) -> T + Send + 'static,
) -> T {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bound = Server::bind("127.0.0.1:0".parse().unwrap(), Gate::default(), services).await.unwrap();
        let server = bound.metrics(metrics).entropy(Arc::new(SeededEntropy::new(7)));
        let (stop, stopped) = oneshot::channel::<()>();
        let url = format!("http://{}", server.address());
        let asking = spawn_blocking(move || {
            let agent = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .allow_non_standard_methods(true)
                .build()
                .into();
            let found = ask(&Client { agent, url });
            drop(stop);
            found
        });
        // The sender is dropped when all is asked, and when asking panicked.
        let until = async { drop(stopped.await) };
        let ((), found) = tokio::join!(server.serve(until), asking);
        found.unwrap()
    })
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) traceparent: String,
    pub(crate) text: String,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    /// Empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.url)).call().unwrap())
    }

    /// As a page would that names the server otherwise.
    pub(crate) fn get_as(&self, host: &str, path: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.url)).header("Host", host).call().unwrap())
    }

    pub(crate) fn method(&self, method: &str, path: &str) -> Answer {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        answer(self.agent.run(request.body(()).unwrap()).unwrap())
    }

    /// With a body of JSON; an empty one is left out.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(match body {
            "" => self.agent.run(request.body(()).unwrap()).unwrap(),
            body => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body.to_owned()).unwrap()).unwrap()
            }
        })
    }

    pub(crate) fn write(&self, length: u64, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.post(format!("{}/notes", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.header("Content-Type", "application/json").send(length.to_string()).unwrap())
    }
}

fn answer(mut response: Raw<ureq::Body>) -> Answer {
    let header = |name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    Answer {
        status: response.status().as_u16(),
        content_type: header("content-type"),
        traceparent: header("traceparent"),
        headers: response.headers().clone(),
        text: response.body_mut().read_to_string().unwrap(),
    }
}
