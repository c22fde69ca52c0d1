//! The service behind a port of its own, and what is asked of it.

use factum::{
    App, CommandName, CommandPayload, CommandRecord, Condition, Decide, Metadata, NewCommit, NewEvent,
    Outcome, Uuid, block_on, prelude::Command, store::Append,
};
use factum_http::{Gate, Server};
use issue_tracker::{CreateIssue, IssueId};
use serde_json::Value;
use std::{fmt::Debug, path::Path, thread};
use tokio::{runtime::Builder, sync::oneshot};

/// A wait that only a broken build ever comes to the end of.
pub(crate) const LONG: (&str, &str) = ("Prefer", "wait=60");

pub(crate) struct Served {
    pub(crate) app: App,
    origin: String,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// Empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.header("Factum-Stale") == "true"
    }

    /// The numbers of the issues in a list.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        assert_eq!(self.status, 200, "{self:?}");
        self.json().as_array().unwrap().iter().map(|issue| issue["issueId"].as_u64().unwrap()).collect()
    }

    /// Where the list goes on, below the service.
    pub(crate) fn next(&self) -> Option<String> {
        let link = self.header("Link").strip_suffix(r#">; rel="next""#)?;
        Some(link.strip_prefix('<').unwrap().to_owned())
    }
}

impl Served {
    /// Over an app in memory.
    pub(crate) fn start() -> Self {
        Self::over(issue_tracker::setup(App::in_memory()).start())
    }

    /// Over the logs and read models in a directory.
    pub(crate) fn embedded(dir: &Path) -> Self {
        Self::over(issue_tracker::setup(App::embedded(dir)).start().unwrap())
    }

    pub(crate) fn over(app: App) -> Self {
        let services = vec![issue_tracker::service(app.clone())];
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let server = runtime.block_on(Server::bind(address, Gate::default(), services)).unwrap();
        let origin = format!("http://{}", server.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = async {
            // Also when the sender was dropped.
            let _ = stopped.await;
        };
        let thread = thread::spawn(move || runtime.block_on(server.serve(serving)));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { app, origin, agent, stop: Some(stop), thread: Some(thread) }
    }

    /// Reads `path`, below `/api/issues` unless it is a whole one.
    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let whole = if path.starts_with("/api") { String::new() } else { "/api/issues".to_owned() };
        let request = self.agent.get(format!("{}{whole}{path}", self.origin));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut answer = request.call().unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer {
            status,
            headers,
            text: answer.body_mut().with_config().limit(u64::MAX).read_to_string().unwrap(),
        }
    }

    /// As [`Self::get_with`], and what it reads may take as long as it needs to be fresh.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[LONG])
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/issues{path}", self.origin);
        let request = if method == "PUT" { self.agent.put(url) } else { self.agent.post(url) };
        let request = request.header("Content-Type", "application/json");
        let mut answer = request.send(&body.to_string()).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    }

    /// Decides a command here and now, as ann's.
    pub(crate) fn decide<C: Command + Decide<Rejection: Debug>>(&self, command: C) {
        block_on(async { self.app.execute(command).actor("ann").await }).unwrap();
    }

    /// Creates issue `nth`, which is its number too if it is the next.
    pub(crate) fn create(&self, nth: u64, title: &str, priority: u8) {
        let (issue, title) = (id(nth), title.to_owned());
        self.decide(CreateIssue { issue, title, description: format!("Description {nth}"), priority });
    }

    /// Stores events past all decisions.
    pub(crate) fn store(&self, events: Vec<NewEvent>) {
        let command = CommandRecord {
            id: self.app.fresh_command_id(),
            name: CommandName::new("tests.store").unwrap(),
            payload: CommandPayload::None,
            issued_at: self.app.now(),
            metadata: Metadata::default(),
        };
        let commit = NewCommit { command, outcome: Outcome::Succeeded, events };
        let append = vec![Append { commit, condition: Condition::none() }];
        block_on(self.app.store().append(append)).pop().unwrap().unwrap();
    }

    /// What an operator asks of a read model.
    pub(crate) fn operate(&self, verb: &str, name: &str) {
        let projections = self.app.projections();
        let done = block_on(async {
            match verb {
                "pause" => projections.pause(name).await,
                "resume" => projections.resume(name).await,
                "reset" => projections.reset(name).await,
                "rebuild" => projections.rebuild(name).await,
                verb => panic!("there is no {verb}"),
            }
        });
        done.unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
        block_on(self.app.stop());
    }
}

pub(crate) fn id(nth: u64) -> IssueId {
    Uuid::from_u128(nth.into()).into()
}
