//! What every store of read models says in the same words when it refuses.

use super::{Build, CommitError};
use crate::{ErrorKind, StoreError};

impl Build {
    /// What is said of a build that was made for other tables than it is opened for.
    pub fn other_tables(&self) -> StoreError {
        let what = format!(
            "open build {self}: it was made for other tables, indexes or fields: raise the version of \
             `{}`, so that a new build is made",
            self.projection
        );
        StoreError::new(ErrorKind::FixInput, what)
    }

    /// What is said to who begins to write it when another has claimed it since: of kind `Reopen`.
    pub fn fenced(&self) -> StoreError {
        StoreError::new(ErrorKind::Reopen, CommitError::Fenced { build: self.clone() }.to_string())
    }
}
