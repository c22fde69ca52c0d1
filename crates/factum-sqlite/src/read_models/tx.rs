//! A transaction on a build. What it does is done at once, in the thread that asks: it is short, and nobody waits
//! for the disk until SQLite moves changes from the file beside into the file itself.

use super::{
    authority::Who,
    failure::About,
    place::Place,
    statement,
    tables::{self, Documents, is_no_number},
    writer::Writing,
};
use factum_event::{Position, Value};
use factum_store::{
    BoxFuture, BuildTx, Checkpoint, CommitError, ErrorKind, Row, StoreError,
    read_models::{DOCUMENT_BYTES_MAX, DOCUMENT_KEY_BYTES_MAX, Document, Parked},
};
use std::sync::Arc;

/// Given to who has the fence.
pub(super) struct SqliteTx {
    pub(super) place: Arc<Place>,
    pub(super) documents: Arc<Documents>,
    pub(super) writing: Writing,
    /// None: it is never kept.
    pub(super) fence: Option<u64>,
}

impl SqliteTx {
    fn about(&self) -> About<'_> {
        self.place.about()
    }

    fn put_now(&self, documents: &[Document]) -> Result<(), StoreError> {
        let failed = |cause: rusqlite::Error| self.about().failed("put documents in", &cause);
        let conn = self.writing.conn()?;
        let mut put = self.documents.putting(conn).map_err(failed)?;
        let mut body = Vec::new();
        for document in documents {
            body.clear();
            self.encode(document, &mut body)?;
            put(document, &body).map_err(failed)?;
        }
        Ok(())
    }

    /// Adds to `body` what is stored of a document, unless it cannot be.
    fn encode(&self, document: &Document, body: &mut Vec<u8>) -> Result<(), StoreError> {
        let wrong = |cause: String| {
            let what = format!("put document `{}` in build {}: {cause}", document.key, self.place.build);
            StoreError::new(ErrorKind::FixInput, what)
        };
        if document.key.len() > DOCUMENT_KEY_BYTES_MAX {
            let bytes = document.key.len();
            return Err(wrong(format!("its key has {bytes} bytes, {DOCUMENT_KEY_BYTES_MAX} are allowed")));
        }
        if document.indexed.len() != self.documents.indexes {
            let (has, needs) = (document.indexed.len(), self.documents.indexes);
            return Err(wrong(format!("it has {has} values for indexes, the build has {needs} indexes")));
        }
        if let Some(number) = document.indexed.iter().position(is_no_number) {
            return Err(wrong(format!("its value for index {number} is not a number (NaN)")));
        }
        document.body.encode(body).map_err(wrong)?;
        if body.len() > DOCUMENT_BYTES_MAX {
            return Err(wrong(format!("it has {} bytes, {DOCUMENT_BYTES_MAX} are allowed", body.len())));
        }
        Ok(())
    }

    fn commit_now(self, checkpoint: Option<Checkpoint>) -> Result<(), CommitError> {
        let Some(fence) = self.fence else {
            return Err(CommitError::Fenced { build: self.place.build.clone() });
        };
        let failed = |cause: rusqlite::Error| self.about().failed("commit to", &cause);
        self.place.check()?;
        let conn = self.writing.conn()?;
        if !tables::set_checkpoint(conn, fence, checkpoint).map_err(failed)? {
            return Err(CommitError::Fenced { build: self.place.build.clone() });
        }
        conn.commit().map_err(failed)?;
        Ok(())
    }
}

impl BuildTx for SqliteTx {
    fn execute<'a>(&'a mut self, sql: &'a str, values: Vec<Value>) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { statement::execute(self.writing.conn()?, self.about(), sql, &values) })
    }

    fn rows<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(
            async move { statement::rows(self.writing.conn()?, Who::Writer, self.about(), sql, &values) },
        )
    }

    fn document<'a>(&'a mut self, key: &'a str) -> BoxFuture<'a, Result<Option<Document>, StoreError>> {
        Box::pin(async move {
            let found = self.documents.get(self.writing.conn()?, key);
            let (document, _) = found.map_err(|cause| self.about().failed("read a document of", &cause))?;
            Ok(document)
        })
    }

    fn put(&mut self, documents: Vec<Document>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.put_now(&documents) })
    }

    fn remove<'a>(&'a mut self, keys: &'a [Arc<str>]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            tables::remove(self.writing.conn()?, keys.iter().map(|key| &**key))
                .map_err(|cause| self.about().failed("remove documents of", &cause))
        })
    }

    fn park(&mut self, parked: Vec<Parked>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            tables::park(self.writing.conn()?, &parked)
                .map_err(|cause| self.about().failed("park events in", &cause))
        })
    }

    fn unpark<'a>(&'a mut self, position: Position, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            tables::unpark(self.writing.conn()?, position, key)
                .map_err(|cause| self.about().failed("unpark an event in", &cause))
        })
    }

    fn commit(
        self: Box<Self>,
        checkpoint: Option<Checkpoint>,
    ) -> BoxFuture<'static, Result<(), CommitError>> {
        Box::pin(async move { self.commit_now(checkpoint) })
    }
}
