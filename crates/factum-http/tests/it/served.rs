//! Serves the memos on a free port, with the gate that a test needs, and speaks HTTP to it.

use crate::memos;
use factum::{App, Timestamp, block_on};
use factum_http::{Access, Audit, Denial, Gate, Limits, Server, Service, Tokens, sha256_hex};
use factum_testkit::VirtualClock;
use serde_json::Value;
use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    thread,
};
use tokio::{runtime::Builder, sync::oneshot};

/// Everyone who holds a token, with their roles. The token of `ann` is `t-ann`.
const HOLDERS: [(&str, &str); 6] = [
    ("root", "admin"),
    ("olga", "operator"),
    ("ann", "writer"),
    ("bob", "writer"),
    ("rita", "reader"),
    ("otto", "auditor"),
];

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) app: App,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) kept: Arc<Kept>,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Keeps denials in memory.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<Denial>>);

impl Audit for Kept {
    fn denied(&self, denial: &Denial) {
        self.0.lock().unwrap().push(denial.clone());
    }
}

impl Kept {
    pub(crate) fn all(&self) -> Vec<Denial> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn is(&self, status: u16, problem: &str) -> bool {
        self.status == status
            && self.header("content-type") == Some("application/problem+json")
            && self.body["type"] == format!("urn:factum:problem:{problem}")
    }
}

pub(crate) fn tokens() -> Access {
    let entry = |(actor, role): (&str, &str)| {
        let sha256 = sha256_hex(&format!("t-{actor}"));
        format!(r#"{{"actor": "{actor}", "roles": ["{role}"], "sha256": "{sha256}"}}"#)
    };
    let mut entries = HOLDERS.map(entry).to_vec();
    let ended = sha256_hex("t-ended");
    let ends = "1970-01-01T01:00:00Z";
    entries.push(format!(
        r#"{{"actor": "ann", "roles": ["writer"], "sha256": "{ended}", "expires_at": "{ends}"}}"#
    ));
    Tokens::parse(format!(r#"{{"tokens": [{}]}}"#, entries.join(", ")).as_bytes()).unwrap().into()
}

impl Served {
    pub(crate) fn start(access: Access, limits: Limits) -> Self {
        let app = App::in_memory().commands::<memos::FileMemo>().start();
        Self::serving(access, limits, app, memos::service)
    }

    /// Serves another application.
    pub(crate) fn serving(
        access: Access,
        limits: Limits,
        app: App,
        service: impl FnOnce(App) -> Service,
    ) -> Self {
        let clock = Arc::new(VirtualClock::at(Timestamp::EPOCH));
        let kept = Arc::new(Kept::default());
        let gate =
            Gate { access, limits, clock: Arc::clone(&clock) as _, audit: Some(Arc::clone(&kept) as _) };
        let services = vec![service(app.clone())];
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let server = runtime.block_on(Server::bind(address, gate, services)).unwrap();
        let (stop, stopped) = oneshot::channel();
        let address = server.address();
        let serving = async {
            // Also when the sender was dropped.
            let _ = stopped.await;
        };
        let thread = thread::spawn(move || runtime.block_on(server.serve(serving)));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { address, app, clock, kept, agent, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn with_tokens() -> Self {
        Self::start(tokens(), Limits::default())
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.call().unwrap())
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(path, headers, "{}")
    }

    /// Sends a body of JSON.
    pub(crate) fn send(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self.agent.post(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.header("Content-Type", "application/json").send(body).unwrap())
    }

    /// Sends no body at all.
    pub(crate) fn bare_post(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.post(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send_empty().unwrap())
    }

    pub(crate) fn get_as(&self, actor: &str, path: &str) -> Answer {
        self.get(path, &[("Authorization", &format!("Bearer t-{actor}"))])
    }

    pub(crate) fn head_as(&self, actor: &str, path: &str) -> u16 {
        let request = self.agent.head(format!("http://{}{path}", self.address));
        request.header("Authorization", format!("Bearer t-{actor}")).call().unwrap().status().as_u16()
    }

    pub(crate) fn post_as(&self, actor: &str, path: &str) -> Answer {
        self.post(path, &[("Authorization", &format!("Bearer t-{actor}"))])
    }

    /// Sends these bytes and keeps the connection.
    pub(crate) fn raw(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        stream
    }

    /// Asks it to stop, and does not wait.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
    }

    /// How many commits there are.
    pub(crate) fn commits(&self) -> u64 {
        block_on(self.app.store().head()).unwrap().sequence.get()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // A panic in it has been printed.
            let _ = thread.join();
        }
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.body_mut().read_to_string().unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}
