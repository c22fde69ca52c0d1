//! Queries over a projection's tables: as they are kept, or with what is not applied yet in a transaction that is
//! not.

use super::{
    ProjectionState, Projections, QueryError,
    definition::{Fault, lane_of_key, lane_of_stream, lane_of_stream_named, query_all},
    parked::first_of_key,
};
use factum_domain::Projection;
use factum_event::{Position, Token, Value};
use factum_store::{
    ReadOptions,
    read_models::{ParkedQuery, Row},
};
use std::{collections::HashSet, marker::PhantomData};

/// The tables of a projection.
#[derive(Debug)]
pub struct TablesOf<'a, P> {
    projections: &'a Projections,
    projection: PhantomData<fn() -> P>,
}

/// The rows of an answer, and where in the log they hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// In the order of the query.
    pub rows: Vec<Row>,
    /// Every event up to here is in them, but for those that are parked.
    pub position: Position,
    /// As `position`, for clients.
    pub token: Token,
}

impl Projections {
    /// The tables of the projection `P`.
    pub fn tables<P: Projection>(&self) -> TablesOf<'_, P> {
        TablesOf { projections: self, projection: PhantomData }
    }
}

impl<P: Projection> TablesOf<'_, P> {
    /// The rows of a query, with `$1`, `$2` for the values. It cannot write.
    ///
    /// # Errors
    /// When the statement is wrong, there are too many rows, or the tables cannot be read.
    pub async fn query(&self, sql: &str, values: impl Into<Vec<Value>>) -> Result<Rows, QueryError> {
        let live = self.projections.readable(P::NAME).await?;
        // Before the read: whatever had been applied by then is seen by it.
        let before = live.reach.position();
        let reading = live.model?.rows(sql, values.into()).await?;
        let kept = reading.checkpoint.map_or(Position::START, |checkpoint| checkpoint.position);
        Ok(self.rows(reading.value, kept.max(before)))
    }

    /// As [`Self::query`], with every event of the log applied: what is not applied yet is, in a transaction that
    /// is never kept. The projection waits meanwhile, so this is for where little is left to apply. Events of keys
    /// that are parked are not applied.
    ///
    /// # Errors
    /// As [`Self::query`]; when an event cannot be applied.
    pub async fn latest(&self, sql: &str, values: impl Into<Vec<Value>>) -> Result<Rows, QueryError> {
        let live = self.projections.readable(P::NAME).await?;
        let model = live.model.clone()?;
        let slot = &self.projections.host.slots[P::NAME];
        let definition = slot
            .definition(live.build.version)
            .ok_or(QueryError::NotReadable { name: P::NAME, state: ProjectionState::Frozen })?;
        let mut tx = model.scratch().await?;
        let kept = model.checkpoint().await?;
        let mut position = kept.map_or(Position::START, |checkpoint| checkpoint.position);
        let stuck = model.parked_keys(self.projections.host.bounds().parked_keys).await?;
        let mut stuck: HashSet<_> = stuck.into_iter().collect();
        let store = self.projections.log();
        let head = store.head().await?.position;
        let query = query_all(std::iter::once(&**definition));
        let mut folding = definition.begin(false);
        while position < head {
            let options = ReadOptions { after: position, up_to: Some(head), ..ReadOptions::default() };
            let page = store.read(&query, options).await?;
            let unapplied =
                |position, cause: String| QueryError::Unapplied { name: P::NAME, position, cause };
            let mut free = Vec::with_capacity(page.events.len());
            for event in page.events {
                let position = event.position;
                let by_stream = stuck.contains(&lane_of_stream(&event));
                let read = definition.read(std::slice::from_ref(&event));
                let keys = match read.and_then(|batch| definition.keys(&batch)) {
                    Ok(keys) => keys,
                    Err(_) if by_stream => continue,
                    Err(cause) => return Err(unapplied(position, cause.to_string())),
                };
                if by_stream || keys.iter().flatten().any(|key| stuck.contains(key)) {
                    // What comes later of its keys waits behind it.
                    stuck.extend(keys.into_iter().flatten());
                } else {
                    free.push(event);
                }
            }
            let batch = definition.read(&free).map_err(|cause| unapplied(head, cause.to_string()))?;
            folding.apply(&batch, None, &mut *tx).await.map_err(|fault| match fault {
                Fault::Event { position, cause } => unapplied(position.unwrap_or(head), cause),
                Fault::Store(cause) => cause.into(),
            })?;
            position = page.next.unwrap_or(head);
        }
        let rows = tx.rows(sql, values.into()).await?;
        Ok(self.rows(rows, position))
    }

    /// The first event of a [`Projection::key`] that could not be applied: what came after it is not in the tables.
    /// Where the key is a stream, also one of it that could not even be read. Without a key, of any.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn parked(&self, key: Option<&str>) -> Result<Option<Position>, QueryError> {
        let model = self.projections.readable(P::NAME).await?.model?;
        let Some(key) = key else {
            let any = ParkedQuery { failed_only: true, limit: 1, ..ParkedQuery::default() };
            return Ok(model.parked(&any).await?.first().map(|parked| parked.position));
        };
        let parked = first_of_key(&*model, &lane_of_key(key)).await?;
        let unread = first_of_key(&*model, &lane_of_stream_named(key)).await?;
        Ok(parked.into_iter().chain(unread).map(|parked| parked.position).min())
    }

    fn rows(&self, rows: Vec<Row>, position: Position) -> Rows {
        Rows { rows, position, token: self.projections.token(position) }
    }
}
