//! Reads ahead of a build that is far behind: the next pages are read and decoded beside the one that is being
//! applied.

use super::{
    definition::{Batch, Definition},
    host::Host,
};
use factum_event::{Position, RecordedEvent};
use factum_store::ReadOptions;
use std::sync::Arc;
use tokio::sync::mpsc;

/// So many pages are ready at the most, besides the one that is being read.
const PAGES_MAX: usize = 1;

/// A page that was read ahead.
pub(super) struct AheadPage {
    /// It holds all that is of interest after this.
    pub(super) after: Position,
    pub(super) events: Vec<RecordedEvent>,
    /// The events as they are decoded; none where one cannot be.
    pub(super) batch: Option<Batch>,
    pub(super) through: Position,
}

/// Pages that are read ahead.
pub(super) struct Ahead(mpsc::Receiver<AheadPage>);

impl Ahead {
    /// Reads what comes after a place, up to another.
    pub(super) fn begin(
        host: &Arc<Host>,
        definition: Arc<dyn Definition>,
        mut after: Position,
        up_to: Position,
    ) -> Self {
        let (pages, received) = mpsc::channel(PAGES_MAX);
        let (store, limit) = (Arc::clone(host.store()), host.bounds().page_events);
        let read = async move {
            let query = definition.query();
            while after < up_to {
                let options = ReadOptions { after, up_to: Some(up_to), limit, ..ReadOptions::default() };
                // What fails here fails again where it is told.
                let Ok(page) = store.read(&query, options).await else { return };
                let (batch, through) = (definition.read(&page.events).ok(), page.next.unwrap_or(up_to));
                let read = AheadPage { after, events: page.events, batch, through };
                if pages.send(read).await.is_err() {
                    return;
                }
                after = through;
            }
        };
        host.spawn().spawn_beside("factum-read-ahead", Box::pin(read));
        Self(received)
    }

    /// The next page; none if there is none any more.
    pub(super) async fn next(&mut self) -> Option<AheadPage> {
        self.0.recv().await
    }
}
