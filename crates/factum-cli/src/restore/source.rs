//! What is restored from: a finished backup, or a data directory that nobody serves. Everything is looked at and
//! checked before anything is made.

use crate::{
    backup::{
        self, Failure,
        beside::{self, Notes},
        manifest::{Found, Manifest},
    },
    layout::{self, ServiceDir},
};
use factum::log::{Cut, Hold, durable_cut, exists, hold};
use std::path::{Path, PathBuf};

/// A service to restore.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    /// Below the data directory; empty if that is the folder of the one application itself.
    pub(super) folder: String,
    pub(super) events: Log,
    pub(super) commands: Option<Log>,
    pub(super) notes: Notes,
}

/// A log, up to where it is restored.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) dir: PathBuf,
    pub(super) cut: Cut,
    /// Nobody begins to write to it meanwhile.
    _hold: Option<Hold>,
}

/// All that is restored.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) services: Vec<Service>,
    /// The files of what was denied, by name.
    pub(super) audit: Vec<(String, Vec<u8>)>,
}

impl Source {
    /// What `from` holds, or of it the service that was asked for.
    pub(super) fn open(from: &Path, asked: Option<&str>) -> Result<Self, Failure> {
        let mut source = match Found::read(from)? {
            Found::Finished(manifest) => Self::of_backup(from, &manifest, asked)?,
            Found::Unfinished => return Err(Failure::Unfinished { dir: from.to_owned() }),
            Found::None => Self::of_data(from, asked)?,
        };
        if asked.is_some() {
            // It is of all services.
            source.audit.clear();
        }
        Ok(source)
    }

    fn of_backup(from: &Path, manifest: &Manifest, asked: Option<&str>) -> Result<Self, Failure> {
        check_known(from, asked, manifest.services.keys().map(String::as_str))?;
        let chosen = |name: &str| asked.is_none_or(|asked| asked == name);
        backup::check_files(from, manifest, chosen)?;
        let mut services = Vec::new();
        for (name, kept) in manifest.services.iter().filter(|(name, _)| chosen(name)) {
            let dir = ServiceDir::new(from, &kept.folder);
            let log = |dir: PathBuf, cut| Log { dir, cut, _hold: None };
            let notes = kept.notes.as_ref().map(|notes| beside::read_notes(from, notes)).transpose()?;
            services.push(Service {
                name: name.clone(),
                folder: kept.folder.clone(),
                events: log(dir.events(), kept.events.cut()),
                commands: kept.commands.as_ref().map(|commands| log(dir.commands(), commands.cut())),
                notes: notes.unwrap_or_default(),
            });
        }
        let read = |path: PathBuf| std::fs::read(&path).map_err(|cause| Failure::Read { path, cause });
        let audit = manifest.audit.iter().map(|one| Ok((one.name.clone(), read(from.join(&one.file))?)));
        Ok(Self { services, audit: audit.collect::<Result<_, Failure>>()? })
    }

    fn of_data(from: &Path, asked: Option<&str>) -> Result<Self, Failure> {
        layout::check_finished(from)?;
        let mut found = layout::services(from)?;
        check_known(from, asked, found.iter().map(|(name, _)| name.as_str()))?;
        found.retain(|(name, _)| asked.is_none_or(|asked| asked == name));
        let mut services = Vec::new();
        for (name, dir) in found {
            let Some(events) = at_rest(from, dir.events())? else { continue };
            let commands = at_rest(from, dir.commands())?;
            let (folder, notes) = (layout::folder(from, &dir), beside::notes(&dir)?);
            services.push(Service { name, folder, events, commands, notes });
        }
        Ok(Self { services, audit: beside::audit(from)? })
    }
}

/// The log in a folder, if there is one, held so that nobody begins to write to it.
fn at_rest(from: &Path, dir: PathBuf) -> Result<Option<Log>, Failure> {
    if !exists(&dir)? {
        return Ok(None);
    }
    let hold = hold(&dir)?.ok_or_else(|| Failure::SourceRuns { dir: from.to_owned() })?;
    let cut = durable_cut(&dir)?;
    Ok(Some(Log { dir, cut, _hold: Some(hold) }))
}

fn check_known<'a>(
    from: &Path,
    asked: Option<&str>,
    known: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    let Some(asked) = asked else { return Ok(()) };
    let known: Vec<_> = known.collect();
    if known.contains(&asked) {
        return Ok(());
    }
    let (asked, known, from) = (asked.to_owned(), known.join(", "), from.to_owned());
    Err(Failure::NoService { asked, known, from })
}
