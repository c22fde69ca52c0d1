//! Counts what the logs of an application hold, for a person or as JSON. Beside a running service every
//! acknowledged commit is counted.

use crate::layout::{self, DataError};
use factum::log::Inspection;
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write, path::Path, process::ExitCode};

/// What one service's log holds, or all of them together.
#[derive(Debug, Default, Serialize)]
struct Counts {
    /// Domain events.
    events: u64,
    commits: u64,
    /// Commands that have an outcome.
    commands: u64,
    streams: u64,
    /// The last position; over several services the sum of theirs.
    head: u64,
    /// What the segments take on disk.
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
            println!("{}", serde_json::to_string_pretty(&told).expect("counts make JSON"));
            ExitCode::SUCCESS
        }
        Ok(told) => {
            print!("{}", for_people(&told));
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
        let counts = Counts::from(factum::log::inspect(dir.events())?);
        told.total.add(&counts);
        told.services.insert(name, counts);
    }
    Ok(told)
}

impl From<Inspection> for Counts {
    fn from(inspection: Inspection) -> Self {
        Self {
            events: inspection.events,
            commits: inspection.commits,
            commands: inspection.commands,
            streams: inspection.streams,
            head: inspection.head.position.get(),
            bytes: inspection.bytes,
            types: inspection.types,
        }
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.commits += other.commits;
        self.commands += other.commands;
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
        let Counts { events, commits, commands, streams, head, bytes, types } = counts;
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
        line("  streams", streams);
        line("  head (position)", head);
        line("  bytes", bytes);
    }
    text
}
