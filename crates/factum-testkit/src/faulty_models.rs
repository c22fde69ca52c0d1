//! Read models as a process meets them that is slow, unlucky, and dies: as [`crate::FaultyStore`] is for a log.

use crate::faulty::{Life, Point, unlucky};
use factum::store::{
    BoxFuture, ReadModel, ReadModels,
    read_models::{
        Build, BuildTx, Checkpoint, Claim, CommitError, Document, Listing, Parked, ParkedQuery, Reading, Row,
        Tables,
    },
};
use factum::{Position, StoreError, Value};
use std::{fmt, sync::Arc};

/// Read models behind the faults of a [`Life`].
#[derive(Debug)]
pub struct FaultyReadModels {
    name: &'static str,
    inner: Arc<dyn ReadModels>,
    life: Arc<Life>,
}

/// How the process meets one thing of them.
#[derive(Clone, Debug)]
struct Meeting {
    name: &'static str,
    life: Arc<Life>,
}

#[derive(Debug)]
struct FaultyModel {
    inner: Arc<dyn ReadModel>,
    meeting: Meeting,
}

struct FaultyTx {
    inner: Box<dyn BuildTx>,
    meeting: Meeting,
}

impl fmt::Debug for FaultyTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyTx").field("meeting", &self.meeting).finish_non_exhaustive()
    }
}

impl FaultyReadModels {
    /// `inner`, as the process of `life` meets it.
    pub fn new(name: &'static str, inner: Arc<dyn ReadModels>, life: Arc<Life>) -> Arc<Self> {
        Arc::new(Self { name, inner, life })
    }

    fn meeting(&self) -> Meeting {
        Meeting { name: self.name, life: Arc::clone(&self.life) }
    }
}

impl Meeting {
    async fn point(&self, operation: &'static str, after: bool) -> Result<(), StoreError> {
        self.life.point(|| Point { store: self.name, operation, commit: None, after }).await
    }

    /// What is done between its two points.
    async fn doing<T>(
        &self,
        operation: &'static str,
        doing: BoxFuture<'_, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.point(operation, false).await?;
        if self.life.is_unlucky() {
            return Err(unlucky());
        }
        let done = doing.await;
        self.point(operation, true).await?;
        done
    }

    fn model(&self, inner: Arc<dyn ReadModel>) -> Arc<dyn ReadModel> {
        Arc::new(FaultyModel { inner, meeting: self.clone() })
    }

    fn tx(&self, inner: Box<dyn BuildTx>) -> Box<dyn BuildTx> {
        Box::new(FaultyTx { inner, meeting: self.clone() })
    }
}

impl ReadModels for FaultyReadModels {
    fn builds<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Vec<Build>, StoreError>> {
        Box::pin(async move { self.meeting().doing("builds", self.inner.builds(projection)).await })
    }

    fn open<'a>(
        &'a self,
        build: &'a Build,
        tables: &'a Tables,
    ) -> BoxFuture<'a, Result<Arc<dyn ReadModel>, StoreError>> {
        Box::pin(async move {
            let meeting = self.meeting();
            Ok(meeting.model(meeting.doing("open", self.inner.open(build, tables)).await?))
        })
    }

    fn find<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<Option<Arc<dyn ReadModel>>, StoreError>> {
        Box::pin(async move {
            let meeting = self.meeting();
            let found = meeting.doing("find", self.inner.find(build)).await?;
            Ok(found.map(|found| meeting.model(found)))
        })
    }

    fn remove<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.meeting().doing("remove-build", self.inner.remove(build)).await })
    }

    fn notes<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Option<bytes::Bytes>, StoreError>> {
        Box::pin(async move { self.meeting().doing("notes", self.inner.notes(projection)).await })
    }

    fn note<'a>(&'a self, projection: &'a str, notes: bytes::Bytes) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.meeting().doing("note", self.inner.note(projection, notes)).await })
    }
}

impl ReadModel for FaultyModel {
    fn build(&self) -> &Build {
        self.inner.build()
    }

    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        Box::pin(self.meeting.doing("claim", self.inner.claim()))
    }

    fn begin(&self, fence: u64) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>> {
        Box::pin(
            async move { Ok(self.meeting.tx(self.meeting.doing("begin", self.inner.begin(fence)).await?)) },
        )
    }

    fn scratch(&self) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>> {
        Box::pin(
            async move { Ok(self.meeting.tx(self.meeting.doing("scratch", self.inner.scratch()).await?)) },
        )
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Checkpoint>, StoreError>> {
        Box::pin(self.meeting.doing("checkpoint", self.inner.checkpoint()))
    }

    fn document<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Reading<Option<Document>>, StoreError>> {
        Box::pin(self.meeting.doing("document", self.inner.document(key)))
    }

    fn documents<'a>(
        &'a self,
        listing: &'a Listing,
    ) -> BoxFuture<'a, Result<Reading<Vec<Document>>, StoreError>> {
        Box::pin(self.meeting.doing("documents", self.inner.documents(listing)))
    }

    fn rows<'a>(
        &'a self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Reading<Vec<Row>>, StoreError>> {
        Box::pin(self.meeting.doing("rows", self.inner.rows(sql, values)))
    }

    fn parked<'a>(&'a self, query: &'a ParkedQuery) -> BoxFuture<'a, Result<Vec<Parked>, StoreError>> {
        Box::pin(self.meeting.doing("parked", self.inner.parked(query)))
    }

    fn parked_counts(&self) -> BoxFuture<'_, Result<(u64, u64), StoreError>> {
        Box::pin(self.meeting.doing("parked-counts", self.inner.parked_counts()))
    }

    fn parked_keys(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>> {
        Box::pin(self.meeting.doing("parked-keys", self.inner.parked_keys(limit)))
    }
}

impl BuildTx for FaultyTx {
    fn execute<'a>(&'a mut self, sql: &'a str, values: Vec<Value>) -> BoxFuture<'a, Result<u64, StoreError>> {
        let Self { inner, meeting } = self;
        Box::pin(meeting.doing("execute", inner.execute(sql, values)))
    }

    fn rows<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        let Self { inner, meeting } = self;
        Box::pin(meeting.doing("tx-rows", inner.rows(sql, values)))
    }

    fn document<'a>(&'a mut self, key: &'a str) -> BoxFuture<'a, Result<Option<Document>, StoreError>> {
        let Self { inner, meeting } = self;
        Box::pin(meeting.doing("tx-document", inner.document(key)))
    }

    fn put(&mut self, documents: Vec<Document>) -> BoxFuture<'_, Result<(), StoreError>> {
        let Self { inner, meeting } = self;
        Box::pin(meeting.doing("put", inner.put(documents)))
    }

    fn remove<'a>(&'a mut self, keys: &'a [Arc<str>]) -> BoxFuture<'a, Result<(), StoreError>> {
        let Self { inner, meeting } = self;
        Box::pin(meeting.doing("remove", inner.remove(keys)))
    }

    fn park(&mut self, parked: Vec<Parked>) -> BoxFuture<'_, Result<(), StoreError>> {
        let Self { inner, meeting } = self;
        Box::pin(meeting.doing("park", inner.park(parked)))
    }

    fn unpark<'a>(&'a mut self, position: Position, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let Self { inner, meeting } = self;
        Box::pin(meeting.doing("unpark", inner.unpark(position, key)))
    }

    fn commit(
        self: Box<Self>,
        checkpoint: Option<Checkpoint>,
    ) -> BoxFuture<'static, Result<(), CommitError>> {
        let Self { inner, meeting } = *self;
        Box::pin(async move {
            meeting.point("commit", false).await?;
            if meeting.life.is_unlucky() {
                return Err(unlucky().into());
            }
            let lost = meeting.life.loses_an_answer();
            if lost && meeting.life.one_in(2) {
                return Err(unlucky().into());
            }
            let committed = inner.commit(checkpoint).await;
            meeting.point("commit", true).await?;
            // Kept, and yet told that it was not.
            if lost { Err(unlucky().into()) } else { committed }
        })
    }
}
