//! A service with one of each: a command with a rule, one without, a query.

use axum::{
    Json,
    extract::State,
    response::Response,
    routing::{any, get, post},
};
use factum::prelude::*;
use factum_http::{Body, Incoming, Permissions, Problem, Role, Routes, Service, accepted};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Id)]
pub(crate) struct NoteId(factum::Uuid);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "notes", stream = note)]
pub(crate) enum NotesEvent {
    NoteAdded { note: NoteId },
}

#[derive(Command)]
#[command(name = "notes.add-note")]
pub(crate) struct AddNote(NoteId);

/// No rule is about it.
#[derive(Command)]
#[command(name = "notes.wipe")]
pub(crate) struct Wipe(NoteId);

impl Decide for AddNote {
    type Event = NotesEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(NotesEvent::NoteAdded { note: self.0 })
    }
}

impl Decide for Wipe {
    type Event = NotesEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(NotesEvent::NoteAdded { note: self.0 })
    }
}

#[derive(Deserialize)]
struct Empty {}

pub(crate) fn service(app: App) -> Service {
    let routes = Routes::new()
        .command::<AddNote>("/notes", post(add))
        .command::<Wipe>("/wipe", any(wipe))
        .query("notes.count", "/notes", get(count))
        .with_state(app.clone());
    let permissions = Permissions::new()
        .command::<AddNote>([Role::WRITER])
        .query("notes.count", [Role::READER, Role::named("auditor")]);
    Service { name: "notes", about: "notes", app, routes, permissions, hints: &["curl -s {url}/notes"] }
}

async fn add(
    State(app): State<App>,
    incoming: Incoming,
    Body(Empty {}): Body<Empty>,
) -> Result<Response, Problem> {
    let note: NoteId = incoming.fresh_id();
    let ended = app.execute(AddNote(note)).intake(incoming.intake()).await;
    accepted(&incoming, ended, [("note", note.to_string())])
}

async fn wipe(State(app): State<App>, incoming: Incoming) -> Result<Response, Problem> {
    let ended = app.execute(Wipe(incoming.fresh_id())).intake(incoming.intake()).await;
    accepted(&incoming, ended, [])
}

async fn count(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let head = app.store().head().await.map_err(Problem::from)?;
    Ok(Json(json!({ "count": head.position.get() })))
}
