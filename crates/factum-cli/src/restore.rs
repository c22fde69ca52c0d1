//! Makes data of a backup again, or of data that nobody serves: in an empty place, as another life of each log, so
//! that what refers to the one before is recognised. A service may be cut at a position.

mod source;
mod target;

use crate::{
    backup::{Failure, progress::Progress},
    say::{note, say},
};
use clap::{Arg, ArgMatches, Command, value_parser};
use factum::{
    Monotonic, Ports, Position, RestoredLogs, SqliteReadModels, block_on,
    log::{Copied, CopyOptions, Log, OpenError, Options, copy, verify},
    restored_notes,
    store::{ReadModels, SystemMonotonic},
};
use rustix::process::getuid;
use source::{Service, Source};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use target::Target;

pub(crate) fn command() -> Command {
    Command::new("restore")
        .about("Make data of a backup again, or of data that nobody serves; in an empty place")
        .arg(
            Arg::new("from")
                .value_name("FROM")
                .help("The backup, or the data directory")
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("data")
                .long("data")
                .value_name("DIR")
                .help("Where the data is to live: nothing may be there, or with --service nothing of that one")
                .required(true)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("service").long("service").value_name("NAME").help("Only this service"))
        .arg(
            Arg::new("until")
                .long("until")
                .value_name("POSITION")
                .help("Only its events up to this position; what it had not decided by then is failed, as restored")
                .requires("service")
                .value_parser(value_parser!(u64)),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let path = |name| matches.get_one::<PathBuf>(name).expect("it is required");
    let asked = matches.get_one::<String>("service").map(String::as_str);
    let until = matches.get_one::<u64>("until").copied().map(Position::new);
    match restore(path("from"), path("data"), asked, until) {
        Ok(told) => {
            say(&told);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("restore: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What was made of one service.
struct Made {
    events: u64,
    bytes: u64,
    told: String,
}

fn restore(
    from: &Path,
    data: &Path,
    asked: Option<&str>,
    until: Option<Position>,
) -> Result<String, Failure> {
    let stopwatch = SystemMonotonic::default();
    let source = Source::open(from, asked)?;
    for Service { name, events, .. } in &source.services {
        if let Some(until) = until.filter(|until| *until > events.cut.head.position) {
            let (service, head) = (name.clone(), events.cut.head.position);
            return Err(Failure::Beyond { service, until, head });
        }
    }
    let folders: Vec<_> = source.services.iter().map(|service| &*service.folder).collect();
    let target = Target::begin(data, &folders, asked.is_none())?;
    let begun = target.begun().to_owned();
    let (mut told, events, bytes) = make_all(&source, target, until).map_err(Failure::after(&begun))?;
    let names: Vec<_> = source.services.iter().map(|service| &*service.name).collect();
    let (names, seconds) = (names.join(", "), stopwatch.elapsed().as_secs_f64());
    told.push_str(&format!(
        "restored {names}: {events} events, {bytes} bytes, in {seconds:.1} s, to {}\n",
        data.display()
    ));
    note("read models are made anew when it is started, and tokens of before are refused");
    Ok(told)
}

/// What is told of it, and its events and bytes.
fn make_all(source: &Source, target: Target, until: Option<Position>) -> Result<(String, u64, u64), Failure> {
    let progress = Progress::new("restoring", source.services.iter().map(size).sum());
    let (mut told, mut events, mut bytes) = (String::new(), 0, 0);
    for service in &source.services {
        progress.about(&service.name);
        let made = make(service, &target, until, &progress)?;
        (events, bytes) = (events + made.events, bytes + made.bytes);
        told.push_str(&made.told);
    }
    drop(progress);
    source.audit.iter().try_for_each(|(name, bytes)| target.put(name, bytes))?;
    target.finish()?;
    Ok((told, events, bytes))
}

fn size(service: &Service) -> u64 {
    let bytes = |dir: &Path| -> u64 {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
    };
    bytes(&service.events.dir) + service.commands.as_ref().map_or(0, |commands| bytes(&commands.dir))
}

fn make(
    service: &Service,
    target: &Target,
    until: Option<Position>,
    progress: &Progress,
) -> Result<Made, Failure> {
    let dir = target.service(&service.folder)?;
    let copied = |log: &source::Log, to: PathBuf, until| {
        let options = CopyOptions { until, begin_generation: true, ..CopyOptions::new(log.cut) };
        copy(&log.dir, to, &options, &mut |_, bytes| progress.add(bytes.len() as u64))
    };
    let events = copied(&service.events, dir.events(), until)?;
    let commands = service.commands.as_ref().map(|log| copied(log, dir.commands(), None)).transpose()?;
    let mut told = String::new();
    if until.is_some() {
        let (name, head, before) = (&service.name, events.head, service.events.cut.head.position);
        told = format!(
            "{name}: the events are cut after position {}, commit {}, of {before}\n",
            head.position, head.sequence
        );
    }
    if let Some(log) = &service.commands {
        let given_up = say_what_became(service, &dir.events(), &dir.commands(), log, until.is_some())?;
        if until.is_some() {
            told.push_str(&format!("{}: commands given up as restored: {given_up}\n", service.name));
        }
    }
    keep_notes(service, &dir.views(), events.head.position)?;
    let whole =
        |dir: PathBuf| verify(dir).map_err(|cause| Failure::Verify { service: service.name.clone(), cause });
    whole(dir.events())?;
    if commands.is_some() {
        whole(dir.commands())?;
    }
    let bytes = |copied: &Copied| copied.segments.iter().map(|segment| segment.bytes).sum::<u64>();
    let bytes = bytes(&events) + commands.as_ref().map_or(0, bytes);
    Ok(Made { events: events.head.position.get(), bytes, told })
}

/// Writes what lanes begin with: where they were, or that all that is undecided is given up; how many were.
fn say_what_became(
    service: &Service,
    events: &Path,
    commands: &Path,
    before: &source::Log,
    is_cut: bool,
) -> Result<u64, Failure> {
    // What the data may stand on is for the application to say, when it is started there.
    let options = || Options { network_file_systems: true, ..Options::default() };
    let open = |dir: &Path| Ok::<_, OpenError>(Log::open(dir, options())?.0);
    let (events, commands, ports) = (open(events)?, Arc::new(open(commands)?), Ports::default());
    let logs = RestoredLogs::new(&events, commands, &ports);
    let done = if is_cut {
        // Who it is on this machine: there is no token to tell by.
        block_on(logs.give_up_undecided(&format!("uid-{}", getuid().as_raw())))
    } else {
        block_on(logs.go_on(before.cut.identity)).map(|()| 0)
    };
    done.map_err(|cause| Failure::Commands { service: service.name.clone(), cause })
}

fn keep_notes(service: &Service, views: &Path, head: Position) -> Result<(), Failure> {
    let models = SqliteReadModels::at(views);
    for (name, notes) in &service.notes {
        let stored = serde_json::to_vec(notes).expect("notes are plain data");
        let kept = restored_notes(name, &stored, head).and_then(|notes| block_on(models.note(name, notes)));
        kept.map_err(|cause| Failure::KeepNotes { path: views.to_owned(), cause: cause.to_string() })?;
    }
    Ok(())
}
