//! What an application is made of, and how its command line is read.

use crate::{backup, commands, inspect, log_sizes, projections, restore, serve, token, verify};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use factum::{App, Builder, Embedded};
use factum_http::{CONNECTIONS_MAX, IN_FLIGHT_MAX, Limits, Rate, Service};
use std::{ffi::OsString, net::SocketAddr, num::NonZeroUsize, path::PathBuf, process::ExitCode};

/// An application: its name, the verb that serves it, its services.
#[derive(Debug)]
pub struct Application {
    name: &'static str,
    serve_verb: &'static str,
    pub(crate) services: Vec<Blueprint>,
    listen: &'static str,
}

/// Where an application listens that does not say.
const LISTEN: &str = "127.0.0.1:3030";

/// How a service is made once its app is there.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) name: &'static str,
    /// Adds the commands that are decided from the command log, and the read models.
    pub(crate) setup: fn(Builder<Embedded>) -> Builder<Embedded>,
    pub(crate) build: fn(App) -> Service,
}

impl Application {
    /// An application without services; `serve_verb` is the verb that serves it, such as `serve`.
    pub fn new(name: &'static str, serve_verb: &'static str) -> Self {
        Self { name, serve_verb, services: Vec::new(), listen: LISTEN }
    }

    /// With a service, whose data lives in the folder `name`. `setup` adds the commands that it decides from its
    /// command log, and its read models; `build` puts its routes over the app.
    #[must_use]
    pub fn service(
        mut self,
        name: &'static str,
        setup: fn(Builder<Embedded>) -> Builder<Embedded>,
        build: fn(App) -> Service,
    ) -> Self {
        self.services.push(Blueprint { name, setup, build });
        self
    }

    /// Listening on this address, such as `127.0.0.1:3031`, unless `--listen` says otherwise. Without it that
    /// is `127.0.0.1:3030`.
    #[must_use]
    pub fn listen(mut self, address: &'static str) -> Self {
        self.listen = address;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    fn command(&self) -> Command {
        let data = Arg::new("data")
            .long("data")
            .value_name("DIR")
            .help("Where the data lives")
            .default_value("./factum-data")
            .value_parser(value_parser!(PathBuf));
        let listen = Arg::new("listen")
            .long("listen")
            .value_name("ADDRESS")
            .help("Where to listen")
            .default_value(self.listen)
            .value_parser(value_parser!(SocketAddr));
        let tokens = Arg::new("tokens")
            .long("tokens")
            .value_name("FILE")
            .help("Who may do what: switches authentication on, and any address may be listened on")
            .value_parser(value_parser!(PathBuf));
        let in_flight = Arg::new("in-flight")
            .long("in-flight")
            .value_name("N")
            .help(format!("Most requests that are carried out at once [default: {IN_FLIGHT_MAX}]"))
            .value_parser(value_parser!(NonZeroUsize));
        let connections = Arg::new("connections")
            .long("connections")
            .value_name("N")
            .help(format!("Most connections at once [default: {CONNECTIONS_MAX}]"))
            .value_parser(value_parser!(NonZeroUsize));
        let rate_limit = Arg::new("rate-limit")
            .long("rate-limit")
            .value_name("N/s")
            .help("Most requests of one actor in a second [default: no limit]")
            .value_parser(value_parser!(Rate));
        let dir = Arg::new("dir")
            .value_name("DIR")
            .help("The data directory")
            .required(true)
            .value_parser(value_parser!(PathBuf));
        let json = Arg::new("json").long("json").help("Print JSON").action(ArgAction::SetTrue);
        Command::new(self.name)
            .version(env!("CARGO_PKG_VERSION"))
            .about("Event-sourced services on a durable log")
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand(Command::new(self.serve_verb).about("Serve over HTTP until stopped").args([
                data,
                listen,
                tokens,
                in_flight,
                connections,
                rate_limit,
            ]))
            .subcommand(
                Command::new("inspect")
                    .about("Count what the logs hold; works beside a running service")
                    .arg(dir.clone())
                    .arg(json),
            )
            .subcommand(Command::new("verify").about("Check every byte of the logs").arg(dir))
            .subcommand(backup::command())
            .subcommand(restore::command())
            .subcommand(projections::command())
            .subcommand(commands::command())
            .subcommand(log_sizes::command())
            .subcommand(
                Command::new("token")
                    .about("Make a token, and its entry for the file of --tokens")
                    .arg(Arg::new("actor").value_name("ACTOR").help("Who will hold it").required(true))
                    .arg(
                        Arg::new("roles")
                            .value_name("ROLE")
                            .help("admin, operator, writer, reader, or one of the services' own")
                            .num_args(1..)
                            .required(true),
                    )
                    .arg(
                        Arg::new("expires-at")
                            .long("expires-at")
                            .value_name("TIME")
                            .help("When it ends, such as 2027-01-31T12:00:00Z [default: never]"),
                    ),
            )
    }
}

/// Reads the command line, does what it says, and tells how the process should end: 0 done, 1 the data is
/// damaged, the service failed, or what was asked for was refused or not waited for, 2 the command line is wrong.
pub fn run(application: Application) -> ExitCode {
    run_from(application, std::env::args_os())
}

/// As [`run`], with this command line, its first word the name of the program.
pub fn run_from(application: Application, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match application.command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => {
            // Nothing is left to do if even this cannot be printed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match matches.subcommand() {
        Some(("inspect", matches)) => inspect::run(path(matches, "dir"), matches.get_flag("json")),
        Some(("verify", matches)) => verify::run(path(matches, "dir")),
        Some(("token", matches)) => {
            let actor = matches.get_one::<String>("actor").expect("it is required");
            let roles: Vec<_> = matches.get_many("roles").expect("they are required").cloned().collect();
            token::run(actor, &roles, matches.get_one("expires-at"))
        }
        Some(("backup", matches)) => backup::run(matches),
        Some(("restore", matches)) => restore::run(matches),
        Some(("projections", matches)) => projections::run(&application, matches),
        Some(("commands", matches)) => commands::run(&application, matches),
        Some(("log", matches)) => log_sizes::run(&application, matches),
        Some((_, matches)) => serve::run(&application, &serving(matches)),
        None => unreachable!("a verb is required"),
    }
}

fn serving(matches: &ArgMatches) -> serve::Options {
    let number = |name, default| matches.get_one(name).copied().unwrap_or(default);
    serve::Options {
        data: path(matches, "data").clone(),
        listen: *matches.get_one("listen").expect("it has a default"),
        tokens: matches.get_one("tokens").cloned(),
        limits: Limits {
            in_flight_max: number("in-flight", IN_FLIGHT_MAX),
            connections_max: number("connections", CONNECTIONS_MAX),
            rate: matches.get_one("rate-limit").copied(),
            ..Limits::default()
        },
    }
}

fn path<'a>(matches: &'a ArgMatches, name: &str) -> &'a PathBuf {
    matches.get_one(name).expect("it is required or has a default")
}
