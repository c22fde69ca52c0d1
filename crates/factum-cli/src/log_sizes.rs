//! How far the logs have come, and how much room they take.

use crate::{
    Application,
    admin::{
        Admin, Failure, Opened, json, read, where_args, wherever,
        wire::{LogSize, Logs},
    },
    say::say,
    table::table,
};
use clap::{ArgMatches, Command};
use std::process::ExitCode;

pub(crate) fn command() -> Command {
    Command::new("log")
        .about("Tell how far the logs have come, and how much room they take")
        .args(where_args())
        .arg(json())
}

pub(crate) fn run(application: &Application, matches: &ArgMatches) -> ExitCode {
    let done = wherever(matches)
        .and_then(|place| Admin::at(application, place, Opened::AtRest, |admin| show(admin, matches)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("log: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn show(admin: &Admin, matches: &ArgMatches) -> Result<(), Failure> {
    let answer = admin.get("/admin/log")?;
    if matches.get_flag("json") {
        say(&format!("{answer:#}\n"));
        return Ok(());
    }
    let services: Vec<Logs> = read(answer)?;
    let rows = services.iter().flat_map(|Logs { service, events, commands }| {
        let commands = commands.as_ref().map(|log| row(service, "commands", log));
        [Some(row(service, "events", events)), commands].into_iter().flatten()
    });
    let numbers = ["HEAD", "COMMITS", "BYTES"];
    say(&table(&["SERVICE", "LOG", "HEAD", "COMMITS", "BYTES"], &numbers, rows));
    Ok(())
}

fn row(service: &str, log: &str, size: &LogSize) -> Vec<String> {
    let bytes = size.bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    vec![service.to_owned(), log.to_owned(), size.position.to_string(), size.sequence.to_string(), bytes]
}
