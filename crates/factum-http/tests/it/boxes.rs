//! A service that is read from views: things are put into boxes, and boxes are weighed. Whatever weighs thirteen
//! breaks the scales, for the boxes in which that is so.

use axum::{Json, extract::State, response::Response};
use factum::{Token, prelude::*};
use factum_http::{Body, Incoming, PathId, Permissions, Problem, Routes, Service, Since, get, put};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeSet, sync::Mutex};

#[derive(Id)]
pub(crate) struct BoxId(pub(crate) u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "boxes", stream = box_id)]
pub(crate) enum BoxEvent {
    Put { box_id: BoxId, grams: u64 },
}

#[derive(Command)]
#[command(name = "boxes.put")]
pub(crate) struct Put {
    pub(crate) box_id: BoxId,
    pub(crate) grams: u64,
}

impl Decide for Put {
    type Event = BoxEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(BoxEvent::Put { box_id: self.box_id, grams: self.grams })
    }
}

/// The boxes in which what weighs thirteen breaks the scales.
pub(crate) static BROKEN: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// The boxes that somebody has asked for strictly.
pub(crate) static ASKED: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

fn weigh(box_id: BoxId, grams: u64) -> u64 {
    let breaks = grams == 13 && BROKEN.lock().unwrap().contains(&box_id.0);
    assert!(!breaks, "the scales broke");
    grams
}

/// What is in a box.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weight {
    grams: u64,
}

impl View for Weight {
    const NAME: &'static str = "weight";
    const VERSION: u32 = 1;
    type Event = BoxEvent;
    type Key = BoxId;

    fn keys(BoxEvent::Put { box_id, .. }: &BoxEvent) -> Vec<BoxId> {
        vec![*box_id]
    }

    fn apply(&mut self, _: &BoxId, BoxEvent::Put { box_id, grams }: &BoxEvent) {
        self.grams += weigh(*box_id, *grams);
    }
}

/// All that is in boxes. It stops where the scales break.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Total {
    grams: u64,
}

impl View for Total {
    const NAME: &'static str = "total";
    const VERSION: u32 = 3;
    const ON_ERROR: OnError = OnError::Stop;
    type Event = BoxEvent;
    type Key = String;

    fn keys(_: &BoxEvent) -> Vec<String> {
        vec!["all".to_owned()]
    }

    fn apply(&mut self, _: &String, BoxEvent::Put { box_id, grams }: &BoxEvent) {
        self.grams += weigh(*box_id, *grams);
    }
}

async fn fill(
    State(app): State<App>,
    PathId(id): PathId<BoxId>,
    incoming: Incoming,
    Body(grams): Body<u64>,
) -> Result<Response, Problem> {
    incoming.execute(&app, Put { box_id: id, grams }).await
}

async fn read(State(app): State<App>, PathId(id): PathId<BoxId>, since: Since) -> Result<Response, Problem> {
    let fresh = since.wait(&app, Weight::NAME).await?;
    let found = app.documents::<Weight>().get(&id).await?;
    let grams = found.document.map(|Weight { grams }| grams);
    Ok(fresh.parked(found.parked).answer(&found.token, Json(json!({"grams": grams}))))
}

async fn strict(
    State(app): State<App>,
    PathId(id): PathId<BoxId>,
    since: Since,
) -> Result<Response, Problem> {
    ASKED.lock().unwrap().insert(id.0);
    let fresh = since.or_unavailable(&app, Weight::NAME).await?;
    let found = app.documents::<Weight>().get(&id).await?;
    Ok(fresh.answer(&found.token, Json(json!({"grams": found.document.map(|Weight { grams }| grams)}))))
}

async fn of_nothing(State(app): State<App>, since: Since) -> Result<Response, Problem> {
    let fresh = since.wait(&app, "nothing").await?;
    let head = app.store().head().await?;
    Ok(fresh.answer(&Token::new(app.store().identity(), head.position), "nothing"))
}

pub(crate) fn service(app: App) -> Service {
    let routes = Routes::new()
        .command::<Put>("/boxes/{id}", put(fill))
        .query("boxes.read", "/boxes/{id}", get(read))
        .query("boxes.read-strictly", "/strict/{id}", get(strict))
        .query("boxes.read-nothing", "/nothing", get(of_nothing))
        .with_state(app.clone());
    Service { name: "boxes", about: "boxes", app, routes, permissions: Permissions::new(), hints: &[] }
}

/// The service in memory, with both views.
pub(crate) fn started() -> App {
    App::in_memory().view::<Weight>().view::<Total>().start()
}
