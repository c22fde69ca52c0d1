//! How projections are shown, to people or to programs.

use crate::{
    admin::{
        Admin,
        wire::{Building, Made, ParkedEvent, Standing},
    },
    say::{note, say},
    table::{plain, table},
};
use serde_json::Value;
use std::fmt::{Display, Write};

/// What stands where there is nothing to tell.
const NONE: &str = "-";

/// As JSON, for programs.
pub(super) fn json(value: &Value) {
    say(&format!("{value:#}\n"));
}

/// All of them.
pub(super) fn list(admin: &Admin, all: &[Standing]) {
    if all.is_empty() {
        return say("there are no projections\n");
    }
    let rows = all.iter().map(|one| {
        vec![
            one.full_name(),
            state(admin, one),
            one.position.to_string(),
            one.head.to_string(),
            lag(one),
            one.parked.to_string(),
            one.waiting.to_string(),
            build(one.build),
            one.building.as_ref().map_or_else(|| NONE.to_owned(), progress),
        ]
    });
    let headings =
        ["PROJECTION", "STATUS", "POSITION", "HEAD", "BEHIND", "PARKED", "WAITING", "BUILD", "BUILDING"];
    let mut text = table(&headings, &["POSITION", "HEAD", "PARKED", "WAITING"], rows);
    for one in all {
        for cause in causes(one) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}: {cause}", one.full_name());
        }
    }
    say(&text);
    tell_rest(admin);
}

/// One of them.
pub(super) fn status(admin: &Admin, one: &Standing) {
    let mut text = format!("{}\n", one.full_name());
    let mut line = |label: &str, value: &dyn Display| {
        let _ = writeln!(text, "  {label:<12} {value}");
    };
    line("status", &state(admin, one));
    for cause in causes(one) {
        line("cause", &cause);
    }
    line("position", &format_args!("{} of {}", one.position, one.head));
    line("behind", &lag(one));
    line("parked", &one.parked);
    line("waiting", &one.waiting);
    line("mode", &one.mode);
    line("version", &one.version);
    line("build", &build(one.build));
    line("previous", &build(one.previous));
    if let Some(building) = &one.building {
        line("building", &format_args!("{}, {}", building.status, progress(building)));
    }
    for discarded in &one.discarded {
        let (key, actor, cause) = (plain(&discarded.key), plain(&discarded.actor), plain(&discarded.cause));
        let at = &discarded.at;
        line("discarded", &format_args!("{} under {key}, by {actor} at {at}: {cause}", discarded.position));
    }
    say(&text);
    tell_rest(admin);
}

/// The events that it could not apply.
pub(super) fn parked(one: &Standing, events: &[ParkedEvent]) {
    if events.is_empty() {
        return say(&format!("no event of {} is parked\n", one.full_name()));
    }
    let rows = events.iter().map(|event| {
        vec![
            event.position.to_string(),
            event.key.clone(),
            event.event_type.clone().unwrap_or_else(|| NONE.to_owned()),
            event.attempts.to_string(),
            event.waiting.to_string(),
            event.parked_at.clone(),
            event.cause.clone(),
        ]
    });
    let headings = ["POSITION", "KEY", "TYPE", "ATTEMPTS", "WAITING", "PARKED AT", "CAUSE"];
    say(&table(&headings, &["POSITION", "ATTEMPTS", "WAITING"], rows));
}

/// What it is doing. One on data at rest that would start, if anything ran, does not.
fn state(admin: &Admin, one: &Standing) -> String {
    match &*one.status {
        "starting" if admin.data().is_some() => "at-rest".to_owned(),
        status if one.stalled => format!("{status}, stalled"),
        status => status.to_owned(),
    }
}

fn lag(one: &Standing) -> String {
    match one.lag_events {
        0 => NONE.to_owned(),
        events => format!("{events} events, {:.0} s", one.lag_seconds),
    }
}

fn build(build: Option<Made>) -> String {
    build.map_or_else(|| NONE.to_owned(), |build| build.to_string())
}

/// How far a build is.
pub(super) fn progress(building: &Building) -> String {
    let Building { build, position, head, events_per_second, seconds_left, .. } = building;
    let mut text = format!("{build} at {position} of {head}");
    if let Some(seconds) = seconds_left {
        let _ = write!(text, ", {events_per_second:.0} events/s, {seconds:.0} s left");
    }
    text
}

fn causes(one: &Standing) -> impl Iterator<Item = String> {
    let building = one.building.as_ref().and_then(|building| building.cause.as_ref());
    [one.cause.as_ref(), building].into_iter().flatten().map(|cause| plain(cause))
}

/// Whoever looks at data at rest is told that nothing moves.
fn tell_rest(admin: &Admin) {
    if let Some(dir) = admin.data() {
        note(&format!("nothing runs on {}: what came since is applied once it is served", dir.display()));
    }
}
