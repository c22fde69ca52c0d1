//! The published cases of dynamic consistency boundaries (dcb.events), each run through the public API: its
//! events are stored, its command is carried out, what comes is compared.
//!
//! `data/dcb-cases.json` holds 27 of them as published; the 14 of the dynamic product price are in `dcb/prices.rs`.

mod courses;
mod invoices;
mod orders;
mod prices;
mod sign_ups;
mod usernames;

use crate::VirtualClock;
use factum::{
    App, CommandName, CommandPayload, CommandRecord, Condition, ExecuteError, Metadata, NewCommit, NewEvent,
    Outcome, Reject, Timestamp, block_on, store::Append,
};
use serde_json::{Value, json};
use std::{fmt::Debug, sync::Arc, time::Duration};

const CASES: &str = include_str!("../data/dcb-cases.json");

/// When the command of a case comes in.
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// What a case gives: the event as `{type, data}`, or the sentence of the rejection.
type Answer = Result<Value, String>;

/// One published example: how its events are stored and its commands carried out.
struct Example {
    name: &'static str,
    /// How old a given event is that does not say.
    age: Duration,
    event: fn(kind: &str, data: &Value) -> NewEvent,
    when: fn(app: &App, command: &str, data: &Value) -> Answer,
}

const EXAMPLES: [Example; 6] = [
    courses::EXAMPLE,
    invoices::EXAMPLE,
    orders::EXAMPLE,
    prices::EXAMPLE,
    sign_ups::EXAMPLE,
    usernames::EXAMPLE,
];

/// Runs every case, each on an empty app that `start` makes with the clock given. Returns how many there were.
///
/// # Panics
/// With the names of the cases that gave something else.
pub fn run(start: impl Fn(Arc<VirtualClock>) -> App) -> usize {
    let published: Value = serde_json::from_str(CASES).expect("the file is JSON");
    let mut failures = Vec::new();
    let mut count = 0;
    for example in EXAMPLES {
        let of_file = published[example.name].as_array().into_iter().flatten();
        let of_file = of_file.flat_map(|part| part["testCases"].as_array().into_iter().flatten().cloned());
        let of_code = match example.name {
            "dynamic-product-price" => prices::cases(),
            "opt-in-token" => sign_ups::cases(),
            _ => Vec::new(),
        };
        for case in of_file.chain(of_code) {
            count += 1;
            let clock = Arc::new(VirtualClock::at(NOW));
            if let Err(difference) = check(&example, &case, &start(Arc::clone(&clock)), &clock) {
                failures.push(format!("{}: {}\n{difference}", example.name, case["description"]));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases failed\n\n{}", failures.len(), failures.join("\n\n"));
    count
}

fn check(example: &Example, case: &Value, app: &App, clock: &VirtualClock) -> Result<(), String> {
    for given in case["givenEvents"].as_array().into_iter().flatten() {
        clock.set(NOW.minus(age(given).unwrap_or(example.age)));
        store(app, (example.event)(text(given, "type"), &given["data"]));
    }
    clock.set(NOW);
    let when = &case["whenCommand"];
    let got = (example.when)(app, text(when, "type"), &when["data"]);
    let expected = match &case["thenExpectedError"] {
        Value::String(sentence) => Err(sentence.clone()),
        _ => Ok(case["thenExpectedEvent"].clone()),
    };
    if got == expected { Ok(()) } else { Err(format!("  expected {expected:?}\n  got      {got:?}")) }
}

/// How long ago a given event happened, if it says.
fn age(event: &Value) -> Option<Duration> {
    let number = |name: &str| {
        let value = &event["metadata"][name];
        value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    };
    let minutes = |count: u64| Duration::from_secs(count * 60);
    number("minutesAgo").map(minutes).or_else(|| number("daysAgo").map(|days| minutes(days * 24 * 60)))
}

fn store(app: &App, event: NewEvent) {
    let command = CommandRecord {
        id: app.fresh_command_id(),
        name: CommandName::unchecked("dcb.given"),
        payload: CommandPayload::None,
        issued_at: app.now(),
        metadata: Metadata::default(),
    };
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: vec![event] };
    let verdicts = block_on(app.store().append(vec![Append { commit, condition: Condition::none() }]));
    assert!(verdicts[0].is_ok(), "{verdicts:?}");
}

/// What a carried-out command amounts to, its one event told by `tell`.
fn answer<E: Debug, R: Reject>(
    ended: Result<factum::Done<E>, ExecuteError<R>>,
    tell: impl Fn(&E) -> Value,
) -> Answer {
    match ended {
        Ok(done) => match done.events() {
            [event] => Ok(tell(event)),
            events => Err(format!("{} events: {events:?}", events.len())),
        },
        Err(error) => Err(error.to_string()),
    }
}

fn told(kind: &str, data: Value) -> Value {
    json!({"type": kind, "data": data})
}

fn text<'a>(data: &'a Value, name: &str) -> &'a str {
    data[name].as_str().unwrap_or_else(|| panic!("{name} is a text in {data}"))
}

fn number(data: &Value, name: &str) -> u64 {
    data[name].as_u64().unwrap_or_else(|| panic!("{name} is a number in {data}"))
}

fn unheard_of(kind: &str) -> ! {
    panic!("the published cases have no {kind}")
}
