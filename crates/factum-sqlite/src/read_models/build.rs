//! One build: a file with its tables. Point reads are done at once; listings and queries on the threads.

use super::{
    asked::{Asked, Asking},
    authority::Who,
    connection::Conn,
    listing,
    place::Place,
    readers::Readers,
    statement,
    tables::{self, Documents, MadeFor},
    threads::Threads,
    tx::SqliteTx,
    writer::{Writer, Writing},
};
use crate::database::BUSY;
use factum_event::Value;
use factum_store::{
    BoxFuture, Build, BuildTx, Checkpoint, ErrorKind, ReadModel, Row, StoreError, Tables,
    read_models::{Claim, Document, Listing, Parked, ParkedQuery, Reading},
};
use rusqlite::Error;
use std::{sync::Arc, time::Duration};

#[derive(Debug)]
pub(super) struct SqliteBuild(Arc<Opened>);

/// A build that is open. Closed in this order: the last connection of all tidies up the files.
#[derive(Debug)]
pub(super) struct Opened {
    readers: Readers,
    writer: Arc<Writer>,
    place: Arc<Place>,
    made_for: MadeFor,
    documents: Arc<Documents>,
    threads: Arc<Threads>,
}

impl Opened {
    /// The build in its file. Where there is none, it is made for these tables; none, if there are none.
    pub(super) fn open(
        place: Place,
        threads: Arc<Threads>,
        tables: Option<&Tables>,
    ) -> Result<Option<Arc<Self>>, StoreError> {
        if tables.is_none() && !place.file.exists() {
            return Ok(None);
        }
        let failed = |cause: Error| place.about().failed("open", &cause);
        let conn = Conn::writer(&place.file, place.synchronous, tables.is_some()).map_err(failed)?;
        let layout = match (tables::layout(&conn).map_err(failed)?, tables) {
            (Some(layout), _) => layout,
            (None, None) => return Ok(None),
            (None, Some(tables)) => make(&conn, &place, tables)?,
        };
        if layout != tables::LAYOUT {
            let what = format!(
                "open build {}: {} has layout {layout}, this is for layout {}: rebuild the projection",
                place.build,
                place.file.display(),
                tables::LAYOUT
            );
            return Err(StoreError::new(ErrorKind::FixInput, what));
        }
        place.is_opened();
        let made_for = tables::made_for(&conn).map_err(failed)?;
        let readers = Readers::of(&place).map_err(failed)?;
        let documents = Arc::new(Documents::with(made_for.indexes()));
        let place = Arc::new(place);
        let writer = Writer::of(Arc::clone(&place), conn);
        Ok(Some(Arc::new(Self { readers, writer, place, made_for, documents, threads })))
    }

    pub(super) fn is_for(&self, tables: &Tables) -> bool {
        self.made_for == MadeFor::of(tables)
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// As the port has it.
    pub(super) fn shared(self: &Arc<Self>) -> Arc<dyn ReadModel> {
        Arc::new(SqliteBuild(Arc::clone(self)))
    }

    fn read<T>(&self, doing: &str, read: impl FnOnce(&Conn) -> Result<T, Error>) -> Result<T, StoreError> {
        let read = self.readers.take(&self.place).and_then(|conn| read(&conn));
        read.map_err(|cause| self.place.about().failed(doing, &cause))
    }

    fn list(&self, asked: &Listing) -> Result<Reading<Vec<Document>>, StoreError> {
        let named = asked.equal.iter().map(|(number, _)| *number).chain(asked.order);
        if let Some(number) = named.into_iter().find(|number| *number >= self.documents.indexes) {
            let what = format!(
                "list documents of build {}: there is no index {number}, there are {}",
                self.place.build, self.documents.indexes
            );
            return Err(StoreError::new(ErrorKind::FixInput, what));
        }
        self.read("list documents of", |conn| {
            conn.at_one_moment(|conn| {
                let value = listing::list(conn, &self.documents, asked)?;
                Ok(Reading { value, checkpoint: tables::checkpoint(conn)? })
            })?
        })
    }

    fn query(&self, asked: &Asked, sql: &str, values: &[Value]) -> Result<Reading<Vec<Row>>, StoreError> {
        let (about, doing) = (self.place.about(), "query");
        self.read(doing, |conn| {
            conn.at_one_moment(|conn| {
                let checkpoint = tables::checkpoint(conn).map_err(|cause| about.failed(doing, &cause))?;
                let rows = || statement::rows(conn, Who::Reader, about, sql, values);
                let value = asked.reading(conn, rows)?;
                Ok(Reading { value, checkpoint })
            })
        })?
    }

    /// The writing connection in a transaction. While another process writes, it is waited for on a thread.
    async fn writing(&self) -> Result<Writing, StoreError> {
        let mut writing = self.writer.take().await?;
        if writing.begin(Duration::ZERO)? {
            return Ok(writing);
        }
        self.threads.run(move || writing.begin(BUSY).map(|_| writing)).await
    }

    async fn begin(&self, fence: Option<u64>) -> Result<Box<dyn BuildTx>, StoreError> {
        let writing = self.writing().await?;
        if let Some(fence) = fence {
            let newest = tables::fence(writing.conn()?);
            if newest.map_err(|cause| self.place.about().failed("begin to write", &cause))? != fence {
                return Err(self.place.build.fenced());
            }
        }
        let (place, documents) = (Arc::clone(&self.place), Arc::clone(&self.documents));
        Ok(Box::new(SqliteTx { place, documents, writing, fence }))
    }

    async fn claim(&self) -> Result<Claim, StoreError> {
        let writing = self.writing().await?;
        let conn = writing.conn()?;
        let claimed = tables::claim(conn).and_then(|claim| conn.commit().map(|()| claim));
        claimed.map_err(|cause| self.place.about().failed("claim", &cause))
    }
}

/// Makes the tables, unless another did since; tells the layout that they have.
fn make(conn: &Conn, place: &Place, tables: &Tables) -> Result<i64, StoreError> {
    let failed = |cause: Error| place.about().failed("make", &cause);
    conn.begin(BUSY).map_err(failed)?;
    let layout = match tables::layout(conn).map_err(failed)? {
        Some(layout) => layout,
        None => {
            tables::make(conn, &MadeFor::of(tables)).map_err(failed)?;
            if let Tables::Sql { schema } = tables {
                let _borrowed = conn.works_for(Who::Writer);
                conn.batch(schema).map_err(|cause| place.about().refused(schema, &cause))?;
            }
            tables::LAYOUT
        }
    };
    conn.commit().map_err(failed)?;
    Ok(layout)
}

impl ReadModel for SqliteBuild {
    fn build(&self) -> &Build {
        &self.0.place.build
    }

    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>> {
        Box::pin(self.0.claim())
    }

    fn begin(&self, fence: u64) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>> {
        Box::pin(self.0.begin(Some(fence)))
    }

    fn scratch(&self) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>> {
        Box::pin(self.0.begin(None))
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Checkpoint>, StoreError>> {
        Box::pin(async { self.0.read("read the checkpoint of", tables::checkpoint) })
    }

    fn document<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Reading<Option<Document>>, StoreError>> {
        Box::pin(async move {
            let found = self.0.read("read a document of", |conn| self.0.documents.get(conn, key));
            found.map(|(value, checkpoint)| Reading { value, checkpoint })
        })
    }

    fn documents<'a>(
        &'a self,
        listing: &'a Listing,
    ) -> BoxFuture<'a, Result<Reading<Vec<Document>>, StoreError>> {
        let (build, listing) = (Arc::clone(&self.0), listing.clone());
        Box::pin(self.0.threads.run(move || build.list(&listing)))
    }

    fn rows<'a>(
        &'a self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Reading<Vec<Row>>, StoreError>> {
        let (build, sql) = (Arc::clone(&self.0), sql.to_owned());
        let asking = Asking::default();
        let asked = asking.asked();
        Box::pin(async move {
            let _asking = asking;
            self.0.threads.run(move || build.query(&asked, &sql, &values)).await
        })
    }

    fn parked<'a>(&'a self, query: &'a ParkedQuery) -> BoxFuture<'a, Result<Vec<Parked>, StoreError>> {
        Box::pin(async move { self.0.read("read parked events of", |conn| tables::parked(conn, query)) })
    }

    fn parked_counts(&self) -> BoxFuture<'_, Result<(u64, u64), StoreError>> {
        Box::pin(async { self.0.read("count parked events of", tables::parked_counts) })
    }

    fn parked_keys(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>> {
        Box::pin(async move { self.0.read("read what waits in", |conn| tables::parked_keys(conn, limit)) })
    }
}
