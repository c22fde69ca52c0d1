//! Lists what is parked, each event with its type and with how many wait behind it.

use super::{ParkedEvent, ProjectionError, Projections, sweep::event_at};
use factum_event::Position;
use factum_store::{
    ReadModel, StoreError,
    read_models::{Parked, ParkedQuery},
};
use std::sync::Arc;

/// Most events that wait by one key are counted to here.
const WAITING_COUNTED_MAX: usize = 10_000;

/// The first event that is parked under a key.
pub(super) async fn first_of_key(model: &dyn ReadModel, key: &str) -> Result<Option<Parked>, StoreError> {
    let query = ParkedQuery { key: Some(key.into()), limit: 1, ..ParkedQuery::default() };
    Ok(model.parked(&query).await?.into_iter().next())
}

impl Projections {
    /// Events that could not be applied, in the order of the log, after `after` and at most `limit`.
    ///
    /// # Errors
    /// When there is no such projection, or it cannot be read.
    pub async fn parked(
        &self,
        name: &str,
        after: Option<(Position, String)>,
        limit: usize,
    ) -> Result<Vec<ParkedEvent>, ProjectionError> {
        let slot = self.slot(name).await?;
        let Some(live) = slot.live() else { return Ok(Vec::new()) };
        let model = live.model?;
        let after = after.map(|(position, key)| (position, Arc::from(key)));
        let query = ParkedQuery { failed_only: true, after, limit, ..ParkedQuery::default() };
        let mut listed = Vec::new();
        for parked in model.parked(&query).await? {
            let of_key = ParkedQuery {
                key: Some(Arc::clone(&parked.key)),
                after: Some((parked.position, Arc::clone(&parked.key))),
                limit: WAITING_COUNTED_MAX,
                ..ParkedQuery::default()
            };
            let behind = model.parked(&of_key).await?;
            let waiting = behind.iter().take_while(|behind| behind.cause.is_none()).count();
            let event = event_at(&**self.host.store(), parked.position).await?;
            listed.push(ParkedEvent {
                position: parked.position,
                key: parked.key.to_string(),
                event_id: event.as_ref().map(|event| event.id),
                event_type: event.map(|event| event.event_type),
                cause: parked.cause.unwrap_or_default(),
                attempts: parked.attempts,
                at: parked.at,
                waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
            });
        }
        Ok(listed)
    }
}
