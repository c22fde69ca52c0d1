//! A projection into tables, as applications write it.

use factum_domain::{Page, Projection};
use factum_store::{Sql, StoreError, Tx};
use std::fmt;

/// What a projection writes for a page of events, on the database `Db`. One implementation over any `Db` serves
/// every database; one over a named database may use what only that has.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it writes on `{Db}`",
    label = "not a projection on this database",
    note = "`impl<Db: Sql> SqlProjection<Db> for {Self}` serves every database; `impl SqlProjection<Sqlite> for \
            {Self}` serves applications on that one alone"
)]
pub trait SqlProjection<Db: Sql>: Projection {
    /// The statements that make its tables, with `;` between them. A change of them takes a new
    /// [`Projection::VERSION`].
    const SCHEMA: &'static str;

    /// Writes what follows from these events, all in one transaction with the checkpoint. Whatever it reads
    /// comes from the transaction, the events and nothing else: it is run again after a failure, and by every
    /// rebuild.
    fn apply(
        &self,
        page: &Page<Self::Event>,
        tx: &mut Tx<'_, Db>,
    ) -> impl Future<Output = Result<(), ApplyError>> + Send;

    /// Takes out what was written for the events of one [`Projection::key`], so that it can be made anew.
    fn forget(&self, key: &str, tx: &mut Tx<'_, Db>) -> impl Future<Output = Result<(), ApplyError>> + Send {
        let _ = (key, tx);
        async { Err(ApplyError::new("the projection does not say how to forget one key: rebuild all of it")) }
    }

    /// Told of events after they were applied and kept, for what is to be done outside: never of one twice, and
    /// never by a rebuild, up to where an earlier build had come. After a crash some may not be told of: what must
    /// not be missed is not done here.
    fn kept(&self, page: &Page<Self::Event>) -> impl Future<Output = ()> + Send {
        let _ = page;
        async {}
    }
}

/// Why a page was not applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The database refused a statement, or could not carry it out. Only the former is the events' fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The projection refused an event.
    #[error("{0}")]
    Refused(String),
}

impl ApplyError {
    /// The projection refuses an event, for this cause: lower case, naming what is wrong.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self::Refused(cause.to_string())
    }
}
