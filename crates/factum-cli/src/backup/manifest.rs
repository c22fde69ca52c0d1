//! What a backup says of itself: `backup.json`. It stands there from the beginning and says that the backup is not
//! finished, until it is replaced, last of all, by one that names every file with its checksum.

use super::{Failure, files};
use factum::{
    LogId, LogIdentity, Position, Sequence, Timestamp, Uuid,
    log::{CopiedSegment, Cut},
    store::Head,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// Its name.
pub(crate) const MANIFEST: &str = "backup.json";
/// The next one, until it is renamed.
const MANIFEST_NEXT: &str = "backup.json.next";
/// The form of a backup that this release makes and reads.
const FORMAT: u32 = 1;

/// As it is stored. A later format may add what this one does not know, never change what stands here.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    format: u32,
    complete: bool,
    #[serde(flatten)]
    manifest: Option<Manifest>,
}

/// A finished backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// How often a backup was finished here.
    pub(crate) run: u64,
    pub(crate) made_at: Timestamp,
    /// By name.
    pub(crate) services: BTreeMap<String, Service>,
    /// What was denied, in all services.
    pub(crate) audit: Vec<Beside>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Service {
    /// Below the data directory; empty if that is the folder of the one application itself.
    pub(crate) folder: String,
    pub(crate) events: Log,
    pub(crate) commands: Option<Log>,
    /// What is noted of projections.
    pub(crate) notes: Option<Beside>,
}

/// A log, up to where it was cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Log {
    pub(crate) id: Uuid,
    pub(crate) generation: u32,
    pub(crate) position: Position,
    pub(crate) sequence: Sequence,
    /// Of all its files.
    pub(crate) bytes: u64,
    /// Whether acknowledged commits may have been missing at its end, for its `head` was lost.
    pub(crate) watermark_lost: bool,
    pub(crate) segments: Vec<Segment>,
    pub(crate) meta: Sum,
}

/// How much of a file belongs to the backup, from its beginning, and the checksum of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) file: String,
    #[serde(flatten)]
    pub(crate) sum: Sum,
    pub(crate) position: Position,
    pub(crate) sequence: Sequence,
}

/// A file that is no log: its name in the backup, and the one that it had and is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    pub(crate) file: PathBuf,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) sum: Sum,
}

impl Log {
    pub(crate) fn identity(&self) -> LogIdentity {
        LogIdentity { log: LogId::new(self.id), generation: self.generation }
    }

    /// Where it was cut.
    pub(crate) fn cut(&self) -> Cut {
        let head = Head { position: self.position, sequence: self.sequence };
        Cut { identity: self.identity(), head, watermark_lost: self.watermark_lost }
    }

    /// Its segments, as a later copy goes on from them.
    pub(crate) fn held(&self) -> Vec<CopiedSegment> {
        let held = |segment: &Segment| CopiedSegment {
            name: segment.file.clone(),
            bytes: segment.sum.bytes,
            head: Head { position: segment.position, sequence: segment.sequence },
        };
        self.segments.iter().map(held).collect()
    }
}

/// What is found in a directory.
#[derive(Debug)]
pub(crate) enum Found {
    /// It is no backup.
    None,
    /// One that was not finished.
    Unfinished,
    Finished(Manifest),
}

impl Found {
    /// What `dir` holds.
    pub(crate) fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(MANIFEST);
        let bytes = match std::fs::read(&path) {
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Self::None);
            }
            read => read.map_err(|cause| Failure::Read { path: path.clone(), cause })?,
        };
        // The format before all else: another one may say the rest in other words.
        let format = serde_json::from_slice(&bytes).map(|format: Format| format.format);
        match format {
            Ok(FORMAT) => {}
            Ok(format) => return Err(Failure::Format { path, format }),
            Err(cause) => return Err(Failure::Manifest { path, cause }),
        }
        match serde_json::from_slice(&bytes) {
            Ok(Stored { complete: true, manifest: Some(manifest), .. }) => Ok(Self::Finished(manifest)),
            Ok(Stored { complete: false, .. }) => Ok(Self::Unfinished),
            Ok(Stored { manifest: None, .. }) => {
                // Once more, for the reason.
                let cause = serde_json::from_slice::<Manifest>(&bytes).err();
                let cause = cause.unwrap_or_else(|| serde::de::Error::custom("it is not complete"));
                Err(Failure::Manifest { path, cause })
            }
            Err(cause) => Err(Failure::Manifest { path, cause }),
        }
    }
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Says that a backup was begun in `dir`.
pub(crate) fn begin(dir: &Path) -> Result<(), Failure> {
    write(dir, &Stored { format: FORMAT, complete: false, manifest: None })
}

/// Says that it is finished.
pub(crate) fn finish(dir: &Path, manifest: Manifest) -> Result<(), Failure> {
    write(dir, &Stored { format: FORMAT, complete: true, manifest: Some(manifest) })
}

fn write(dir: &Path, stored: &Stored) -> Result<(), Failure> {
    let mut json = serde_json::to_vec_pretty(stored).expect("a manifest is plain data");
    json.push(b'\n');
    let (next, path) = (dir.join(MANIFEST_NEXT), dir.join(MANIFEST));
    files::write(&next, &json)?;
    std::fs::rename(&next, &path).map_err(|cause| Failure::Write { path, cause })?;
    files::sync_dir(dir)
}
