//! What becomes of SQLite's errors: which kind each code is of. The text is told and never looked at.

use factum_store::{Build, ErrorKind, StoreError};
use rusqlite::{Error, ErrorCode};
use std::path::Path;

/// Most characters of a statement that an error repeats.
const WORDS_MAX: usize = 80;

/// What an error is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) build: &'a Build,
    pub(super) file: &'a Path,
}

impl About<'_> {
    /// A statement of ours failed while this was done.
    pub(super) fn failed(self, doing: &str, cause: &Error) -> StoreError {
        let (build, file, told) = (self.build, self.file.display(), told(cause));
        // A statement of ours is never wrong: tables are not as they were made.
        let kind = outside(cause).unwrap_or(ErrorKind::RepairData);
        let what = match kind {
            ErrorKind::RepairData => format!(
                "{doing} build {build}: its file {file} is damaged ({told}): take the build away and make it \
                 again, all of it follows from the log"
            ),
            _ => format!("{doing} build {build}, in {file}: {told}"),
        };
        StoreError::new(kind, what)
    }

    /// A statement of a projection or a query failed.
    pub(super) fn refused(self, sql: &str, cause: &Error) -> StoreError {
        match outside(cause) {
            Some(ErrorKind::RepairData) => self.failed("carry out a statement on", cause),
            Some(kind) => {
                let (build, file, told) = (self.build, self.file.display(), told(cause));
                StoreError::new(
                    kind,
                    format!("carry out `{}` on build {build}, in {file}: {told}", words(sql)),
                )
            }
            None => self.wrong(sql, &told(cause)),
        }
    }

    /// A statement of a projection or a query is wrong.
    pub(super) fn wrong(self, sql: &str, cause: &str) -> StoreError {
        let what = format!("carry out `{}` on build {}: {cause}", words(sql), self.build);
        StoreError::new(ErrorKind::FixInput, what)
    }
}

/// The kind, unless the statement itself is at fault.
pub(super) fn outside(cause: &Error) -> Option<ErrorKind> {
    match cause.sqlite_error_code()? {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(ErrorKind::RepairData),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport => Some(ErrorKind::Retry),
        ErrorCode::InternalMalfunction | ErrorCode::ApiMisuse => Some(ErrorKind::ReportBug),
        _ => None,
    }
}

/// Whether there was no room for it. The file that connections share memory through (`-shm`) grows as well, and
/// SQLite tells of that one as of any failed write.
fn is_no_room(cause: &Error) -> bool {
    cause.sqlite_error().is_some_and(|error| {
        error.code == ErrorCode::DiskFull || error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
    })
}

/// Without the statement, which may be long.
pub(super) fn told(cause: &Error) -> String {
    if is_no_room(cause) {
        return "there is no room left on the disk: make room first".to_owned();
    }
    match cause {
        Error::SqlInputError { error, msg, .. } | Error::SqliteFailure(error, Some(msg)) => {
            match error.code {
                ErrorCode::AuthorizationForStatementDenied => format!(
                    "{msg}: a query only reads, and a projection leaves transactions, pragmas, other files, temporary \
                 tables and what begins with `factum_` alone"
                ),
                _ => msg.clone(),
            }
        }
        Error::MultipleStatement => "there are several statements: carry out one at a time".to_owned(),
        _ => cause.to_string(),
    }
}

/// The first words of a statement.
fn words(sql: &str) -> String {
    let mut words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(WORDS_MAX) {
        words.truncate(end);
        words.push_str(" ..");
    }
    words
}
