//! Where an application keeps what: `DIR/<service>/{events,commands,views}`, and `DIR/audit.log` beside them. A
//! directory that is a backup, or that a restore has not finished, is no data to run on.

use crate::backup::manifest::MANIFEST;
use std::{
    io,
    path::{Path, PathBuf},
};

/// The folder of a log of events.
const EVENTS: &str = "events";

/// What was denied, in all services.
pub(crate) fn audit(data: &Path) -> PathBuf {
    data.join("audit.log")
}

/// What was denied, the file of now and the one before it.
pub(crate) fn audits(data: &Path) -> [PathBuf; 2] {
    [audit(data), data.join("audit.log.1")]
}

/// Where a restore makes what it then moves to its place.
pub(crate) fn staging(data: &Path) -> PathBuf {
    data.join(".restoring")
}

/// Refused, if no service may run on what is there.
pub(crate) fn check_finished(data: &Path) -> Result<(), DataError> {
    if staging(data).exists() {
        return Err(DataError::Restoring { dir: data.to_owned(), staging: staging(data) });
    }
    if data.join(MANIFEST).exists() {
        return Err(DataError::Backup { dir: data.to_owned() });
    }
    Ok(())
}

/// The folders of one service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceDir(PathBuf);

impl ServiceDir {
    pub(crate) fn new(data: &Path, service: &str) -> Self {
        Self(data.join(service))
    }

    /// What an app is opened on.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The log of events, which the app keeps there.
    pub(crate) fn events(&self) -> PathBuf {
        self.0.join(EVENTS)
    }

    /// The log of accepted commands, which the app keeps there if it decides any.
    pub(crate) fn commands(&self) -> PathBuf {
        self.0.join("commands")
    }

    /// The read models, which the app keeps there.
    pub(crate) fn views(&self) -> PathBuf {
        self.0.join("views")
    }

    /// Whether that log was begun: the folder alone is no log.
    pub(crate) fn has_commands(&self) -> bool {
        std::fs::read_dir(self.commands()).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Makes the folders that are not there.
    pub(crate) fn create(&self) -> io::Result<()> {
        [self.events(), self.commands(), self.views()].iter().try_for_each(std::fs::create_dir_all)
    }
}

/// Why a data directory was not looked into.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error("could not read the data directory {}: {cause}", dir.display())]
    Unreadable { dir: PathBuf, cause: io::Error },
    #[error("there is no service's log in {}: name the directory given to --data", dir.display())]
    NoServices { dir: PathBuf },
    #[error("{} is a backup: `restore` makes data of it, in another directory", dir.display())]
    Backup { dir: PathBuf },
    #[error("what a restore to {} makes is not all there. If none is under way, what was begun is in {}: move that folder away or remove it, and restore again", dir.display(), staging.display())]
    Restoring { dir: PathBuf, staging: PathBuf },
    #[error(transparent)]
    Log(#[from] factum::log::OpenError),
}

/// Where a service has its folder below `data`; nothing, if `data` is that folder itself.
pub(crate) fn folder(data: &Path, dir: &ServiceDir) -> String {
    let below = dir.path().strip_prefix(data).unwrap_or(Path::new(""));
    below.to_string_lossy().into_owned()
}

/// The services that have a log of events under `data`, by name. Where `data` is itself the folder of one
/// application, as `App::embedded` keeps it, that is the one.
pub(crate) fn services(data: &Path) -> Result<Vec<(String, ServiceDir)>, DataError> {
    let unreadable = |cause| DataError::Unreadable { dir: data.to_owned(), cause };
    let mut services = Vec::new();
    if data.join(EVENTS).join("meta").is_file() {
        let name = data.canonicalize().map_err(unreadable)?;
        let name = name.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        return Ok(vec![(name, ServiceDir(data.to_owned()))]);
    }
    for entry in std::fs::read_dir(data).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let dir = ServiceDir(entry.path());
        if dir.events().is_dir() {
            services.push((entry.file_name().to_string_lossy().into_owned(), dir));
        }
    }
    if services.is_empty() {
        return Err(DataError::NoServices { dir: data.to_owned() });
    }
    services.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(services)
}
