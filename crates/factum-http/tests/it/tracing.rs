//! A request goes on in the trace it came in, and is told with it.

use crate::notes::{Answer, Client, served, service};
use factum::{App, CommandId, CommandObserver, Sequence, block_on, store::AppendObserver};
use factum_http::Metrics;
use factum_testkit::{Told, told_during};

const CAME_IN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn command(answer: &Answer) -> CommandId {
    answer.json()["command_id"].as_str().unwrap().parse().unwrap()
}

/// What is answered, and what is told meanwhile.
fn told<T: Send + 'static>(app: &App, ask: impl FnOnce(&Client) -> T + Send + 'static) -> (T, Vec<Told>) {
    let mut found = None;
    let told = told_during(|| found = Some(served(vec![service(app.clone())], Metrics::default(), ask)));
    (found.unwrap(), told)
}

#[test]
fn a_trace_that_comes_in_goes_out_again_and_is_stored_with_the_command() {
    let app = App::in_memory().start();
    let (answer, told) =
        told(&app, |client| client.write(3, &[("traceparent", CAME_IN), ("tracestate", "a=1")]));
    assert_eq!(answer.status, 201);
    let [version, trace, span, flags] = answer.traceparent.split('-').collect::<Vec<_>>()[..] else {
        panic!("{answer:?}")
    };
    assert_eq!((version, trace, flags), ("00", TRACE, "01"));
    assert_ne!(span, "00f067aa0ba902b7", "the server's span has an id of its own");

    let commits = block_on(app.store().commits(Sequence::START, 9)).unwrap().commits;
    let metadata = &commits[0].header.metadata;
    assert_eq!(metadata.correlation.unwrap().get().simple().to_string(), TRACE);
    let headers: Vec<_> = metadata.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(headers, [("traceparent", &*answer.traceparent), ("tracestate", "a=1")]);

    let ended: Vec<_> = told.iter().map(|told| &*told.fields["message"]).collect();
    assert_eq!(ended, ["command ended", "request ended"]);
    for told in &told {
        let field = |name: &str| &*told.fields[name];
        assert_eq!((field("span"), field("trace_id"), field("span_id")), ("request", TRACE, span));
        assert_eq!(
            (field("parent_id"), field("method"), field("route")),
            ("00f067aa0ba902b7", "POST", "/notes")
        );
    }
    let ended = &told[0].fields;
    assert_eq!(ended["command_id"], command(&answer).to_string());
    assert_eq!((&*ended["outcome"], &*ended["actor"], &*ended["position"]), ("succeeded", "demo", "1"));
    assert_eq!(told[1].fields["status"], "201");
}

#[test]
fn a_malformed_trace_costs_nothing_and_is_not_stored() {
    let app = App::in_memory().start();
    let (answers, _) =
        told(&app, |client| [client.write(3, &[("traceparent", "00-nonsense-01")]), client.write(3, &[])]);
    for answer in &answers {
        assert_eq!((answer.status, answer.traceparent.len()), (201, CAME_IN.len()), "{answer:?}");
    }
    assert_ne!(answers[0].traceparent, answers[1].traceparent, "each begins a trace of its own");
    for commit in block_on(app.store().commits(Sequence::START, 9)).unwrap().commits {
        assert_eq!(commit.header.metadata.headers, []);
        assert_eq!(commit.header.metadata.correlation, None, "its own id stands for it");
    }
}

#[test]
fn what_a_client_makes_up_is_not_told() {
    let app = App::in_memory().start();
    let (_, told) = told(&app, |client| {
        client.get("/made-up-by-a-client");
        client.get("/health/live");
    });
    assert_eq!(
        told.iter().map(|told| &*told.fields["route"]).collect::<Vec<_>>(),
        ["unmatched", "/health/live"]
    );
    assert_eq!(told.iter().map(|told| told.level).collect::<Vec<_>>(), ["INFO", "DEBUG"]);
    assert!(!format!("{told:?}").contains("made-up"));
}

#[test]
fn what_a_log_warns_of_is_told_with_the_name_of_the_log() {
    let observer = Metrics::default().service("notes");
    let told = told_during(|| {
        observer.warned("cannot seal");
        observer.command_log().unwrap().warned("cannot merge");
        observer.maintained(Some("cannot seal"));
        observer.maintained(None);
    });
    let told: Vec<_> =
        told.iter().map(|told| (told.level, &*told.fields["log"], &*told.fields["message"])).collect();
    let due = [
        ("WARN", "notes/events", "cannot seal"),
        ("WARN", "notes/commands", "cannot merge"),
        ("INFO", "notes/events", "what ended is sealed and indexed again"),
    ];
    assert_eq!(told, due);
}
