//! Counts what the logs of an application hold, for a person or as JSON. Beside a running service every
//! acknowledged commit is counted.

use crate::{
    layout::{self, DataError},
    say::say,
};
use factum::{CommandId, log::Inspection};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    path::Path,
    process::ExitCode,
};

/// What one service's log holds, or all of them together.
#[derive(Debug, Default, Serialize)]
struct Counts {
    /// Domain events.
    events: u64,
    /// Steps: each outcome of a command is one.
    commits: u64,
    /// Commands that were acknowledged, decided or not.
    commands: u64,
    /// Those of them that have no final outcome yet.
    waiting: u64,
    streams: u64,
    /// The last position; over several services the sum of theirs.
    head: u64,
    /// What the segments take on disk, those of the command log included.
    bytes: u64,
    types: BTreeMap<String, u64>,
}

#[derive(Debug, Default, Serialize)]
struct Told {
    #[serde(flatten)]
    total: Counts,
    services: BTreeMap<String, Counts>,
}

pub(crate) fn run(data: &Path, json: bool) -> ExitCode {
    match inspect(data) {
        Ok(told) if json => {
            say(&(serde_json::to_string_pretty(&told).expect("counts make JSON") + "\n"));
            ExitCode::SUCCESS
        }
        Ok(told) => {
            say(&for_people(&told));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("inspect: {error}");
            ExitCode::FAILURE
        }
    }
}

fn inspect(data: &Path) -> Result<Told, DataError> {
    let mut told = Told::default();
    for (name, dir) in layout::services(data)? {
        // First the commands: one that is decided meanwhile is then found decided.
        let accepted = dir.has_commands().then(|| factum::log::inspect(dir.commands())).transpose()?;
        let counts = Counts::new(factum::log::inspect(dir.events())?, accepted);
        told.total.add(&counts);
        told.services.insert(name, counts);
    }
    Ok(told)
}

/// The commands that a log holds and that are not the platform's own, each with whether its outcome is final.
fn senders(inspection: &Inspection) -> impl Iterator<Item = (&CommandId, &bool)> {
    let sent = |(name, _): &(&String, _)| !name.starts_with("factum.");
    inspection.commands.iter().filter(sent).flat_map(|(_, of_name)| of_name)
}

impl Counts {
    fn new(events: Inspection, accepted: Option<Inspection>) -> Self {
        let mut decided: HashMap<_, _> = senders(&events).collect();
        for (id, _) in accepted.iter().flat_map(senders) {
            decided.entry(id).or_insert(&false);
        }
        let waiting = decided.values().filter(|is_final| !***is_final).count() as u64;
        Self {
            events: events.events,
            commits: events.commits,
            commands: decided.len() as u64,
            waiting,
            streams: events.streams,
            head: events.head.position.get(),
            bytes: events.bytes + accepted.as_ref().map_or(0, |accepted| accepted.bytes),
            types: events.types.clone(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.commits += other.commits;
        self.commands += other.commands;
        self.waiting += other.waiting;
        self.streams += other.streams;
        self.head += other.head;
        self.bytes += other.bytes;
        for (name, count) in &other.types {
            *self.types.entry(name.clone()).or_default() += count;
        }
    }
}

fn for_people(told: &Told) -> String {
    let mut text = String::new();
    for (name, counts) in &told.services {
        let Counts { events, commits, commands, waiting, streams, head, bytes, types } = counts;
        let mut line = |label: &str, count: &dyn std::fmt::Display| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {label:<28} {count:>12}");
        };
        line(name, &"");
        line("  events", events);
        for (event_type, count) in types {
            line(&format!("    {event_type}"), count);
        }
        line("  commits", commits);
        line("  commands", commands);
        line("    waiting", waiting);
        line("  streams", streams);
        line("  head (position)", head);
        line("  bytes", bytes);
    }
    text
}
