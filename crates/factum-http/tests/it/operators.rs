//! What operators do about parked commands, over HTTP.

use crate::{
    memos::{FileMemo, JAMMED, MemoId},
    served::{Answer, Served},
};
use factum::{App, CommandId, Status, Uuid, block_on};
use serde_json::{Value, json};

struct Parked {
    served: Served,
    drawer: MemoId,
    ids: Vec<CommandId>,
}

/// A parked command of ann's and two that wait behind it. Each drawer jams for itself.
fn parked(drawer: u128) -> Parked {
    let served = Served::with_tokens();
    let drawer = MemoId(Uuid::from_u128(drawer));
    JAMMED.lock().unwrap().insert(drawer.0);
    let ids = (0..3).map(|_| submit(&served.app, drawer)).collect::<Vec<_>>();
    block_on(async {
        let stuck = served.app.lanes().unwrap().outcome(ids[0]).await.unwrap();
        assert_eq!(stuck.status, Status::Parked);
    });
    Parked { served, drawer, ids }
}

fn submit(app: &App, drawer: MemoId) -> CommandId {
    block_on(async { app.submit(FileMemo(drawer)).actor("ann").await.unwrap().command_id() })
}

fn status(served: &Served, id: CommandId) -> (Status, Option<String>) {
    let status = block_on(served.app.status(id)).unwrap().unwrap();
    (status.status, status.cause)
}

/// What became of them, once their final outcome is there.
fn finals(served: &Served, ids: &[CommandId]) -> Vec<Status> {
    let lanes = served.app.lanes().unwrap();
    let of = |id: &CommandId| {
        block_on(async {
            let mut watch = lanes.watch(*id);
            let mut last = Status::Accepted;
            while let Some(status) = watch.next().await.unwrap() {
                last = status.status;
            }
            last
        })
    };
    ids.iter().map(of).collect()
}

fn post(served: &Served, actor: &str, path: &str, body: &str) -> Answer {
    served.send(path, &[("Authorization", &format!("Bearer t-{actor}"))], body)
}

fn texts(ids: &[CommandId]) -> Vec<String> {
    ids.iter().map(CommandId::to_string).collect()
}

#[test]
fn parked_commands_are_listed_with_why_and_with_what_waits() {
    let Parked { served, drawer, ids } = parked(1);
    for actor in ["olga", "root"] {
        let answer = served.get_as(actor, "/commands/parked");
        let expected = json!({"parked": [{
            "command_id": ids[0].to_string(),
            "service": "memos",
            "action": "memos.file-memo",
            "key": format!("memo-{}", drawer.0),
            "cause": "the decision panicked: the drawer is jammed",
            "waiting": texts(&ids[1..]),
            "more": false,
        }]});
        assert_eq!((answer.status, answer.body), (200, expected), "{actor}");
    }
}

#[test]
fn a_redriven_command_is_decided_with_what_waited_and_it_is_recorded_who_did_it() {
    let Parked { served, drawer, ids } = parked(2);
    JAMMED.lock().unwrap().remove(&drawer.0);
    let path = format!("/commands/{}/redrive", ids[0]);
    let answer = post(&served, "olga", &path, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.body["released"], &answer.body["more"]), (&json!(texts(&ids)), &json!(false)));
    assert_eq!(
        (&answer.body["command_id"], &answer.body["service"]),
        (&json!(ids[0].to_string()), &json!("memos"))
    );
    assert_eq!(finals(&served, &ids), [Status::Succeeded; 3]);
    assert_eq!(served.get_as("olga", "/commands/parked").body, json!({"parked": []}));
    assert_eq!(acts(&served), [("factum.command-redriven".to_owned(), "olga".to_owned())]);
    let again = post(&served, "olga", &path, "");
    assert!(again.is(409, "not-parked"), "{again:?}");
}

#[test]
fn a_discarded_command_fails_with_its_cause_and_what_waited_goes_on() {
    let Parked { served, drawer, ids } = parked(3);
    let path = format!("/commands/{}/discard", ids[0]);
    let long = format!(r#"{{"cause": "{}"}}"#, "x".repeat(8 * 1024 + 1));
    for body in ["", "{}", r#"{"cause": " "}"#, r#"{"cause": 7}"#, r#"{"cause": "a", "by": "me"}"#, &*long] {
        let refused = post(&served, "olga", &path, body);
        assert!(refused.is(400, "shape"), "{body}: {refused:?}");
    }
    assert_eq!(post(&served, "olga", &path, "{}").body["fields"][0]["field"], "cause");
    assert_eq!(acts(&served), [], "nothing was done");
    JAMMED.lock().unwrap().remove(&drawer.0);
    let answer = post(&served, "root", &path, r#"{"cause": "the drawer is gone"}"#);
    assert_eq!((answer.status, &answer.body["released"]), (200, &json!(texts(&ids[1..]))), "{answer:?}");
    assert_eq!(finals(&served, &ids), [Status::Failed, Status::Succeeded, Status::Succeeded]);
    assert_eq!(status(&served, ids[0]).1.as_deref(), Some("the drawer is gone"));
    assert_eq!(acts(&served), [("factum.command-discarded".to_owned(), "root".to_owned())]);
}

#[test]
fn only_operators_look_and_act_and_what_is_denied_is_kept() {
    let Parked { served, ids, .. } = parked(4);
    let (redrive, discard) =
        (format!("/commands/{}/redrive", ids[0]), format!("/commands/{}/discard", ids[0]));
    for actor in ["ann", "rita", "otto"] {
        assert!(served.get_as(actor, "/commands/parked").is(403, "denied"), "{actor}");
        assert!(post(&served, actor, &redrive, "").is(403, "denied"), "{actor}");
        assert!(post(&served, actor, &discard, r#"{"cause": "mine"}"#).is(403, "denied"), "{actor}");
    }
    let kept = served.kept.all();
    let told: Vec<_> =
        kept[..3].iter().map(|denial| [&*denial.actor, &*denial.action, &*denial.path]).collect();
    assert_eq!(
        told,
        [
            ["ann", "factum.list-parked-commands", "/commands/parked"],
            ["ann", "factum.redrive-command", &*redrive],
            ["ann", "factum.discard-command", &*discard],
        ]
    );
    assert_eq!(kept.len(), 9);
    assert_eq!((status(&served, ids[0]).0, acts(&served)), (Status::Parked, Vec::new()));
}

#[test]
fn what_is_not_parked_cannot_be_acted_on() {
    let Parked { served, ids, .. } = parked(5);
    let never = CommandId::new(Uuid::from_u128(1));
    let done = served.post_as("ann", "/memos").body["command_id"].as_str().unwrap().to_owned();
    for act in ["redrive", "discard"] {
        let send = |id: &str| post(&served, "olga", &format!("/commands/{id}/{act}"), r#"{"cause": "x"}"#);
        assert!(send(&never.to_string()).is(404, "not-found"));
        assert!(send("seven").is(400, "shape"));
        assert!(send(&done).is(409, "not-parked"), "it was decided at once");
        assert!(send(&ids[1].to_string()).is(409, "not-parked"), "it only waits");
        assert!(served.get_as("olga", &format!("/commands/{}/{act}", ids[0])).is(405, "method"));
    }
}

/// What operators did, by the command log: which act, and whose.
fn acts(served: &Served) -> Vec<(String, String)> {
    let lanes = served.app.lanes().unwrap();
    let read = lanes.commands().read(&factum::Query::All, Default::default());
    let events = block_on(read).unwrap().events;
    let acts = events.iter().filter(|event| {
        matches!(event.event_type.as_str(), "factum.command-redriven" | "factum.command-discarded")
    });
    let told = |event: &factum::RecordedEvent| {
        let by: Value = serde_json::from_slice(&event.payload).unwrap();
        assert_eq!(event.commit.metadata.actor.as_deref(), by["by"].as_str());
        (event.event_type.to_string(), by["by"].as_str().unwrap().to_owned())
    };
    acts.map(told).collect()
}
