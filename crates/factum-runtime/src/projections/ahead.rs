//! Reads ahead of a build that is far behind: the next events are read and decoded beside those that are being
//! applied, many at once, so that a document is written once for all of them.

use super::{
    definition::{Batch, Definition},
    host::Host,
    member::Step,
};
use factum_event::{Position, RecordedEvent};
use factum_store::ReadOptions;
use std::sync::Arc;
use tokio::sync::mpsc;

/// So many batches are ready at the most, besides the one that is being read.
const BATCHES_MAX: usize = 1;

/// What was read ahead.
pub(super) struct AheadBatch {
    /// It holds all that is of interest after this.
    pub(super) after: Position,
    pub(super) step: Step,
    pub(super) through: Position,
}

/// Batches that are read ahead. They go back to who read them, who lets go of them at less cost: what a thread
/// allocates it frees the fastest.
pub(super) struct Ahead {
    batches: mpsc::Receiver<AheadBatch>,
    used: mpsc::Sender<Batch>,
}

impl Ahead {
    /// Reads what comes after a place, up to another, as far as it can be read.
    pub(super) fn begin(
        host: &Arc<Host>,
        definition: Arc<dyn Definition>,
        mut after: Position,
        up_to: Position,
    ) -> Self {
        let (batches, received) = mpsc::channel(BATCHES_MAX);
        let (used, mut returned) = mpsc::channel(BATCHES_MAX);
        let (store, bounds) = (Arc::clone(host.store()), host.bounds());
        let read = async move {
            let query = definition.query();
            while after < up_to {
                while returned.try_recv().is_ok() {}
                let (mut events, mut bytes, mut through) = (Vec::<RecordedEvent>::new(), 0, after);
                for _ in 0..bounds.ahead_pages.max(1) {
                    if through >= up_to || bytes >= bounds.ahead_bytes {
                        break;
                    }
                    let limit = bounds.page_events;
                    let options =
                        ReadOptions { after: through, up_to: Some(up_to), limit, ..ReadOptions::default() };
                    // What fails here fails again where it is told.
                    let Ok(page) = store.read(&query, options).await else { return };
                    through = page.next.unwrap_or(up_to);
                    bytes += page.events.iter().map(|event| event.payload.len()).sum::<usize>();
                    events.extend(page.events);
                }
                let Ok(batch) = definition.read(&events) else { return };
                drop(events);
                if batches.send(AheadBatch { after, step: (batch, None), through }).await.is_err() {
                    return;
                }
                after = through;
            }
        };
        host.tasks.begin("factum-read-ahead", Box::pin(read));
        Self { batches: received, used }
    }

    /// The next batch; none if there is none any more.
    pub(super) async fn next(&mut self) -> Option<AheadBatch> {
        self.batches.recv().await
    }

    /// A batch is needed no more.
    pub(super) fn used(&self, batch: Batch) {
        // Where nobody waits for it, it is let go of here.
        drop(self.used.try_send(batch));
    }
}
