//! What an operator does about commands that could not be decided.

use crate::{
    Application,
    admin::{
        Admin, Failure, Opened, json, read, where_args, wherever,
        wire::{ParkedCommands, Released},
    },
    projections::cause,
    say::{note, say},
    table::table,
};
use clap::{Arg, ArgMatches, Command, value_parser};
use factum::CommandId;
use serde_json::json;
use std::process::ExitCode;

pub(crate) fn command() -> Command {
    let id = Arg::new("id").value_name("ID").help("Which command").required(true);
    let id = id.value_parser(value_parser!(CommandId));
    let verb = |name: &'static str, about: &'static str| Command::new(name).about(about).args(where_args());
    Command::new("commands")
        .about("Commands that could not be decided, and what is to become of them")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(verb("parked", "List those that are parked").arg(json()))
        .subcommand(verb("redrive", "Decide one again, then those that wait behind it").arg(id.clone()))
        .subcommand(verb("discard", "Give one up, and decide those that wait behind it").args([id, cause()]))
}

pub(crate) fn run(application: &Application, matches: &ArgMatches) -> ExitCode {
    let (verb, matches) = matches.subcommand().expect("a verb is required");
    // What is asked for stands in the command log: the lanes carry it out once they run.
    let done = wherever(matches)
        .and_then(|place| Admin::at(application, place, Opened::AtRest, |admin| act(admin, verb, matches)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("commands: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn act(admin: &Admin, verb: &str, matches: &ArgMatches) -> Result<(), Failure> {
    if verb == "parked" {
        let answer = admin.get("/admin/commands/parked")?;
        if matches.get_flag("json") {
            say(&format!("{answer:#}\n"));
        } else {
            show(&read::<ParkedCommands>(answer)?);
        }
        return Ok(());
    }
    let id: &CommandId = matches.get_one("id").expect("it is required");
    let body = (verb == "discard").then(|| json!({ "cause": matches.get_one::<String>("cause") }));
    let answer = admin.post(&format!("/admin/commands/{id}/{verb}"), body.as_ref())?;
    let Released { released, more } = read(answer)?;
    let (what, more) =
        (if verb == "redrive" { "driven again" } else { "given up" }, if more { " and more" } else { "" });
    say(&format!("{id} is {what}; commands that come again: {}{more}\n", released.len()));
    if admin.data().is_some() {
        note("they are decided when the service is started");
    }
    Ok(())
}

fn show(ParkedCommands { parked }: &ParkedCommands) {
    if parked.is_empty() {
        return say("no command is parked\n");
    }
    let rows = parked.iter().map(|one| {
        let more = if one.more { "+" } else { "" };
        vec![
            one.command_id.clone(),
            one.service.clone(),
            one.action.clone(),
            one.key.clone(),
            format!("{}{more}", one.waiting.len()),
            one.cause.clone(),
        ]
    });
    say(&table(&["COMMAND", "SERVICE", "ACTION", "KEY", "WAITING", "CAUSE"], &["WAITING"], rows));
}
