//! One build being fed: takes in pages, each in one transaction with the checkpoint, and parks what cannot be
//! applied. The only place that writes builds.
//!
//! An event waits *by* what it belongs to: `key/..` for each of its keys, or `stream/..` where it cannot be read,
//! so that its keys are not known. While something waits by one of these, so does every later event by it, and
//! with it by each of its other keys: order within a key is never given up.

mod giving_up;

use super::{
    ProjectionState, StopReason,
    ahead::AheadBatch,
    bounds::ProjectionBounds,
    definition::{Batch, Definition, Fault, Folding, lane_of_stream},
    reached::Reach,
};
use crate::Ports;
use factum_event::{LogIdentity, Position, RecordedEvent};
use factum_store::{
    Build, BuildTx, Checkpoint, CommitError, ErrorKind, ReadModel, StoreError, read_models::Parked,
};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex},
};

/// Why a build takes in nothing at the moment.
#[derive(Debug)]
pub(super) enum Halt {
    /// It may pass.
    Retry(StoreError),
    /// It does not by itself.
    Stop(StopReason),
}

impl From<StoreError> for Halt {
    fn from(cause: StoreError) -> Self {
        match cause.kind() {
            ErrorKind::Retry => Self::Retry(cause),
            _ => Self::Stop(StopReason::Refused(cause)),
        }
    }
}

impl From<CommitError> for Halt {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Fenced { .. } => Self::Stop(StopReason::Fenced),
            CommitError::Store(cause) => cause.into(),
        }
    }
}

/// What was given up, shared with who gives up.
pub(super) type Discarded = Arc<Mutex<BTreeSet<(Position, Arc<str>)>>>;

pub(super) struct Member {
    pub(super) definition: Arc<dyn Definition>,
    pub(super) model: Arc<dyn ReadModel>,
    pub(super) reach: Arc<Reach>,
    folding: Box<dyn Folding>,
    fence: u64,
    log: LogIdentity,
    /// The checkpoint as it is kept.
    written: Position,
    /// Every event up to here was applied, is parked, or is of no interest.
    pub(super) position: Position,
    /// What events wait by.
    lanes: HashSet<Arc<str>>,
    discarded: Discarded,
    /// Events after this position are told of; none while it is being built.
    told: Option<Position>,
    /// What earlier builds told of.
    pub(super) mark: Position,
    ports: Ports,
    bounds: ProjectionBounds,
    /// Whether what is held may differ from what is kept.
    unsure: bool,
    /// Whether something may wait behind nothing: who released it may not have come to the end.
    loose: bool,
}

/// What a member is made of.
pub(super) struct Parts {
    pub(super) definition: Arc<dyn Definition>,
    pub(super) model: Arc<dyn ReadModel>,
    pub(super) reach: Arc<Reach>,
    pub(super) log: LogIdentity,
    pub(super) discarded: Discarded,
    /// Up to where earlier builds told of events; none while it is being built.
    pub(super) mark: Option<Position>,
    pub(super) ports: Ports,
    pub(super) bounds: ProjectionBounds,
}

impl Member {
    /// Becomes who feeds the build.
    pub(super) async fn claim(parts: Parts) -> Result<Self, Halt> {
        let Parts { definition, model, reach, log, discarded, mark, ports, bounds } = parts;
        let claim = model.claim().await?;
        let position = claim.checkpoint.map_or(Position::START, |checkpoint| checkpoint.position);
        let lanes = lanes(&*model, bounds).await?;
        let folding = definition.begin(claim.checkpoint.is_none());
        reach.moved(position, ports.clock.now());
        // What is kept was told of when it was, or will not be.
        let told = mark.map(|mark| mark.max(position));
        let loose = !lanes.is_empty();
        Ok(Self {
            definition,
            model,
            reach,
            folding,
            fence: claim.fence,
            log,
            written: position,
            position,
            lanes,
            discarded,
            told,
            mark: mark.unwrap_or_default(),
            ports,
            bounds,
            unsure: false,
            loose,
        })
    }

    pub(super) fn build(&self) -> &Build {
        self.model.build()
    }

    pub(super) fn name(&self) -> &'static str {
        self.definition.name()
    }

    /// Whether what comes after a place can be taken in as a whole, as far as is known: where something waits or
    /// was told of, each event is looked at.
    pub(super) fn may_be_fed_ahead(&self, after: Position) -> bool {
        !self.unsure && self.lanes.is_empty() && self.told.is_none_or(|told| told <= after)
    }

    /// Takes in what was read ahead, which is all that it is interested in after `after`; tells whether it did. If
    /// not, nothing was kept, and it is to be fed as always.
    pub(super) async fn feed_ahead(&mut self, ahead: &AheadBatch) -> Result<bool, Halt> {
        let AheadBatch { after, step, through } = ahead;
        let (after, through) = (*after, *through);
        if !self.may_be_fed_ahead(after) || self.position != after {
            return Ok(false);
        }
        match self.keep(std::slice::from_ref(step), Some(after.next()), Vec::new(), through).await {
            Ok(None) => {
                self.came_to(through);
                Ok(true)
            }
            Ok(Some(_)) => Ok(false),
            Err(halt) => {
                self.unsure = true;
                Err(halt)
            }
        }
    }

    /// Takes in events in the order of the log, which are all that it is interested in up to `through`.
    pub(super) async fn feed(&mut self, events: &[RecordedEvent], through: Position) -> Result<(), Halt> {
        if self.unsure {
            self.look_again().await?;
        }
        // One pass over the log may serve several that are not equally far.
        let begin = events.partition_point(|event| event.position <= self.position);
        let fed = self.take_in(&events[begin..], through).await;
        if fed.is_err() {
            self.unsure = true;
        }
        fed
    }

    /// Holds what is kept, whatever became of the last transaction.
    async fn look_again(&mut self) -> Result<(), Halt> {
        self.folding.ended(false);
        let kept = self.model.checkpoint().await?;
        self.written = kept.map_or(Position::START, |checkpoint| checkpoint.position);
        if self.written > self.position {
            // What was told to have failed was kept, and is not told again.
            self.came_to(self.written);
        }
        self.lanes = lanes(&*self.model, self.bounds).await?;
        self.unsure = false;
        Ok(())
    }

    async fn take_in(&mut self, events: &[RecordedEvent], through: Position) -> Result<(), Halt> {
        if through <= self.position {
            return Ok(());
        }
        // From the front, in halves where a whole cannot be applied.
        let mut rest = vec![events];
        if let Some(told) = self.told {
            // What was told of and what was not are never in one part.
            let (before, after) = events.split_at(events.partition_point(|event| event.position <= told));
            if !before.is_empty() && !after.is_empty() {
                rest = vec![after, before];
            }
        }
        while let Some(part) = rest.pop() {
            let end = match (rest.is_empty(), part.last()) {
                (true, _) => through,
                (false, Some(last)) => last.position,
                (false, None) => continue,
            };
            match self.apply(part, end).await? {
                None => self.came_to(end),
                Some(Failure { position, cause }) => {
                    let at = match position {
                        // What stands before the one at fault, then that one, then the rest.
                        Some(position) => match part.partition_point(|event| event.position < position) {
                            0 => 1,
                            at => at,
                        },
                        None => part.len() / 2,
                    };
                    if part.len() > 1 {
                        let (front, back) = part.split_at(at.clamp(1, part.len() - 1));
                        rest.extend([back, front]);
                    } else if let Some(event) = part.first() {
                        self.give_up_on(event, end, cause).await?;
                        self.came_to(end);
                    }
                }
            }
        }
        Ok(())
    }

    fn came_to(&mut self, position: Position) {
        self.position = position;
        self.reach.moved(position, self.ports.clock.now());
    }

    /// Applies events that are no part of a failure, and lets wait what waits behind one.
    async fn apply(&mut self, events: &[RecordedEvent], through: Position) -> Result<Option<Failure>, Halt> {
        if self.lanes.is_empty() {
            return match self.definition.read(events) {
                Ok(batch) => self.keep(&[(batch, None)], first_of(events), Vec::new(), through).await,
                Err(_) if events.len() > 1 => Ok(Some(Failure { position: None, cause: String::new() })),
                Err(cause) => Ok(Some(Failure { position: None, cause: cause.to_string() })),
            };
        }
        let sorted = match self.sort(events) {
            Ok(sorted) => sorted,
            Err(_) if events.len() > 1 => return Ok(Some(Failure { position: None, cause: String::new() })),
            Err(cause) => return Ok(Some(Failure { position: None, cause })),
        };
        let Sorted { steps, waiting, lanes } = sorted;
        self.has_room_for(&lanes)?;
        let done = self.keep(&steps, first_of(events), waiting, through).await?;
        if done.is_none() {
            self.lanes.extend(lanes);
        }
        Ok(done)
    }

    /// Tells apart what can be applied and what waits.
    ///
    /// # Errors
    /// Why an event cannot be read.
    fn sort(&self, events: &[RecordedEvent]) -> Result<Sorted, String> {
        let mut sorted = Sorted { steps: Vec::new(), waiting: Vec::new(), lanes: HashSet::new() };
        let mut free = Vec::new();
        let now = self.ports.clock.now();
        for event in events {
            let stream = lane_of_stream(event);
            let by_stream = self.lanes.contains(&stream) || sorted.lanes.contains(&stream);
            let (batch, keys) = match self.read_one(event) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                // Waits behind the one of its stream that cannot be read either.
                Err(_) if by_stream => {
                    sorted.waiting.push(waits(event, stream, now));
                    continue;
                }
                Err(cause) => return Err(cause),
            };
            let held = |key: &Arc<str>| by_stream || self.lanes.contains(key) || sorted.lanes.contains(key);
            let (wait, go): (Vec<_>, Vec<_>) = keys.into_iter().partition(held);
            match (wait.is_empty(), go.is_empty()) {
                (true, _) => free.push(event.clone()),
                (false, true) => {}
                (false, false) => {
                    // In its place among those before and after it.
                    sorted.steps.push((self.read(&free)?, None));
                    free.clear();
                    sorted.steps.push((batch, Some(go)));
                }
            }
            sorted.waiting.extend(wait.iter().map(|key| waits(event, Arc::clone(key), now)));
            sorted.lanes.extend(wait);
        }
        sorted.steps.push((self.read(&free)?, None));
        Ok(sorted)
    }

    fn read(&self, events: &[RecordedEvent]) -> Result<Batch, String> {
        self.definition.read(events).map_err(|cause| cause.to_string())
    }

    /// An event and what it waits by; none if it is of no interest.
    pub(super) fn read_one(&self, event: &RecordedEvent) -> Result<Option<Alone>, String> {
        let batch = self.read(std::slice::from_ref(event))?;
        let keys = self.definition.keys(&batch).map_err(|cause| cause.to_string())?.pop();
        Ok(keys.map(|keys| (batch, keys)))
    }

    /// Applies what is given, none of it before `first`, and keeps it with the checkpoint.
    async fn keep(
        &mut self,
        steps: &[Step],
        first: Option<Position>,
        waiting: Vec<Parked>,
        through: Position,
    ) -> Result<Option<Failure>, Halt> {
        if waiting.is_empty() && steps.iter().all(|(batch, _)| batch.len == 0) {
            if through.get().saturating_sub(self.written.get()) >= self.bounds.checkpoint_every {
                self.write_checkpoint(through).await?;
            }
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        for (batch, only) in steps {
            if let Err(fault) = self.folding.apply(batch, only.as_deref(), &mut *tx).await {
                drop(tx);
                self.folding.ended(false);
                return match fault {
                    Fault::Event { position, cause } => Ok(Some(Failure { position, cause })),
                    Fault::Store(cause) => Err(cause.into()),
                };
            }
        }
        if !waiting.is_empty() {
            tx.park(waiting).await?;
        }
        self.commit(tx, through).await?;
        self.folding.ended(true);
        self.tell(steps, first).await;
        Ok(None)
    }

    async fn commit(&mut self, tx: Box<dyn BuildTx>, through: Position) -> Result<(), Halt> {
        tx.commit(Some(Checkpoint { log: self.log, position: through })).await?;
        self.written = through;
        Ok(())
    }

    /// Keeps how far it has come.
    pub(super) async fn write_checkpoint(&mut self, through: Position) -> Result<(), Halt> {
        if through > self.written && !self.unsure {
            self.seal(through).await?;
        }
        Ok(())
    }

    /// As [`Self::write_checkpoint`], and makes sure that nobody else feeds it.
    pub(super) async fn seal(&mut self, through: Position) -> Result<(), Halt> {
        let tx = self.begin().await?;
        self.commit(tx, through).await
    }

    /// Tells of what was applied, but for what was told of before.
    async fn tell(&self, steps: &[Step], first: Option<Position>) {
        let Some(told) = self.told else { return };
        if first.is_none_or(|first| first <= told) {
            return;
        }
        for (batch, _) in steps {
            self.folding.tell(batch).await;
        }
    }

    /// It is the one that is read from now on. Earlier builds told of events up to `mark`.
    pub(super) fn lives(&mut self, mark: Position) {
        (self.told, self.mark) = (Some(mark.max(self.position)), mark);
    }

    /// Holds what is kept.
    pub(super) async fn settle(&mut self) -> Result<(), Halt> {
        self.look_again().await
    }

    /// What is held may differ from what is kept, and what waits may be free to go.
    pub(super) fn broke_off(&mut self) {
        (self.unsure, self.loose) = (true, true);
    }

    /// Whether what waits has to be gone through, to find what waits behind nothing.
    pub(super) fn may_be_loose(&self) -> bool {
        self.loose
    }

    /// It was gone through.
    pub(super) fn nothing_is_loose(&mut self) {
        self.loose = false;
    }

    pub(super) async fn begin(&self) -> Result<Box<dyn BuildTx>, Halt> {
        self.model.begin(self.fence).await.map_err(|cause| {
            // A store may notice when it begins to write already.
            if cause == self.build().fenced() { Halt::Stop(StopReason::Fenced) } else { cause.into() }
        })
    }

    pub(super) async fn apply_batch(
        &mut self,
        batch: &Batch,
        only: &[Arc<str>],
        tx: &mut dyn BuildTx,
    ) -> Result<(), Fault> {
        self.folding.apply(batch, Some(only), tx).await
    }

    pub(super) async fn forget(&mut self, key: &str, tx: &mut dyn BuildTx) -> Result<(), Fault> {
        self.folding.forget(key, tx).await
    }

    pub(super) fn ended(&mut self, kept: bool) {
        self.folding.ended(kept);
    }

    /// Tells of an event that was parked when its turn was.
    pub(super) async fn tell_late(&self, batch: &Batch) {
        if self.told.is_some() {
            self.folding.tell(batch).await;
        }
    }

    pub(super) fn waits_by(&self, lane: &Arc<str>) -> bool {
        self.lanes.contains(lane)
    }

    pub(super) fn became(&self, state: ProjectionState) {
        self.reach.became(state);
    }
}

fn first_of(events: &[RecordedEvent]) -> Option<Position> {
    events.first().map(|event| event.position)
}

/// An event, or several, could not be applied.
struct Failure {
    /// Which, if it is known.
    position: Option<Position>,
    cause: String,
}

/// One event, and what it waits by.
pub(super) type Alone = (Batch, Vec<Arc<str>>);

/// Events to be applied; one alone under these keys only, where others of it wait.
pub(super) type Step = (Batch, Option<Vec<Arc<str>>>);

/// A page of which something waits.
struct Sorted {
    /// In order.
    steps: Vec<Step>,
    waiting: Vec<Parked>,
    /// What more is waited by.
    lanes: HashSet<Arc<str>>,
}

fn waits(event: &RecordedEvent, key: Arc<str>, at: factum_event::Timestamp) -> Parked {
    Parked { position: event.position, key, cause: None, attempts: 0, at }
}

async fn lanes(model: &dyn ReadModel, bounds: ProjectionBounds) -> Result<HashSet<Arc<str>>, Halt> {
    let keys = model.parked_keys(bounds.parked_keys + 1).await?;
    if keys.len() > bounds.parked_keys {
        return Err(Halt::Stop(StopReason::TooManyParked { max: bounds.parked_keys }));
    }
    Ok(keys.into_iter().collect())
}
