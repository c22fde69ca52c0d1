//! Takes a backup of a data directory, beside a running service too.
//!
//! First it looks where everything stands, in this order: what is noted of projections, the durable head of each
//! log of events, then that of each command log. So what it keeps holds no outcome without its command, and notes of
//! no event that it does not hold. Then it copies. Read models and snapshots follow from the logs and are left out.

pub(crate) mod beside;
mod failure;
pub(crate) mod files;
pub(crate) mod logs;
pub(crate) mod manifest;
pub(crate) mod progress;

pub(crate) use failure::Failure;

use crate::{
    layout::{self, ServiceDir},
    say::{note, say},
};
use beside::Notes;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use factum::{
    Clock, Monotonic,
    log::{Cut, durable_cut, exists},
    store::{SystemClock, SystemMonotonic},
};
use manifest::{Found, Manifest, Service};
use progress::Progress;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(crate) fn command() -> Command {
    let path = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).value_name(value).help(help).value_parser(value_parser!(PathBuf))
    };
    let check = Arg::new("check").long("check").action(ArgAction::SetTrue);
    Command::new("backup")
        .about(
            "Copy the data of all services, beside a running service too; `restore` makes data of it again",
        )
        .arg(path("dir", "DIR", "The data directory, or with --check a backup").required(true))
        .arg(
            path(
                "to",
                "TO",
                "Where the backup goes: an empty directory, or an earlier backup of the same data",
            )
            .required_unless_present("check"),
        )
        .arg(check.conflicts_with("to").help("Check every byte of the backup in DIR"))
}

pub(crate) fn run(matches: &ArgMatches) -> ExitCode {
    let dir: &PathBuf = matches.get_one("dir").expect("it is required");
    let done = match matches.get_one::<PathBuf>("to") {
        Some(to) => take(dir, to),
        None => check(dir),
    };
    match done {
        Ok(told) => {
            say(&told);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("backup: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// A service, and where it stood.
struct Standing {
    name: String,
    dir: ServiceDir,
    folder: String,
    notes: Notes,
    events: Cut,
    commands: Option<Cut>,
}

fn take(data: &Path, to: &Path) -> Result<String, Failure> {
    let stopwatch = SystemMonotonic::default();
    layout::check_finished(data)?;
    if is_within(to, data) {
        return Err(Failure::Inside { to: to.to_owned() });
    }
    let standing = look(data)?;
    files::make_dir(to)?;
    let _lock = files::lock_dir(to)?.ok_or_else(|| Failure::UnderWay { dir: to.to_owned() })?;
    let before = target(to)?;
    if let Some(before) = &before {
        goes_on(before, &standing, to)?;
    }
    let kept = keep_all(data, to, &standing, before.as_ref());
    // One that is there already stays whole, and the next one goes on from it.
    let manifest = if before.is_some() { kept? } else { kept.map_err(Failure::after(to))? };
    Ok(summary(&manifest, to, before.as_ref(), stopwatch.elapsed().as_secs_f64()))
}

/// Copies all of it, and says so last of all.
fn keep_all(
    data: &Path,
    to: &Path,
    standing: &[Standing],
    before: Option<&Manifest>,
) -> Result<Manifest, Failure> {
    if before.is_none() {
        manifest::begin(to)?;
    }
    let run = before.map_or(1, |before| before.run + 1);
    let progress = Progress::new("backing up", size(standing));
    let mut services = BTreeMap::new();
    for one in standing {
        progress.about(&one.name);
        let earlier = before.and_then(|before| before.services.get(&one.name));
        services.insert(one.name.clone(), keep(one, to, run, earlier, &progress)?);
    }
    let denied = beside::audit(data)?;
    let audit = denied.iter().map(|(name, bytes)| beside::keep_audit(to, run, name, bytes));
    let audit = audit.collect::<Result<_, _>>()?;
    drop(progress);
    let manifest = Manifest { run, made_at: SystemClock.now(), services, audit };
    sync(to, &manifest)?;
    manifest::finish(to, manifest.clone())?;
    if let Some(before) = before {
        forget(to, before, &manifest);
    }
    Ok(manifest)
}

/// Whether a backup may go there, and what it goes on from.
fn target(to: &Path) -> Result<Option<Manifest>, Failure> {
    match Found::read(to)? {
        Found::Finished(manifest) => Ok(Some(manifest)),
        Found::Unfinished => Err(Failure::Unfinished { dir: to.to_owned() }),
        Found::None if files::is_empty(to)? => Ok(None),
        Found::None => Err(Failure::NotEmpty { dir: to.to_owned() }),
    }
}

fn is_within(path: &Path, data: &Path) -> bool {
    let (Ok(data), Ok(path)) = (fs::canonicalize(data), std::path::absolute(path)) else { return false };
    // What is not there yet stands where what is above it does.
    path.ancestors()
        .find_map(|above| fs::canonicalize(above).ok())
        .is_some_and(|above| above.starts_with(data))
}

/// Refused, if an earlier backup holds what is not, or no longer, that of this data: it would be lost.
fn goes_on(before: &Manifest, standing: &[Standing], to: &Path) -> Result<(), Failure> {
    for (service, kept) in &before.services {
        let goes_on = |kept: &manifest::Log, cut: &Cut| {
            kept.identity() == cut.identity && kept.sequence <= cut.head.sequence
        };
        let is_same = standing.iter().find(|one| one.name == *service).is_some_and(|one| {
            let commands = match (&kept.commands, &one.commands) {
                (Some(kept), Some(cut)) => goes_on(kept, cut),
                (kept, _) => kept.is_none(),
            };
            one.folder == kept.folder && goes_on(&kept.events, &one.events) && commands
        });
        if !is_same {
            return Err(Failure::Other { dir: to.to_owned(), service: service.clone() });
        }
    }
    Ok(())
}

/// Where everything stands, in the order that keeps it together.
fn look(data: &Path) -> Result<Vec<Standing>, Failure> {
    let mut found = Vec::new();
    for (name, dir) in layout::services(data)? {
        if exists(dir.events())? {
            let notes = beside::notes(&dir)?;
            found.push((name, dir, notes));
        } else {
            note(&format!("{name}: it has no log yet"));
        }
    }
    let events = found.iter().map(|(_, dir, _)| durable_cut(dir.events())).collect::<Result<Vec<_>, _>>()?;
    let mut standing = Vec::new();
    for ((name, dir, notes), events) in found.into_iter().zip(events) {
        let commands = if exists(dir.commands())? { Some(durable_cut(dir.commands())?) } else { None };
        if events.watermark_lost || commands.is_some_and(|commands| commands.watermark_lost) {
            note(&format!("{name}: head is lost: commits that were acknowledged may be missing at the end"));
        }
        let folder = layout::folder(data, &dir);
        standing.push(Standing { name, dir, folder, notes, events, commands });
    }
    Ok(standing)
}

fn keep(
    Standing { dir, folder, notes, events, commands, .. }: &Standing,
    to: &Path,
    run: u64,
    before: Option<&Service>,
    progress: &Progress,
) -> Result<Service, Failure> {
    let copy = ServiceDir::new(to, folder);
    files::make_dir(copy.path())?;
    let events = logs::keep(&dir.events(), &copy.events(), *events, before.map(|one| &one.events), progress)?;
    let commands = commands.map(|cut| {
        let before = before.and_then(|one| one.commands.as_ref());
        logs::keep(&dir.commands(), &copy.commands(), cut, before, progress)
    });
    let notes = (!notes.is_empty()).then(|| beside::keep_notes(to, folder, run, notes));
    Ok(Service { folder: folder.clone(), events, commands: commands.transpose()?, notes: notes.transpose()? })
}

/// About how many bytes are to be copied.
fn size(standing: &[Standing]) -> u64 {
    let of = |dir: PathBuf| -> u64 {
        let segments = fs::read_dir(dir).into_iter().flatten().flatten();
        let segments =
            segments.filter(|entry| entry.path().extension().is_some_and(|suffix| suffix == "seg"));
        segments.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
    };
    standing.iter().map(|one| of(one.dir.events()) + of(one.dir.commands())).sum()
}

/// Makes every name durable, before anything says that all is there.
fn sync(to: &Path, manifest: &Manifest) -> Result<(), Failure> {
    for service in manifest.services.values() {
        files::sync_dir(ServiceDir::new(to, &service.folder).path())?;
    }
    for above in std::path::absolute(to).unwrap_or_else(|_| to.to_owned()).ancestors() {
        match files::sync_dir(above) {
            // Who may not read it did not make what is in it.
            Err(Failure::Write { cause, .. }) if cause.kind() == std::io::ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
    }
    Ok(())
}

/// Takes away what only the backup before had. What cannot be is of no harm.
fn forget(to: &Path, before: &Manifest, now: &Manifest) {
    let beside = |manifest: &Manifest| -> Vec<PathBuf> {
        let notes = manifest.services.values().filter_map(|service| service.notes.as_ref());
        manifest.audit.iter().chain(notes).map(|one| one.file.clone()).collect()
    };
    let kept = beside(now);
    for file in beside(before).into_iter().filter(|file| !kept.contains(file)) {
        let _ = fs::remove_file(to.join(file));
    }
}

fn logs_of(manifest: &Manifest) -> impl Iterator<Item = &manifest::Log> {
    manifest
        .services
        .values()
        .flat_map(|service| [Some(&service.events), service.commands.as_ref()])
        .flatten()
}

fn summary(manifest: &Manifest, to: &Path, before: Option<&Manifest>, seconds: f64) -> String {
    let bytes = |manifest: &Manifest| logs_of(manifest).map(|log| log.bytes).sum::<u64>();
    let events: u64 = manifest.services.values().map(|service| service.events.position.get()).sum();
    let new = before.map_or_else(String::new, |before| {
        format!(" ({} of them new)", bytes(manifest).saturating_sub(bytes(before)))
    });
    format!(
        "backed up {}: {events} events, {} bytes{new}, in {seconds:.1} s, to {}\n",
        services(manifest),
        bytes(manifest),
        to.display()
    )
}

fn services(manifest: &Manifest) -> String {
    manifest.services.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Checks every file of a backup by its checksum.
pub(crate) fn check(dir: &Path) -> Result<String, Failure> {
    let stopwatch = SystemMonotonic::default();
    let manifest = match Found::read(dir)? {
        Found::Finished(manifest) => manifest,
        Found::Unfinished => return Err(Failure::Unfinished { dir: dir.to_owned() }),
        Found::None => return Err(Failure::NoBackup { dir: dir.to_owned() }),
    };
    check_files(dir, &manifest, |_| true)?;
    let bytes: u64 = logs_of(&manifest).map(|log| log.bytes).sum();
    let seconds = stopwatch.elapsed().as_secs_f64();
    let (services, made_at) = (services(&manifest), manifest.made_at);
    Ok(format!("whole: the backup of {services}, made at {made_at}: {bytes} bytes, in {seconds:.1} s\n"))
}

/// Checks the files of these services, and what is beside them.
pub(crate) fn check_files(
    dir: &Path,
    manifest: &Manifest,
    chosen: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let progress = Progress::new("checking", logs_of(manifest).map(|log| log.bytes).sum());
    for (name, service) in manifest.services.iter().filter(|(name, _)| chosen(name)) {
        progress.about(name);
        let copy = ServiceDir::new(dir, &service.folder);
        logs::check(&copy.events(), &service.events, &progress)?;
        if let Some(commands) = &service.commands {
            logs::check(&copy.commands(), commands, &progress)?;
        }
        if let Some(notes) = &service.notes {
            files::check(&dir.join(&notes.file), &notes.sum, &mut |_| {})?;
        }
    }
    manifest.audit.iter().try_for_each(|one| files::check(&dir.join(&one.file), &one.sum, &mut |_| {}))
}
