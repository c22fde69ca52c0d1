//! What an operator does about read models: look, drive, make anew, see to what could not be applied.

mod progress;
mod rebuild;
mod shown;

use crate::{
    Application,
    admin::{
        Admin, Failure, Opened, json, read, where_args, wherever,
        wire::{ParkedEvent, Standing},
    },
    say::{note, say},
};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use std::process::ExitCode;

/// A verb that is one word to the service: what it does, and what has come of it.
const PLAIN: [(&str, &str, &str); 6] = [
    ("pause", "Apply nothing from now on; what it holds is read as before", "paused"),
    ("resume", "Go on after a pause, or after it has stopped", "resumed"),
    ("enable", "Run and read it again after it was disabled", "enabled"),
    ("disable", "Neither run nor read it; what it holds is kept", "disabled"),
    (
        "reset",
        "Begin again with nothing, which readers see at once; `rebuild` is gentler",
        "begun again with nothing",
    ),
    ("cancel", "Give up the build that is made beside the one that is read", "no longer being rebuilt"),
];

pub(crate) fn command() -> Command {
    let verb = |name: &'static str, about: &'static str| Command::new(name).about(about).args(where_args());
    let no_wait = Arg::new("no-wait").long("no-wait").help("Only begin it").action(ArgAction::SetTrue);
    let command = Command::new("projections")
        .about("Read models: how they stand, and what is to be done with them")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(verb("list", "List them, with how far they are").arg(json()))
        .subcommand(verb("status", "Tell how one stands").args([name(), json()]));
    let command = PLAIN.iter().fold(command, |command, (verb_name, about, _)| {
        command.subcommand(verb(verb_name, about).arg(name()))
    });
    let events = |name, about| verb(name, about).args([self::name(), position(), key()]);
    command
        .subcommand(
            verb("rollback", "Go back to the build before the one that is read")
                .args([name(), no_wait.clone()]),
        )
        .subcommand(
            verb("rebuild", "Make some anew beside what is read, and wait until they have taken its place")
                .arg(name().required(false).num_args(1..))
                .arg(
                    Arg::new("all")
                        .long("all")
                        .help("All of them, of each service in one pass over its log")
                        .action(ArgAction::SetTrue),
                )
                .group(ArgGroup::new("which").args(["name", "all"]).required(true))
                .arg(
                    Arg::new("key")
                        .long("key")
                        .value_name("KEY")
                        .help("Only what stands under this key, at once")
                        .conflicts_with_all(["all", "no-wait"]),
                )
                .arg(no_wait),
        )
        .subcommand(verb("parked", "List the events that it could not apply").args([name(), json()]))
        .subcommand(events("redrive", "Apply a parked event again, then what waits behind it"))
        .subcommand(
            events("discard", "Give a parked event up for good, and apply what waits behind it").arg(cause()),
        )
}

fn name() -> Arg {
    Arg::new("name")
        .value_name("NAME")
        .help("SERVICE/NAME, or NAME where no other service has it")
        .required(true)
}

fn position() -> Arg {
    let position = Arg::new("position").value_name("POSITION").help("Where the event stands in the log");
    position.required(true).value_parser(value_parser!(u64))
}

fn key() -> Arg {
    Arg::new("key").value_name("KEY").help("What it is parked under, as `parked` has it").required(true)
}

/// Why something is given up.
pub(crate) fn cause() -> Arg {
    Arg::new("cause").long("cause").value_name("TEXT").help("Why; it is kept").required(true)
}

pub(crate) fn run(application: &Application, matches: &ArgMatches) -> ExitCode {
    let (verb, matches) = matches.subcommand().expect("a verb is required");
    let names: Vec<_> = matches.try_get_many::<String>("name").ok().flatten().into_iter().flatten().collect();
    if verb == "rebuild" && text(matches, "key").is_some() && names.len() > 1 {
        eprintln!("projections: --key is of one projection: name one");
        return ExitCode::from(2);
    }
    let waits = matches!(verb, "rebuild" | "rollback") && !matches.get_flag("no-wait");
    let opened = match verb {
        "redrive" | "discard" => Opened::Running,
        _ if waits => Opened::Running,
        _ => Opened::AtRest,
    };
    let done = wherever(matches)
        .and_then(|place| Admin::at(application, place, opened, |admin| act(admin, verb, &names, matches)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("projections: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn act(admin: &Admin, verb: &str, names: &[&String], matches: &ArgMatches) -> Result<(), Failure> {
    let all = admin.standings()?;
    let of = |asked: &String| find(&all, asked);
    match verb {
        "list" if matches.get_flag("json") => shown::json(&admin.get("/admin/projections")?),
        "list" => shown::list(admin, &all),
        "rebuild" => {
            let chosen = match matches.get_flag("all") {
                true if all.is_empty() => return Err(Failure::None { asked: "--all".to_owned() }),
                true => all.iter().collect(),
                false => names.iter().map(|asked| of(asked)).collect::<Result<Vec<_>, _>>()?,
            };
            match text(matches, "key") {
                Some(key) => rebuild::key(admin, chosen[0], key)?,
                None => rebuild::all(admin, &chosen, !matches.get_flag("no-wait"))?,
            }
        }
        "rollback" => rebuild::back(admin, of(names[0])?, !matches.get_flag("no-wait"))?,
        "status" if matches.get_flag("json") => shown::json(&admin.get(&of(names[0])?.path())?),
        "status" => shown::status(admin, of(names[0])?),
        "parked" => parked(admin, of(names[0])?, matches.get_flag("json"))?,
        "redrive" | "discard" => release(admin, of(names[0])?, verb, matches)?,
        verb => plain(admin, of(names[0])?, verb)?,
    }
    Ok(())
}

fn parked(admin: &Admin, one: &Standing, json: bool) -> Result<(), Failure> {
    let parked = Value::Array(admin.list(&format!("{}/parked", one.path()))?);
    if json {
        shown::json(&parked);
    } else {
        shown::parked(one, &read::<Vec<ParkedEvent>>(parked)?);
    }
    Ok(())
}

/// Drives a parked event again, or gives it up.
fn release(admin: &Admin, one: &Standing, verb: &str, matches: &ArgMatches) -> Result<(), Failure> {
    let position: u64 = *matches.get_one("position").expect("it is required");
    let (mut body, mut what) = (json!({ "key": text(matches, "key") }), "driven again");
    if verb == "discard" {
        (body["cause"], what) = (json!(text(matches, "cause")), "given up");
    }
    let answer = admin.post(&format!("{}/parked/{position}/{verb}", one.path()), Some(&body))?;
    let applied = answer["applied"].as_u64().unwrap_or_default();
    say(&format!("{}: {position} is {what}; events applied: {applied}\n", one.full_name()));
    Ok(())
}

fn plain(admin: &Admin, one: &Standing, verb: &str) -> Result<(), Failure> {
    admin.post(&format!("{}/{verb}", one.path()), None)?;
    let (.., done) = PLAIN.iter().find(|(name, ..)| *name == verb).expect("clap knows no other");
    say(&format!("{} is {done}\n", one.full_name()));
    if admin.data().is_some() && matches!(verb, "resume" | "enable" | "reset") {
        note("it goes on when the service is started");
    }
    Ok(())
}

/// The projection that is called so: by its service and name, or by its name where that is enough.
fn find<'a>(all: &'a [Standing], asked: &str) -> Result<&'a Standing, Failure> {
    let called = |one: &&Standing| one.full_name() == asked || one.name == asked;
    let found: Vec<_> = all.iter().filter(called).collect();
    let names = |of: Vec<&Standing>, between| {
        of.into_iter().map(Standing::full_name).collect::<Vec<_>>().join(between)
    };
    let asked = asked.to_owned();
    match *found {
        [one] => Ok(one),
        [] if all.is_empty() => Err(Failure::None { asked }),
        [] => Err(Failure::Unknown { asked, known: names(all.iter().collect(), ", ") }),
        _ => Err(Failure::Ambiguous { asked, choice: names(found, " or ") }),
    }
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}
