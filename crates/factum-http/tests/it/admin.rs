//! What administrators see of projections and logs, and do about them.

use crate::{
    boxes::{self, BROKEN},
    notes::{self, Client},
    served::{Answer, Served},
};
use factum::{App, Position, block_on};
use factum_http::{Limits, Metrics};
use factum_testkit::told_during;
use serde_json::{Value, json};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

fn serving() -> Served {
    Served::serving(crate::served::tokens(), Limits::default(), boxes::started(), boxes::service)
}

fn put(served: &Served, at: u64, grams: u64) -> Position {
    block_on(async {
        let put = boxes::Put { box_id: boxes::BoxId(at), grams };
        let position = served.app.execute(put).await.unwrap().position();
        assert!(served.app.projections().reached("weight", position, LONG).await.unwrap());
        position
    })
}

fn post(served: &Served, actor: &str, path: &str, body: &str) -> Answer {
    let token = format!("Bearer t-{actor}");
    match body {
        "" => served.bare_post(path, &[("Authorization", &token)]),
        body => served.send(path, &[("Authorization", &token)], body),
    }
}

const WEIGHT: &str = "/admin/projections/boxes/weight";

/// How it stands once `is` so.
fn stands(served: &Served, is: impl Fn(&Value) -> bool) -> Value {
    loop {
        let answer = served.get_as("root", WEIGHT);
        assert_eq!(answer.status, 200, "{answer:?}");
        if is(&answer.body) {
            return answer.body;
        }
        std::thread::yield_now();
    }
}

fn weight(served: &Served, at: u64) -> Answer {
    served.get_as("root", &format!("/boxes/{at}"))
}

#[test]
fn projections_are_listed_with_how_they_stand() {
    let served = serving();
    put(&served, 100, 5);
    block_on(served.app.projections().caught_up("total", LONG)).unwrap();
    let mut listed = served.get_as("root", "/admin/projections");
    let expected = |name: &str, version: u32| {
        json!({
            "service": "boxes", "name": name, "version": version, "position": 1, "head": 1, "lag_events": 0,
            "lag_seconds": 0.0, "status": "caught-up", "caught_up": true, "stalled": false, "mode": "async",
            "build": {"version": version, "number": 1}, "parked": 0, "waiting": 0, "building": null,
            "previous": null, "discarded": [],
        })
    };
    let one = served.get_as("root", WEIGHT).body;
    assert_eq!(one, expected("weight", 1));
    assert_eq!((listed.status, listed.body.take()), (200, json!([expected("total", 3), one])));
    for (path, field) in [
        ("/admin/projections/boxes/nothing", "name"),
        ("/admin/projections/crates/weight", "service"),
        ("/admin/projections/boxes/nothing/parked", "name"),
    ] {
        let missing = served.get_as("root", path);
        assert!(missing.is(404, "not-found"), "{path}: {missing:?}");
        assert_eq!(missing.body["fields"][0]["field"], field, "{path}");
    }
}

#[test]
fn a_projection_is_paused_resumed_disabled_and_enabled() {
    let served = serving();
    put(&served, 101, 5);
    let act = |verb: &str| post(&served, "root", &format!("{WEIGHT}/{verb}"), "");
    let paused = act("pause");
    assert_eq!((paused.status, &paused.body["status"]), (200, &json!("paused")), "{paused:?}");
    let put = boxes::Put { box_id: boxes::BoxId(101), grams: 6 };
    block_on(async { drop(served.app.execute(put).await.unwrap()) });
    assert_eq!(weight(&served, 101).body, json!({"grams": 5}));
    let behind = served.get_as("root", WEIGHT).body;
    assert_eq!(
        (&behind["position"], &behind["head"], &behind["lag_events"]),
        (&json!(1), &json!(2), &json!(1))
    );
    assert_eq!(act("resume").status, 200);
    stands(&served, |status| status["caught_up"] == true);
    assert_eq!(weight(&served, 101).body, json!({"grams": 11}));
    let disabled = act("disable");
    assert_eq!((disabled.status, &disabled.body["status"]), (200, &json!("disabled")));
    assert!(weight(&served, 101).is(503, "unavailable"));
    assert!(act("rebuild").is(409, "state"), "it is disabled");
    assert_eq!(act("enable").status, 200);
    stands(&served, |status| status["caught_up"] == true);
    assert_eq!(weight(&served, 101).body, json!({"grams": 11}));
}

#[test]
fn a_projection_is_made_anew_beside_and_goes_back() {
    let served = serving();
    put(&served, 102, 5);
    let act = |verb: &str, body: &str| post(&served, "root", &format!("{WEIGHT}/{verb}"), body);
    let none = act("cancel", "");
    assert!(none.is(409, "state") && none.body["detail"].as_str().unwrap().contains("weight"), "{none:?}");
    assert!(act("rollback", "").is(409, "state"), "there is none to go back to");
    let begun = act("rebuild", "");
    assert_eq!((begun.status, &begun.body["name"]), (202, &json!("weight")), "{begun:?}");
    let anew = stands(&served, |status| status["build"]["number"] == 2 && status["building"].is_null());
    assert_eq!(anew["previous"], json!({"version": 1, "number": 1}));
    assert_eq!(weight(&served, 102).body, json!({"grams": 5}));
    assert_eq!(act("rollback", "").status, 202);
    stands(&served, |status| status["build"]["number"] == 1 && status["building"].is_null());
    assert_eq!(act("reset", "").status, 202);
    stands(&served, |status| status["build"]["number"] != 1 && status["caught_up"] == true);
    assert_eq!(weight(&served, 102).body, json!({"grams": 5}));
}

#[test]
fn one_key_or_several_projections_are_made_anew() {
    let served = serving();
    put(&served, 103, 5);
    put(&served, 103, 6);
    put(&served, 104, 7);
    let one = post(&served, "root", &format!("{WEIGHT}/rebuild"), r#"{"key": "103"}"#);
    assert_eq!(
        (one.status, one.body),
        (200, json!({"service": "boxes", "name": "weight", "key": "103", "events": 2}))
    );
    assert_eq!(weight(&served, 103).body, json!({"grams": 11}));
    let wrong = post(&served, "root", &format!("{WEIGHT}/rebuild"), r#"{"kee": "103"}"#);
    assert!(wrong.is(400, "shape") && wrong.body["fields"][0]["field"] == "kee", "{wrong:?}");
    let several = "/admin/projections/boxes/rebuild";
    let unknown = post(&served, "root", several, r#"{"names": ["weight", "nothing"]}"#);
    assert!(unknown.is(400, "shape") && unknown.body["fields"][0]["field"] == "names", "{unknown:?}");
    assert_eq!(served.get_as("root", WEIGHT).body["build"]["number"], 1, "nothing was begun");
    let named = post(&served, "root", several, r#"{"names": ["weight"]}"#);
    let names = |answer: &Answer| {
        assert_eq!(answer.status, 202, "{answer:?}");
        let all = answer.body.as_array().unwrap().iter();
        all.map(|status| status["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&named), ["weight"]);
    stands(&served, |status| status["build"]["number"] == 2 && status["building"].is_null());
    assert_eq!(names(&post(&served, "root", several, "")), ["total", "weight"]);
    stands(&served, |status| status["build"]["number"] == 3 && status["building"].is_null());
}

#[test]
fn parked_events_are_listed_page_by_page_driven_again_and_given_up() {
    let served = serving();
    for at in [105, 106, 107] {
        BROKEN.lock().unwrap().insert(at);
        put(&served, at, 13);
    }
    let last = put(&served, 105, 1);
    let parked = format!("{WEIGHT}/parked");
    let page = served.get_as("root", &format!("{parked}?limit=2"));
    let items = page.body.as_array().unwrap();
    assert_eq!(items.len(), 2, "{page:?}");
    let first = &items[0];
    let key = first["key"].as_str().unwrap().to_owned();
    assert_eq!(
        (&first["position"], &first["type"], &first["waiting"]),
        (&json!(1), &json!("boxes.put"), &json!(1))
    );
    assert!(
        first["cause"].as_str().unwrap().contains("the scales broke") && first["attempts"].as_u64() > Some(0)
    );
    let link = page.header("link").unwrap();
    let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let rest = served.get_as("root", next);
    assert_eq!((rest.body.as_array().unwrap().len(), rest.header("link")), (1, None), "{rest:?}");
    assert!(served.get_as("root", &format!("{parked}?cursor=x")).is(400, "shape"));
    assert!(served.get_as("root", &format!("{parked}?status=x")).is(400, "shape"));

    let redrive = |position: u64, body: &Value| {
        post(&served, "root", &format!("{parked}/{position}/redrive"), &body.to_string())
    };
    let under = json!({"key": key});
    assert!(redrive(1, &under).is(409, "state"), "it still fails");
    assert!(redrive(7, &under).is(409, "not-parked"));
    let malformed = post(&served, "root", &format!("{parked}/01/redrive"), &under.to_string());
    assert!(malformed.is(400, "shape") && malformed.body["fields"][0]["field"] == "position");
    BROKEN.lock().unwrap().remove(&105);
    let done = redrive(1, &under);
    let told = json!({"service": "boxes", "name": "weight", "position": 1, "key": key, "applied": 2});
    assert_eq!((done.status, done.body), (200, told));
    assert_eq!((weight(&served, 105).body, last.get()), (json!({"grams": 14}), 4));

    let second = &items[1];
    let why = |cause: &str| json!({"key": second["key"], "cause": cause});
    let discard = |body: &Value| post(&served, "root", &format!("{parked}/2/discard"), &body.to_string());
    let empty = discard(&why(" "));
    assert!(empty.is(400, "shape") && empty.body["fields"][0]["field"] == "cause", "{empty:?}");
    let given_up = discard(&why("it was never there"));
    assert_eq!((given_up.status, &given_up.body["applied"]), (200, &json!(0)), "{given_up:?}");
    assert!(discard(&why("again")).is(409, "not-parked"));
    let status = served.get_as("root", WEIGHT).body;
    let discarded = &status["discarded"][0];
    assert_eq!((&discarded["actor"], &discarded["cause"]), (&json!("root"), &json!("it was never there")));
    assert_eq!(status["parked"], 1, "the third is there");
}

#[test]
fn only_administrators_look_and_act_and_what_is_denied_is_kept() {
    let served = serving();
    put(&served, 108, 5);
    let looks =
        ["/admin/projections", WEIGHT, &format!("{WEIGHT}/parked"), "/admin/commands/parked", "/admin/log"];
    let verbs = ["pause", "resume", "rebuild", "cancel", "reset", "rollback", "enable", "disable"];
    let mut acts: Vec<_> = verbs.iter().map(|verb| format!("{WEIGHT}/{verb}")).collect();
    acts.extend(["redrive", "discard"].map(|act| format!("{WEIGHT}/parked/1/{act}")));
    acts.push("/admin/projections/boxes/rebuild".to_owned());
    let command = "00000000-0000-0000-0000-000000000007";
    acts.extend(["redrive", "discard"].map(|act| format!("/admin/commands/{command}/{act}")));
    for actor in ["olga", "ann", "rita"] {
        for path in looks {
            assert!(served.get_as(actor, path).is(403, "denied"), "{actor} {path}");
        }
        for path in &acts {
            assert!(post(&served, actor, path, "{}").is(403, "denied"), "{actor} {path}");
        }
    }
    let kept = served.kept.all();
    assert_eq!(kept.len(), 3 * (looks.len() + acts.len()));
    let names: std::collections::BTreeSet<_> = kept.iter().map(|denial| &*denial.action).collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [
            "factum.cancel-projection-build",
            "factum.disable-projection",
            "factum.discard-command",
            "factum.discard-event",
            "factum.enable-projection",
            "factum.list-parked-commands",
            "factum.list-parked-events",
            "factum.list-projections",
            "factum.pause-projection",
            "factum.read-log",
            "factum.read-projection",
            "factum.rebuild-projection",
            "factum.redrive-command",
            "factum.redrive-event",
            "factum.reset-projection",
            "factum.resume-projection",
            "factum.roll-back-projection",
        ]
    );
    let status = served.get_as("root", WEIGHT).body;
    assert_eq!(
        (&status["status"], &status["build"]["number"]),
        (&json!("caught-up"), &json!(1)),
        "nothing was done"
    );
}

#[test]
fn the_logs_are_measured() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::embedded(directory.path()).start().unwrap();
    let events = directory.path().join("events");
    let (answers, bytes) =
        notes::served(vec![notes::service(app)], Metrics::default(), move |client: &Client| {
            client.write(3, &[]);
            let answers = [client.get("/admin/log"), client.get("/admin/commands/parked")];
            // While it is open, for a log that is closed gives back the room ahead of it.
            let files = std::fs::read_dir(&events).unwrap().map(Result::unwrap);
            let segments = files.filter(|file| file.path().extension().is_some_and(|it| it == "seg"));
            (answers, segments.map(|file| file.metadata().unwrap().len()).sum::<u64>())
        });
    let logs = answers[0].json();
    let expected = json!([{
        "service": "notes", "events": {"position": 1, "sequence": 1, "bytes": bytes}, "commands": null,
    }]);
    assert_eq!((logs, bytes > 0), (expected, true));
    assert_eq!(answers[1].json(), json!({"parked": []}));
    let served = Served::with_tokens();
    let logs = served.get_as("root", "/admin/log").body;
    assert_eq!(
        (&logs[0]["events"]["bytes"], &logs[0]["commands"]["position"].is_u64()),
        (&Value::Null, &true)
    );
}

#[test]
fn every_act_is_told_to_the_audit_with_who_did_it_and_what_was_refused_is_not() {
    let app = boxes::started();
    BROKEN.lock().unwrap().insert(109);
    block_on(async {
        let put = boxes::Put { box_id: boxes::BoxId(109), grams: 13 };
        let position = app.execute(put).await.unwrap().position();
        assert!(app.projections().reached("weight", position, LONG).await.unwrap());
    });
    let told = told_during(|| {
        notes::served(vec![boxes::service(app)], Metrics::default(), |client| {
            let post =
                |act: &str, body: &str| client.send("POST", &format!("{WEIGHT}/{act}"), &[], body).status;
            assert_eq!(post("pause", ""), 200);
            assert_eq!(post("cancel", ""), 409);
            assert_eq!(post("resume", ""), 200);
            let parked = client.get(&format!("{WEIGHT}/parked")).json();
            let why = json!({"key": parked[0]["key"], "cause": "broken"});
            assert_eq!(post("parked/1/discard", &why.to_string()), 200);
            assert_eq!(post("rebuild", r#"{"key": "110"}"#), 200);
        });
    });
    let acts = told.iter().filter(|told| told.fields["message"] == "acted on a projection");
    let acts: Vec<_> = acts
        .map(|told| {
            let field = |name: &str| &*told.fields[name];
            assert_eq!((field("actor"), field("service"), field("projection")), ("demo", "boxes", "weight"));
            field("act").to_owned()
        })
        .collect();
    assert_eq!(acts[0], "pause");
    assert_eq!(acts[1], "resume");
    assert!(acts[2].starts_with("gave 1 under `") && acts[2].ends_with("up: broken"), "{acts:?}");
    assert_eq!(acts[3..], ["rebuild of a key"]);
}
