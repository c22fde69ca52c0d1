//! What the sender of a command is answered: accepted, what became of it if they wait, why not, and the same
//! again when they repeat it.

use crate::notes::{Client, served};
use axum::{Json, extract::State, response::Response};
use factum::{At, prelude::*, store::MemoryStore};
use factum_http::{
    Body, IfNoneMatch, Incoming, Metrics, PathId, Permissions, Problem, Routes, Service, Since, get, post,
    put,
};
use factum_testkit::Intercepted;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Id)]
struct TillId(factum::Uuid);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "tills", stream = till)]
enum TillEvent {
    Opened { till: TillId },
    Filled { till: TillId, cents: u64 },
}

#[derive(Default, Debug, Clone)]
struct Till(Option<u64>);

#[model]
impl Model for Till {
    type Scope = Stream<TillId>;
    fn apply(&mut self, event: TillEvent) {
        match event {
            TillEvent::Opened { .. } => self.0 = Some(0),
            TillEvent::Filled { cents, .. } => self.0 = self.0.map(|total| total + cents),
        }
    }
}

#[derive(Command)]
#[command(name = "tills.open")]
struct Open {
    till: TillId,
}

impl Decide for Open {
    type Event = TillEvent;
    type Models = Till;
    type Rejection = Refused;
    fn keys(&self) -> TillId {
        self.till
    }
    fn decide(&self, till: &Till, _: &Context) -> Decision<Self> {
        ensure!(till.0.is_none(), "already-open");
        emit(TillEvent::Opened { till: self.till })
    }
}

#[derive(Command)]
#[command(name = "tills.fill")]
struct Fill {
    till: TillId,
    cents: u64,
}

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
enum FillRejected {
    #[error("there is no such till")]
    #[reject(404)]
    NoTill,
}

impl Decide for Fill {
    type Event = TillEvent;
    type Models = Till;
    type Rejection = FillRejected;
    fn keys(&self) -> TillId {
        self.till
    }
    fn decide(&self, till: &Till, _: &Context) -> Decision<Self> {
        if self.cents == 0 {
            return nothing();
        }
        assert!(self.cents != 13, "thirteen breaks the till");
        ensure!(till.0.is_some(), FillRejected::NoTill);
        emit(TillEvent::Filled { till: self.till, cents: self.cents })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cents {
    cents: u64,
}

async fn open(State(app): State<App>, incoming: Incoming) -> Result<Response, Problem> {
    let till: TillId = incoming.fresh_id();
    incoming.submit(&app, Open { till }).minted("till", till).created_at(format!("/tills/{till}")).await
}

async fn fill(
    State(app): State<App>,
    PathId(till): PathId<TillId>,
    incoming: Incoming,
    Body(Cents { cents }): Body<Cents>,
) -> Result<Response, Problem> {
    incoming.submit(&app, Fill { till, cents }).minted("till", till).await
}

async fn fill_now(
    State(app): State<App>,
    PathId(till): PathId<TillId>,
    incoming: Incoming,
    Body(Cents { cents }): Body<Cents>,
) -> Result<Response, Problem> {
    incoming.execute(&app, Fill { till, cents }).minted("till", till).await
}

async fn read(
    State(app): State<App>,
    PathId(till): PathId<TillId>,
    since: Since,
    unless: IfNoneMatch,
) -> Result<Response, Problem> {
    let fresh = since.live(&app)?;
    let At { state: Till(cents), revision, token, .. } = app.view::<Till>(till).await?;
    Ok(fresh.answer(&token, unless.answer(revision, Json(json!({"cents": cents})))))
}

fn service(app: App) -> Service {
    let routes = Routes::new()
        .command::<Open>("/tills", post(open))
        .command::<Fill>("/tills/{id}", put(fill))
        .command::<Fill>("/tills/{id}/now", put(fill_now))
        .query("tills.read", "/tills/{id}", get(read))
        .with_state(app.clone());
    Service { name: "tills", about: "tills", app, routes, permissions: Permissions::new(), hints: &[] }
}

fn asked<T: Send + 'static>(ask: impl FnOnce(&Client) -> T + Send + 'static) -> T {
    let app = App::in_memory().commands::<(Open, Fill)>().start();
    served(vec![service(app)], Metrics::default(), ask)
}

const WAIT: (&str, &str) = ("Prefer", "wait=30");

/// Opens a till, and waits until it is open.
fn opened(client: &Client) -> String {
    let answer = client.send("POST", "/tills", &[WAIT], "");
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["till"].as_str().unwrap().to_owned()
}

#[test]
fn who_does_not_wait_is_told_that_it_is_accepted_and_where_to_ask() {
    asked(|client| {
        let answer = client.send("POST", "/tills", &[], "");
        let body = answer.json();
        assert_eq!((answer.status, body.as_object().unwrap().len()), (202, 2), "{body}");
        let place = format!("/commands/{}", body["command_id"].as_str().unwrap());
        assert_eq!(answer.header("location"), place);
        assert_eq!(client.get(&place).status, 200);
        assert_eq!(answer.header("preference-applied"), "");
    });
}

#[test]
fn who_waits_is_told_the_outcome_with_the_fields_of_the_202() {
    asked(|client| {
        let answer = client.send("POST", "/tills", &[WAIT], "");
        let body = answer.json();
        let till = body["till"].as_str().unwrap();
        assert_eq!((answer.status, answer.header("location")), (201, format!("/tills/{till}")));
        assert_eq!(answer.header("preference-applied"), "wait=30");
        let id = body["command_id"].as_str().unwrap();
        let mut status = client.get(&format!("/commands/{id}")).json();
        status["till"] = till.into();
        assert_eq!(body, status);
        assert_eq!((&body["status"], &body["service"]), (&json!("succeeded"), &json!("tills")));
        let filled = client.send("PUT", &format!("/tills/{till}"), &[WAIT], r#"{"cents": 5}"#);
        assert_eq!((filled.status, &filled.json()["status"]), (200, &json!("succeeded")));
        let place = format!("/commands/{}", filled.json()["command_id"].as_str().unwrap());
        assert_eq!(filled.header("location"), place);
    });
}

#[test]
fn a_rejection_that_was_waited_for_has_its_own_status_and_the_ids() {
    asked(|client| {
        let unknown = "/tills/00000000-0000-0000-0000-000000000007";
        let answer = client.send("PUT", unknown, &[WAIT], r#"{"cents": 5}"#);
        let body = answer.json();
        assert_eq!((answer.status, &*answer.content_type), (404, "application/problem+json"));
        assert_eq!((&body["code"], &body["status"]), (&json!("no-till"), &json!(404)));
        assert_eq!(body["rejection"], json!({"code": "no-till", "reason": "there is no such till"}));
        assert_eq!(body["till"], "00000000-0000-0000-0000-000000000007");
        assert_eq!(answer.header("location"), format!("/commands/{}", body["command_id"].as_str().unwrap()));
        assert_eq!(client.send("PUT", unknown, &[], r#"{"cents": 5}"#).status, 202, "who does not wait");
    });
}

#[test]
fn a_parked_command_is_accepted_and_no_more() {
    asked(|client| {
        let till = opened(client);
        let answer = client.send("PUT", &format!("/tills/{till}"), &[WAIT], r#"{"cents": 13}"#);
        let body = answer.json();
        assert_eq!((answer.status, body.as_object().unwrap().len()), (202, 2), "{body}");
        let status = client.get(&answer.header("location")).json();
        assert_eq!(status["status"], "parked");
        assert!(status["cause"].as_str().unwrap().contains("thirteen breaks the till"), "{status}");
    });
}

#[test]
fn who_waited_in_vain_is_told_what_who_does_not_wait_is_told() {
    let never = Intercepted::new(Arc::new(MemoryStore::new()), |_, _| Box::pin(std::future::pending()));
    let app =
        App::on(Arc::new(never)).command_log(Arc::new(MemoryStore::new())).commands::<(Open, Fill)>().start();
    served(vec![service(app)], Metrics::default(), |client| {
        let key = ("Idempotency-Key", "k");
        let waited = client.send("POST", "/tills", &[("Prefer", "wait=1"), key], "");
        let not_waited = client.send("POST", "/tills", &[key], "");
        assert_eq!((waited.status, waited.json()), (202, not_waited.json()));
    });
}

#[test]
fn a_repeat_is_answered_as_the_first_whatever_became_of_it_and_whether_it_waits_or_not() {
    asked(|client| {
        let key = ("Idempotency-Key", "k");
        let first = client.send("POST", "/tills", &[key], "");
        let waited = client.send("POST", "/tills", &[key, WAIT], "");
        assert_eq!((waited.status, &waited.json()["till"]), (201, &first.json()["till"]));
        let again = client.send("POST", "/tills", &[key], "");
        assert_eq!((again.status, again.json()), (202, first.json()));
        assert_eq!(client.send("POST", "/tills", &[key, WAIT], "").json(), waited.json());
        let till = first.json()["till"].as_str().unwrap().to_owned();
        let fill = |cents: &str| client.send("PUT", &format!("/tills/{till}"), &[key], cents);
        assert_eq!(fill(r#"{"cents": 5}"#).status, 202, "another path is another request");
        let other = fill(r#"{"cents": 6}"#);
        assert_eq!((other.status, &other.json()["type"]), (422, &json!("urn:factum:problem:key-reused")));
    });
}

#[test]
fn repeats_at_the_same_time_are_one_command() {
    asked(|client| {
        let till = opened(client);
        let path = format!("/tills/{till}");
        let send = || client.send("PUT", &path, &[("Idempotency-Key", "k"), WAIT], r#"{"cents": 5}"#).json();
        let all: Vec<Value> = std::thread::scope(|scope| {
            let sent: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert!(all.iter().all(|answer| *answer == all[0]), "{all:?}");
        assert_eq!(client.get(&path).json(), json!({"cents": 5}));
    });
}

#[test]
fn a_change_guarded_by_if_match_is_refused_once_the_till_has_moved_on() {
    asked(|client| {
        let till = opened(client);
        let path = format!("/tills/{till}");
        let tag = client.get(&path).header("etag");
        assert_eq!(tag, r#""0""#);
        let guard = ("If-Match", &*tag);
        assert_eq!(client.send("PUT", &path, &[guard, WAIT], r#"{"cents": 5}"#).status, 200);
        for headers in [&[guard][..], &[guard, WAIT]] {
            let late = client.send("PUT", &path, headers, r#"{"cents": 7}"#);
            assert_eq!(
                (late.status, &late.json()["type"]),
                (412, &json!("urn:factum:problem:stale-revision"))
            );
        }
        assert_eq!(client.send("PUT", &format!("{path}/now"), &[guard], r#"{"cents": 7}"#).status, 412);
        assert_eq!(client.send("PUT", &path, &[("If-Match", "*"), WAIT], r#"{"cents": 1}"#).status, 200);
        assert_eq!(client.send("PUT", &path, &[WAIT], r#"{"cents": 1}"#).status, 200);
        assert_eq!(client.get(&path).json(), json!({"cents": 7}));
        let malformed = client.send("PUT", &path, &[("If-Match", "0")], r#"{"cents": 1}"#);
        assert_eq!((malformed.status, &malformed.json()["fields"][0]["field"]), (400, &json!("If-Match")));
    });
}

#[test]
fn what_a_reader_has_is_not_sent_again_until_it_changes() {
    asked(|client| {
        let path = format!("/tills/{}", opened(client));
        let tag = client.get(&path).header("etag");
        let same = client.send("GET", &path, &[("If-None-Match", &tag)], "");
        assert_eq!((same.status, &*same.text, same.header("etag")), (304, "", tag.clone()));
        client.send("PUT", &path, &[WAIT], r#"{"cents": 5}"#);
        let changed = client.send("GET", &path, &[("If-None-Match", &tag)], "");
        assert_eq!(
            (changed.status, changed.json(), changed.header("etag")),
            (200, json!({"cents": 5}), r#""1""#.into())
        );
    });
}

#[test]
fn one_that_is_decided_at_once_is_answered_with_its_outcome_and_never_202() {
    asked(|client| {
        let till = opened(client);
        let path = format!("/tills/{till}/now");
        let filled = client.send("PUT", &path, &[], r#"{"cents": 5}"#);
        assert_eq!((filled.status, &filled.json()["status"]), (200, &json!("succeeded")));
        assert_eq!(filled.json()["till"], till);
        let nobody =
            client.send("PUT", "/tills/00000000-0000-0000-0000-000000000007/now", &[], r#"{"cents": 5}"#);
        assert_eq!((nobody.status, &nobody.json()["code"]), (404, &json!("no-till")));
        let key = [("Idempotency-Key", "k")];
        let first = client.send("PUT", &path, &key, r#"{"cents": 5}"#);
        assert_eq!(client.send("PUT", &path, &key, r#"{"cents": 5}"#).json(), first.json());
        assert_eq!(client.get(&format!("/tills/{till}")).json(), json!({"cents": 10}));
    });
}

#[test]
fn any_command_is_sent_by_its_name() {
    asked(|client| {
        let send = |body: Value| client.send("POST", "/commands", &[WAIT], &body.to_string());
        let till = "00000000-0000-0000-0000-000000000007";
        let opened = send(json!({"action": "tills.open", "data": {"till": till}}));
        assert_eq!((opened.status, &opened.json()["service"]), (201, &json!("tills")));
        let filled = send(json!({"action": "tills.fill", "data": {"till": till, "cents": 5}}));
        assert_eq!((filled.status, &filled.json()["action"]), (200, &json!("tills.fill")));
        assert_eq!(client.get(&format!("/tills/{till}")).json(), json!({"cents": 5}));
        for (body, field) in [
            (json!({"action": "tills.rob", "data": {}}), "action"),
            (json!({"data": {}}), "action"),
            (json!({"action": "tills.fill"}), "data"),
            (json!({"action": "tills.fill", "data": {"till": till}}), "data.cents"),
            (json!({"action": "tills.fill", "data": []}), "data"),
            (json!({"action": "tills.open", "data": {"till": till}, "id": 7}), "id"),
        ] {
            let refused = send(body.clone());
            assert_eq!(
                (refused.status, &refused.json()["fields"][0]["field"]),
                (400, &json!(field)),
                "{body}"
            );
        }
    });
}

#[test]
fn the_page_of_another_site_may_not_act_for_whoever_has_it_open() {
    asked(|client| {
        for foreign in
            [("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
        {
            let refused = client.send("POST", "/tills", &[foreign], "");
            assert_eq!(
                (refused.status, &refused.json()["type"]),
                (421, &json!("urn:factum:problem:host")),
                "{foreign:?}"
            );
            assert_eq!(client.send("GET", "/", &[foreign], "").status, 200, "to look changes nothing");
        }
        for own in [
            ("Origin", "http://localhost:3030"),
            ("Origin", "http://127.0.0.1:1"),
            ("Sec-Fetch-Site", "same-origin"),
        ] {
            assert_eq!(client.send("POST", "/tills", &[own], "").status, 202, "{own:?}");
        }
        let listed = client.get("/commands").json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 3, "nothing of the others was stored");
    });
}

#[test]
fn who_waits_while_the_server_stops_is_told_that_it_is_accepted() {
    let never = Intercepted::new(Arc::new(MemoryStore::new()), |_, _| Box::pin(std::future::pending()));
    let commands = Arc::new(MemoryStore::new());
    let app = App::on(Arc::new(never)).command_log(commands).commands::<(Open, Fill)>().start();
    let waiting = served(vec![service(app)], Metrics::default(), |client| {
        let sender = client.clone();
        let waiting = std::thread::spawn(move || sender.send("POST", "/tills", &[WAIT], ""));
        while client.get("/commands").json()["items"].as_array().unwrap().is_empty() {
            std::thread::yield_now();
        }
        waiting
    });
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, answer.json().as_object().unwrap().len()), (202, 2), "{answer:?}");
}

/// The header that says where an answer holds.
const POSITION: &str = "factum-position";

#[test]
fn every_outcome_says_where_it_stands_and_says_the_same_when_it_is_asked_for_again() {
    asked(|client| {
        let till = opened(client);
        let nobody = "00000000-0000-0000-0000-000000000007";
        // Each way to be decided, with the position that it takes: the rest is behind the head it was decided on.
        let mut told = Vec::new();
        for (at, (key, path, cents, status, last)) in [
            ("success", format!("/tills/{till}"), 5, 200, "2"),
            ("nothing", format!("/tills/{till}"), 0, 200, "2"),
            ("rejection", format!("/tills/{nobody}"), 5, 404, "2"),
            ("direct success", format!("/tills/{till}/now"), 5, 200, "3"),
            ("direct nothing", format!("/tills/{till}/now"), 0, 200, "3"),
            ("direct rejection", format!("/tills/{nobody}/now"), 5, 404, "3"),
        ]
        .into_iter()
        .enumerate()
        {
            let key = key.replace(' ', "-");
            let send = move |client: &Client| {
                let body = format!(r#"{{"cents": {cents}}}"#);
                client.send("PUT", &path, &[WAIT, ("Idempotency-Key", &*key)], &body)
            };
            let answer = send(client);
            let position = answer.header(POSITION);
            assert_eq!(
                (answer.status, position.ends_with(&format!(".{last}"))),
                (status, true),
                "{answer:?}"
            );
            let id = answer.json()["command_id"].as_str().unwrap().to_owned();
            assert_eq!(client.get(&format!("/commands/{id}")).header(POSITION), position, "{at}");
            told.push((send, position));
        }
        let head = client.send("PUT", &format!("/tills/{till}"), &[WAIT], r#"{"cents": 1}"#).header(POSITION);
        for (send, position) in told {
            assert_eq!(send(client).header(POSITION), position);
            assert_ne!(position, head, "the log has moved on");
        }
    });
}

#[test]
fn what_is_not_decided_has_no_position() {
    asked(|client| {
        let till = opened(client);
        let path = format!("/tills/{till}");
        let accepted = client.send("PUT", &path, &[], r#"{"cents": 5}"#);
        assert_eq!((accepted.status, accepted.header(POSITION)), (202, String::new()));
        let parked = client.send("PUT", &path, &[WAIT], r#"{"cents": 13}"#);
        assert_eq!((parked.status, parked.header(POSITION)), (202, String::new()));
        let status = client.get(&parked.header("location"));
        assert_eq!(
            (status.json()["status"].as_str(), status.header(POSITION)),
            (Some("parked"), String::new())
        );
        let stale = client.send("PUT", &format!("{path}/now"), &[("If-Match", "\"9\"")], r#"{"cents": 5}"#);
        assert_eq!((stale.status, stale.header(POSITION)), (412, String::new()));
    });
}

#[test]
fn a_read_says_where_it_holds_and_takes_the_position_of_an_answer() {
    asked(|client| {
        let path = format!("/tills/{}", opened(client));
        let before = client.get(&path).header(POSITION);
        let filled = client.send("PUT", &path, &[WAIT], r#"{"cents": 5}"#).header(POSITION);
        let read = |position: &str| client.send("GET", &path, &[(POSITION, position)], "");
        for seen in [&before, &filled] {
            let answer = read(seen);
            assert_eq!(
                (answer.status, answer.header(POSITION), answer.header("factum-stale")),
                (200, filled.clone(), String::new())
            );
        }
        let tag = client.get(&path).header("etag");
        let same = client.send("GET", &path, &[("If-None-Match", &tag)], "");
        assert_eq!((same.status, same.header(POSITION)), (304, filled.clone()));
        let (log, generation) = (&filled[..32], filled.split('.').nth(1).unwrap());
        let beyond = read(&format!("{log}.{generation}.ffff"));
        assert_eq!((beyond.status, &*beyond.header("factum-stale")), (200, "true"), "it was never told that");
        for none in ["", "7", "x y", &format!("{filled}x"), &format!("{log}.ff.1"), &format!("{filled}.1")] {
            let refused = read(none);
            let field = refused.json()["fields"][0]["field"].clone();
            assert_eq!((refused.status, field), (400, json!("Factum-Position")), "{none}");
        }
        let other = read(&format!("{}.1.1", "0".repeat(32)));
        assert!(other.status == 400 && other.text.contains("of another log"), "{other:?}");
        let twice = client.send("GET", &path, &[(POSITION, &*filled), (POSITION, &*filled)], "");
        assert!(twice.status == 400 && twice.text.contains("more than once"), "{twice:?}");
    });
}
