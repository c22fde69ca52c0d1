//! Why a backup was not taken, or not restored, and what to do.

use crate::layout::DataError;
use factum::{Position, RestoreError, log::OpenError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("{0}")]
    Log(#[from] OpenError),
    #[error("could not read {}: {cause}", path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error("could not write {}: {cause}{}", path.display(), no_room(cause))]
    Write { path: PathBuf, cause: io::Error },
    #[error("could not read what is noted of projections in {}: {cause}", path.display())]
    Notes { path: PathBuf, cause: String },
    #[error("could not keep what is noted of projections in {}: {cause}", path.display())]
    KeepNotes { path: PathBuf, cause: String },
    #[error("{} says nothing that this build can read: {cause}: take another backup", path.display())]
    Manifest { path: PathBuf, cause: serde_json::Error },
    #[error("{} has format {format}, and this build reads format 1: use the build that made it", path.display())]
    Format { path: PathBuf, format: u32 },
    #[error("{} is not as it was backed up: {what}: use another backup", path.display())]
    Changed { path: PathBuf, what: String },
    #[error("the backup in {} was not finished: remove it, and use another one, or take it again", dir.display())]
    Unfinished { dir: PathBuf },
    #[error("another backup is being written to {}: wait for it, or name another directory", dir.display())]
    UnderWay { dir: PathBuf },
    #[error("the backup in {} has {service} of other data, of another life of it, or further on: name an empty directory, and keep that one", dir.display())]
    Other { dir: PathBuf, service: String },
    #[error("{} is not empty, and no backup: name an empty directory, or an earlier backup of the same data", dir.display())]
    NotEmpty { dir: PathBuf },
    #[error("there is no backup in {}: name the directory that `backup DIR TO` made", dir.display())]
    NoBackup { dir: PathBuf },
    #[error("{} is within the data: a backup belongs elsewhere, best on another disk", to.display())]
    Inside { to: PathBuf },
    #[error("a service is running on {}: take a backup beside it (`backup DIR TO`) and restore that, or stop it first", dir.display())]
    SourceRuns { dir: PathBuf },
    #[error("a service is running on {}: stop it, and name an empty directory with --data", dir.display())]
    TargetRuns { dir: PathBuf },
    #[error("there is something in {} already: nothing is restored over it. Name another directory with --data, or move that one away first", dir.display())]
    Occupied { dir: PathBuf },
    #[error("{cause}. What was begun is in {}: move that folder away or remove it, and try again", begun.display())]
    Begun { begun: PathBuf, cause: Box<Failure> },
    #[error("a restore to {} is under way or was not finished. If none is under way, what was begun is in {}: move that folder away or remove it, and restore again", data.display(), staging.display())]
    Restoring { data: PathBuf, staging: PathBuf },
    #[error("there is no service `{asked}` in {}; there are: {known}", from.display())]
    NoService { asked: String, known: String, from: PathBuf },
    #[error(
        "the events of {service} end at position {head}: --until {until} is beyond them; leave --until out for all of them"
    )]
    Beyond { service: String, until: Position, head: Position },
    #[error(
        "the logs of {service} were copied, and what became of its commands could not be written: {cause}"
    )]
    Commands { service: String, cause: RestoreError },
    #[error("what was restored of {service} is not whole: {cause}")]
    Verify { service: String, cause: OpenError },
}

impl Failure {
    /// It went wrong when something stood in `begun` already, which nobody goes on with.
    pub(crate) fn after(begun: &Path) -> impl FnOnce(Self) -> Self {
        move |cause| Self::Begun { begun: begun.to_owned(), cause: Box::new(cause) }
    }
}

fn no_room(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": make room first",
        _ => "",
    }
}
