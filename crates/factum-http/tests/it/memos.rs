//! A service with one of each: a command with a rule, one without, a query.

use axum::{
    Json,
    extract::State,
    response::Response,
    routing::{any, get, post},
};
use factum::prelude::*;
use factum_http::{Body, Incoming, Permissions, Problem, Role, Routes, Service};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Id)]
pub(crate) struct MemoId(factum::Uuid);

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

#[derive(Deserialize)]
struct Empty {}

pub(crate) fn service(app: App) -> Service {
    let routes = Routes::new()
        .command::<AddMemo>("/memos", post(add))
        .command::<Wipe>("/wipe", any(wipe))
        .query("memos.count", "/memos", get(count))
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

async fn count(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let head = app.store().head().await.map_err(Problem::from)?;
    Ok(Json(json!({ "count": head.position.get() })))
}
