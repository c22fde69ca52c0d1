//! What is kept beside the logs and does not follow from them: what is noted of projections, and what was denied.

use super::{
    Failure, files,
    manifest::{Beside, Sum},
};
use crate::layout::{self, ServiceDir};
use factum::{SqliteReadModels, block_on};
use serde_json::{Map, Value};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What a backup calls the notes of a service.
pub(crate) const NOTES: &str = "projections.json";
/// The file of denials may step aside while it is read: then it is read again, so often at most.
const READS_MAX: usize = 16;

/// What is noted of each projection, as it is stored: plain JSON.
pub(crate) type Notes = Map<String, Value>;

/// The notes of a service.
pub(crate) fn notes(dir: &ServiceDir) -> Result<Notes, Failure> {
    let views = dir.views();
    let unread = |cause: String| Failure::Notes { path: views.clone(), cause };
    let all =
        block_on(SqliteReadModels::at(&views).all_notes()).map_err(|cause| unread(cause.to_string()))?;
    let mut notes = Notes::new();
    for (name, stored) in all {
        let value = serde_json::from_slice(&stored).map_err(|cause| unread(format!("{name}: {cause}")))?;
        notes.insert(name, value);
    }
    Ok(notes)
}

/// Keeps the notes in the backup.
pub(crate) fn keep_notes(to: &Path, folder: &str, run: u64, notes: &Notes) -> Result<Beside, Failure> {
    let file = PathBuf::from(folder).join(format!("projections-{run}.json"));
    let json = serde_json::to_vec_pretty(notes).expect("notes are plain data");
    let sum = files::write(&to.join(&file), &json)?;
    Ok(Beside { file, name: NOTES.to_owned(), sum })
}

/// The notes that a backup holds.
pub(crate) fn read_notes(from: &Path, kept: &Beside) -> Result<Notes, Failure> {
    let path = from.join(&kept.file);
    let bytes = fs::read(&path).map_err(|cause| Failure::Read { path: path.clone(), cause })?;
    serde_json::from_slice(&bytes).map_err(|cause| Failure::Manifest { path, cause })
}

/// What was denied so far, by the names of the files, up to the last whole line of each.
pub(crate) fn audit(data: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let [now, before] = layout::audits(data);
    for _ in 0..READS_MAX {
        let Some((file, bytes)) = open(&now)? else {
            // None yet; or it steps aside in this moment, and then there is one before.
            if open(&before)?.is_none() {
                return Ok(Vec::new());
            }
            continue;
        };
        let older = open(&before)?;
        // What was read as the one of now may have become the one before.
        if is_still(&file, &now) {
            let older = older.map(|(_, bytes)| (name(&before), whole_lines(bytes)));
            let all = older.into_iter().chain([(name(&now), whole_lines(bytes))]);
            return Ok(all.collect());
        }
    }
    // Without a writer that moves it, one of two may stand alone.
    let older = open(&before)?.map(|(_, bytes)| (name(&before), whole_lines(bytes)));
    Ok(older.into_iter().collect())
}

/// Keeps what was denied in the backup.
pub(crate) fn keep_audit(to: &Path, run: u64, name: &str, bytes: &[u8]) -> Result<Beside, Failure> {
    let file = PathBuf::from(format!("{name}-{run}"));
    let sum: Sum = files::write(&to.join(&file), bytes)?;
    Ok(Beside { file, name: name.to_owned(), sum })
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn open(path: &Path) -> Result<Option<(File, Vec<u8>)>, Failure> {
    let unread = |cause| Failure::Read { path: path.to_owned(), cause };
    let mut file = match File::open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(unread)?,
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unread)?;
    Ok(Some((file, bytes)))
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same =
        |open: fs::Metadata, named: fs::Metadata| (open.dev(), open.ino()) == (named.dev(), named.ino());
    file.metadata().and_then(|open| Ok(same(open, fs::metadata(path)?))).unwrap_or(false)
}

#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

fn whole_lines(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    bytes.truncate(end);
    bytes
}
