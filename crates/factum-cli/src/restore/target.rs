//! Where a restore goes. What is made stands aside until all of it is there, checked and durable; then it is moved to
//! its place.

use crate::{
    backup::{Failure, files},
    layout::{self, ServiceDir},
};
use factum::log::hold;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A data directory to restore to.
#[derive(Debug)]
pub(super) struct Target {
    data: PathBuf,
    staging: PathBuf,
}

impl Target {
    /// Begins to restore to `data`: as a whole, or only these folders of it. Nothing may be there yet.
    pub(super) fn begin(data: &Path, folders: &[&str], is_whole: bool) -> Result<Self, Failure> {
        let staging = layout::staging(data);
        if staging.exists() {
            return Err(Failure::Restoring { data: data.to_owned(), staging });
        }
        let taken = |folder: &str| if is_whole { data.to_owned() } else { data.join(folder) };
        for place in folders.iter().map(|folder| taken(folder)) {
            if !files::is_empty(&place)? {
                return Err(if runs(data)? {
                    Failure::TargetRuns { dir: data.to_owned() }
                } else {
                    Failure::Occupied { dir: place }
                });
            }
        }
        files::make_dir(data)?;
        match fs::create_dir(&staging) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Failure::Restoring { data: data.to_owned(), staging });
            }
            made => made.map_err(|cause| Failure::Write { path: staging.clone(), cause })?,
        }
        files::sync_dir(data)?;
        Ok(Self { data: data.to_owned(), staging })
    }

    /// Where all of it stands until it is finished.
    pub(super) fn begun(&self) -> &Path {
        &self.staging
    }

    /// Where the folders of a service are made.
    pub(super) fn service(&self, folder: &str) -> Result<ServiceDir, Failure> {
        let dir = ServiceDir::new(&self.staging, folder);
        let made = dir.create();
        made.map_err(|cause| Failure::Write { path: dir.path().to_owned(), cause })?;
        Ok(dir)
    }

    /// Puts a file beside the services.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        files::write(&self.staging.join(name), bytes).map(drop)
    }

    /// Moves all that was made to its place. Until the last step no service runs on any of it.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self { data, staging } = &self;
        sync_all(staging)?;
        let unread = |cause| Failure::Read { path: staging.clone(), cause };
        for entry in fs::read_dir(staging).map_err(unread)? {
            let (from, name) = entry.map(|entry| (entry.path(), entry.file_name())).map_err(unread)?;
            let place = data.join(name);
            fs::rename(from, &place).map_err(|cause| Failure::Write { path: place, cause })?;
        }
        files::sync_dir(data)?;
        fs::remove_dir(staging).map_err(|cause| Failure::Write { path: staging.clone(), cause })?;
        for above in std::path::absolute(data).unwrap_or_else(|_| data.clone()).ancestors() {
            match files::sync_dir(above) {
                Err(Failure::Write { cause, .. }) if cause.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced?,
            }
        }
        Ok(())
    }
}

/// Whether a service has one of the logs there.
fn runs(data: &Path) -> Result<bool, Failure> {
    let Ok(services) = layout::services(data) else { return Ok(false) };
    for (_, dir) in services {
        for log in [dir.events(), dir.commands()] {
            if log.is_dir() && hold(&log)?.is_none() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Makes the names in a directory and in all below it durable. Who wrote the files synced them.
fn sync_all(dir: &Path) -> Result<(), Failure> {
    let unread = |cause| Failure::Read { path: dir.to_owned(), cause };
    for entry in fs::read_dir(dir).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.is_dir() {
            sync_all(&path)?;
        }
    }
    files::sync_dir(dir)
}
