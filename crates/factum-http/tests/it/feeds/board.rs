//! Two services with boards to post to, served beside each other, and a client that follows them.

use crate::served::{Kept, tokens};
use factum::{CommandId, prelude::*, store::MemoryStore};
use factum_http::{Access, Gate, Limits, Permissions, Routes, Server, Service};
use factum_testkit::{SeededEntropy, VirtualClock};
use serde_json::Value;
use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Lines},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::{runtime, sync::oneshot};

#[derive(Id)]
pub(crate) struct BoardId(pub(crate) u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "boards", stream = board)]
pub(crate) enum BoardEvent {
    Posted { board: BoardId, text: String },
    Pinned { board: BoardId },
}

#[derive(Default, Debug, Clone)]
pub(crate) struct Board;

#[model]
impl Model for Board {
    type Scope = Stream<BoardId>;
    fn apply(&mut self, event: BoardEvent) {
        match event {
            BoardEvent::Posted { .. } | BoardEvent::Pinned { .. } => {}
        }
    }
}

/// Posts a text and pins it. No text is refused, `-` is nothing to do, `often` is posted 100 times, and one that
/// is jammed cannot be decided.
#[derive(Command)]
#[command(name = "boards.post")]
pub(crate) struct Post(pub(crate) BoardId, pub(crate) String);

impl Decide for Post {
    type Event = BoardEvent;
    type Models = Board;
    type Rejection = Refused;
    fn keys(&self) -> BoardId {
        self.0
    }
    fn decide(&self, _: &Board, _: &Context) -> Decision<Self> {
        assert!(!jammed(|jammed| jammed.contains(&self.1)), "the board is jammed");
        ensure!(!self.1.is_empty(), "empty");
        if self.1 == "-" {
            return nothing();
        }
        if self.1 == "often" {
            return emit(vec![BoardEvent::Posted { board: self.0, text: "often".to_owned() }; 100]);
        }
        let pinned = BoardEvent::Pinned { board: self.0 };
        emit([BoardEvent::Posted { board: self.0, text: self.1.clone() }, pinned])
    }
}

static JAMMED: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// The texts that cannot be posted. Each test has its own.
pub(crate) fn jammed<T>(change: impl FnOnce(&mut HashSet<String>) -> T) -> T {
    change(JAMMED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// The logs of two services.
pub(crate) struct Logs {
    stores: [[Arc<MemoryStore>; 2]; 2],
    pub(crate) clock: Arc<VirtualClock>,
}

pub(crate) struct Boards {
    pub(crate) url: String,
    pub(crate) left: App,
    pub(crate) right: App,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) kept: Arc<Kept>,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Logs {
    pub(crate) fn new(seed: u64) -> Self {
        let (clock, entropy) = (Arc::new(VirtualClock::default()), SeededEntropy::new(seed));
        let store = || Arc::new(MemoryStore::with_ports(Arc::clone(&clock) as _, &entropy));
        Self { stores: [[store(), store()], [store(), store()]], clock: Arc::clone(&clock) }
    }

    fn app(&self, which: usize) -> App {
        let [events, commands] = self.stores[which].clone();
        App::on(events).command_log(commands).commands::<Post>().clock(self.clock.clone()).start()
    }

    pub(crate) fn serve(&self, access: Access) -> Boards {
        let (left, right, kept) = (self.app(0), self.app(1), Arc::new(Kept::default()));
        let audit = Some(Arc::clone(&kept) as _);
        let gate = Gate { access, limits: Limits::default(), clock: self.clock.clone(), audit };
        let service = |name, app: &App| Service {
            name,
            about: "boards",
            app: app.clone(),
            routes: Routes::new(),
            permissions: Permissions::new(),
            hints: &[],
        };
        let services = vec![service("left", &left), service("right", &right)];
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let server = runtime.block_on(Server::bind(address, gate, services)).unwrap();
        let url = format!("http://{}", server.address());
        let (stop, stopped) = oneshot::channel();
        let serving = async {
            // Also when the sender was dropped.
            let _ = stopped.await;
        };
        let thread = thread::spawn(move || runtime.block_on(server.serve(serving)));
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        // Only a broken build ever waits so long.
        let agent = config.timeout_global(Some(Duration::from_secs(60))).build().into();
        let clock = self.clock.clone();
        Boards { url, left, right, clock, kept, agent, stop: Some(stop), thread: Some(thread) }
    }
}

impl Boards {
    pub(crate) fn open() -> Self {
        Logs::new(1).serve(Access::Open)
    }

    pub(crate) fn with_tokens() -> Self {
        Logs::new(1).serve(tokens())
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> ureq::http::Response<ureq::Body> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.get_as("root", path)
    }

    pub(crate) fn get_as(&self, actor: &str, path: &str) -> Value {
        let mut response = self.get_with(path, &[("X-Api-Key", &format!("t-{actor}"))]);
        assert_eq!(response.status(), 200, "{path}: {:?}", response.body_mut().read_to_string());
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// The status and the problem of a refusal.
    pub(crate) fn refusal(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut response = self.get_with(path, headers);
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) fn follow(&self, path: &str) -> Updates {
        self.follow_as("root", path, None)
    }

    pub(crate) fn follow_from(&self, path: &str, id: &str) -> Updates {
        self.follow_as("root", path, Some(id))
    }

    pub(crate) fn follow_as(&self, actor: &str, path: &str, id: Option<&str>) -> Updates {
        let token = format!("t-{actor}");
        let mut headers = vec![("X-Api-Key", &*token)];
        headers.extend(id.map(|id| ("Last-Event-ID", id)));
        let response = self.get_with(path, &headers);
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Updates { lines: BufReader::new(response.into_body().into_reader()).lines() }
    }

    /// Sends a text for later, and waits until it is decided or parked.
    pub(crate) fn post(app: &App, actor: &str, board: u64, text: &str) -> CommandId {
        block_on(async {
            let ticket = app.submit(Post(BoardId(board), text.to_owned())).actor(actor).await.unwrap();
            ticket.outcome().await.unwrap();
            ticket.command_id()
        })
    }

    /// Sends a text and has it decided at once.
    pub(crate) fn post_directly(app: &App, actor: &str, board: u64, text: &str) {
        // A refusal is an outcome as well.
        let _ = block_on(async { app.execute(Post(BoardId(board), text.to_owned())).actor(actor).await });
    }

    /// A command of each ending in either service, the clock moving on with each; one of them waits.
    pub(crate) fn fill(&self, texts: &str) {
        let step = || self.clock.advance(Duration::from_secs(1));
        for (number, app) in [&self.left, &self.right, &self.left, &self.right].into_iter().enumerate() {
            let stuck = format!("{texts}{number}");
            jammed(|jammed| jammed.insert(stuck.clone()));
            for text in ["hello", "", "-"] {
                step();
                Self::post(app, "ann", 1, text);
                step();
                Self::post_directly(app, "bob", 1, text);
            }
            step();
            let lanes = app.lanes().unwrap();
            let board = 10 + number as u64;
            let id = Self::post(app, "ann", board, &stuck);
            let behind = block_on(app.submit(Post(BoardId(board), "waits".into())).into_future()).unwrap();
            step();
            match number {
                0 => drop(block_on(lanes.discard(id, "olga", "torn down")).unwrap()),
                1 | 2 => {
                    jammed(|jammed| jammed.remove(&stuck));
                    block_on(lanes.redrive(id, "olga")).unwrap();
                }
                _ => continue,
            }
            block_on(behind.outcome()).unwrap();
            block_on(lanes.outcome(id)).unwrap();
        }
        step();
    }

    /// Ends the server, and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Boards {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it has been printed.
            let _ = thread.join();
        }
        block_on(async {
            self.left.stop().await;
            self.right.stop().await;
        });
    }
}

/// One block of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Block {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Block {
    /// What an update of a command is about, without its place.
    pub(crate) fn update(&self) -> (String, String, String) {
        let text = |field: &str| self.data[field].as_str().unwrap().to_owned();
        (text("service"), text("command_id"), self.event.clone())
    }
}

/// An open stream.
pub(crate) struct Updates {
    lines: Lines<BufReader<ureq::BodyReader<'static>>>,
}

impl Updates {
    /// The next block, with or without data; `None` at the end.
    pub(crate) fn block(&mut self) -> Option<Block> {
        let mut block = Block::default();
        loop {
            let line = self.lines.next()?.unwrap();
            match line.split_once(": ") {
                Some(("id", id)) => block.id = id.to_owned(),
                Some(("event", event)) => block.event = event.to_owned(),
                Some(("data", data)) => block.data = serde_json::from_str(data).unwrap(),
                _ if line.is_empty() && block == Block::default() => {}
                _ if line.is_empty() => return Some(block),
                _ => assert!(line.starts_with(':'), "{line}"),
            }
        }
    }
}

impl Iterator for Updates {
    type Item = Block;

    /// The next update; one without data is none.
    fn next(&mut self) -> Option<Block> {
        loop {
            let block = self.block()?;
            if block.data != Value::Null {
                return Some(block);
            }
        }
    }
}
