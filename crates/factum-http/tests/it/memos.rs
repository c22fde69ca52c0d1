//! A service with one of each: a command with a rule, one without, a query.

use axum::{Json, body::Body as Raw, extract::State, response::Response};
use factum::prelude::*;
use factum_http::{Body, Incoming, Permissions, Problem, Role, Routes, Service, get, post};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, convert::Infallible, sync::Mutex};

#[derive(Id)]
pub(crate) struct MemoId(pub(crate) factum::Uuid);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "memos", stream = memo)]
pub(crate) enum MemosEvent {
    MemoAdded { memo: MemoId },
}

#[derive(Command)]
#[command(name = "memos.add-memo")]
pub(crate) struct AddMemo(MemoId);

/// No rule is about it.
#[derive(Command)]
#[command(name = "memos.wipe")]
pub(crate) struct Wipe(MemoId);

/// Into a drawer, in the order of the drawer: nothing goes into one that is jammed.
#[derive(Command)]
#[command(name = "memos.file-memo")]
pub(crate) struct FileMemo(pub(crate) MemoId);

/// The drawers that are.
pub(crate) static JAMMED: Mutex<BTreeSet<factum::Uuid>> = Mutex::new(BTreeSet::new());

#[derive(Default, Debug, Clone)]
pub(crate) struct Drawer;

#[model]
impl Model for Drawer {
    type Scope = Stream<MemoId>;
    fn apply(&mut self, event: MemosEvent) {
        match event {
            MemosEvent::MemoAdded { .. } => {}
        }
    }
}

impl Decide for FileMemo {
    type Event = MemosEvent;
    type Models = Drawer;
    type Rejection = Never;
    fn keys(&self) -> MemoId {
        self.0
    }
    fn decide(&self, _: &Drawer, _: &Context) -> Decision<Self> {
        let jammed = JAMMED.lock().unwrap().contains(&self.0.0);
        assert!(!jammed, "the drawer is jammed");
        emit(MemosEvent::MemoAdded { memo: self.0 })
    }
}

impl Decide for AddMemo {
    type Event = MemosEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(MemosEvent::MemoAdded { memo: self.0 })
    }
}

impl Decide for Wipe {
    type Event = MemosEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(MemosEvent::MemoAdded { memo: self.0 })
    }
}

/// More bytes than fit on the way to a client that does not read.
pub(crate) const LARGE: usize = 32 * 1024 * 1024;

#[derive(Deserialize, JsonSchema)]
struct Empty {}

pub(crate) fn service(app: App) -> Service {
    let routes = Routes::new()
        .command::<AddMemo>("/memos", post(add))
        .command::<Wipe>("/wipe", post(wipe))
        .query("memos.count", "/memos", get(count))
        .query("memos.large", "/large", get(async || "x".repeat(LARGE)))
        .query("memos.watch", "/watch", get(watch))
        .with_state(app.clone());
    let permissions = Permissions::new()
        .command::<AddMemo>([Role::WRITER])
        .query("memos.count", [Role::READER, Role::named("auditor")]);
    Service { name: "memos", about: "memos", app, routes, permissions, hints: &["curl -s {url}/memos"] }
}

async fn add(
    State(app): State<App>,
    incoming: Incoming,
    Body(Empty {}): Body<Empty>,
) -> Result<Response, Problem> {
    let memo: MemoId = incoming.fresh_id();
    incoming.execute(&app, AddMemo(memo)).minted("memo", memo).await
}

async fn wipe(State(app): State<App>, incoming: Incoming) -> Result<Response, Problem> {
    incoming.execute(&app, Wipe(incoming.fresh_id())).await
}

/// A stream of events: one has come, more never do.
async fn watch() -> Response {
    let one = stream::once(async { Ok::<_, Infallible>("data: 1\n\n") });
    let body = Raw::from_stream(one.chain(stream::pending()));
    Response::builder().header("Content-Type", "text/event-stream").body(body).unwrap()
}

async fn count(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let head = app.store().head().await.map_err(Problem::from)?;
    Ok(Json(json!({ "count": head.position.get() })))
}
