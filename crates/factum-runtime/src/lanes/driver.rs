//! Drives the lanes: reads the command log in order, hands each command to its lane, and lets all lanes work
//! at once, each on one command at a time.
//!
//! Owns no state that a restart needs: where a lane stands is the progress of its last commit, and below the
//! watermark every command is known to be done.

use super::{
    command_log::{CommandLog, Entry},
    handler::Handlers,
    lane::{Halt, PAUSE, Work, may_pass, retrying, source, step, wait},
    layout::{LaneBounds, LaneLayout, apart_since},
    load::Load,
    parked::Parked,
    record::{LAYOUT, mark},
};
use crate::Engine;
use factum_event::{
    CommandName, CommandPayload, CommandRecord, Condition, Metadata, NewCommit, Outcome, Position, Source,
    StreamName, Timestamp, Tracking,
};
use factum_store::{Append, AppendError, BoxFuture, ErrorKind, StoreError};
use futures_util::{
    StreamExt,
    future::{Either, FutureExt, Shared as SharedFuture, select},
    stream::FuturesUnordered,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whose progress is the watermark: every command up to it is done.
pub(crate) fn watermark(label: &str) -> Source {
    Source::unchecked(format!("lanes/{label}"))
}

/// What all lanes share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) commands: CommandLog,
    pub(crate) handlers: Handlers,
    pub(crate) parked: Parked,
    /// The layout that was asked for; an older one may still be in force.
    pub(crate) wanted: LaneLayout,
    /// Whether it is in force: then all that stands before it is done.
    pub(crate) is_in_force: AtomicBool,
    pub(crate) bounds: LaneBounds,
    pub(crate) load: Load,
}

/// Ready when the lanes are to end after what they are at.
pub(crate) type Stop = SharedFuture<BoxFuture<'static, ()>>;

/// A step of a lane that ended: which lane, at which place, and how.
type Ended = (u16, Position, Result<(), Halt>);

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Work>,
    busy: bool,
    /// How far it had come when this process began.
    reached: Position,
}

struct Driver<'a> {
    shared: &'a Shared,
    /// Where the layout in force begins.
    begins: Position,
    layout: LaneLayout,
    /// From where on kinds have lanes of their own.
    apart_since: Position,
    lanes: BTreeMap<u16, Lane>,
    /// Up to here the command log was read.
    read: Position,
    /// What was read and is not done, by position; of a command, when it was accepted.
    open: BTreeMap<Position, Option<Timestamp>>,
    /// Where the layout begins that was asked for, which is the last one.
    wanted_from: Position,
    /// A layout that comes into force once all lanes have passed its place.
    next: Option<(Position, LaneLayout)>,
    running: FuturesUnordered<BoxFuture<'a, Ended>>,
    done_since_watermark: u64,
    watermark: Position,
}

/// Decides commands until `stop`. An error is why no lane can go on.
pub(crate) async fn drive(shared: &Shared, wanted: LaneLayout, stop: Stop) -> Result<(), Halt> {
    // Before anything is added: what was decided from the log cannot stand beyond its end.
    let end = retrying(shared, || shared.commands.head()).await?.position;
    lay_out(shared, wanted).await?;
    let mut driver = Driver::begin(shared, end).await?;
    loop {
        let head = retrying(shared, || shared.commands.head()).await?;
        driver.fill(head.position).await?;
        driver.start();
        if driver.running.is_empty() {
            if driver.next.is_some() || driver.read < head.position {
                continue;
            }
            driver.move_watermark().await?;
            let appended = Box::pin(shared.commands.appended(head.sequence));
            if let Either::Right(_) = select(appended, stop.clone()).await {
                return Ok(());
            }
            continue;
        }
        let news = Box::pin(shared.commands.appended(head.sequence));
        let ended = match select(driver.running.next(), select(news, stop.clone())).await {
            Either::Left((ended, _)) => ended,
            Either::Right((Either::Left(_), _)) => None,
            Either::Right((Either::Right(_), _)) => return driver.finish().await,
        };
        // Those whose commits shared a sync end together: one look at the command log does for all.
        let mut next = ended;
        while let Some((lane, position, result)) = next {
            result?;
            driver.ended(lane, position);
            next = driver.running.next().now_or_never().flatten();
        }
        if driver.done_since_watermark >= shared.bounds.watermark_every {
            driver.move_watermark().await?;
        }
    }
}

/// Writes the wanted layout to the command log, unless it is the last one written.
async fn lay_out(shared: &Shared, wanted: LaneLayout) -> Result<(), Halt> {
    let layouts = retrying(shared, || shared.commands.layouts()).await?;
    if layouts.last().is_some_and(|(_, layout)| *layout == wanted) {
        return Ok(());
    }
    let (id, now) = (shared.engine.fresh_command_id(), shared.engine.now());
    let events = vec![mark(LAYOUT, None, &wanted)];
    let mut pause = PAUSE;
    loop {
        let (metadata, condition) = (Metadata::default(), Condition::none());
        match shared.commands.mark(id, now, metadata, events.clone(), condition).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Store(cause)) if may_pass(&cause) => wait(shared, &mut pause).await,
            Err(cause) => return Err(halted(&cause)),
        }
    }
}

impl<'a> Driver<'a> {
    async fn begin(shared: &'a Shared, end: Position) -> Result<Self, Halt> {
        let store = shared.engine.store();
        let source = watermark(&shared.commands.label());
        let done = retrying(shared, || store.progress(&source)).await?;
        let done = Position::new(done.unwrap_or(0));
        let layouts = retrying(shared, || shared.commands.layouts()).await?;
        let in_force = layouts.iter().rev().find(|(begins, _)| *begins <= done).or(layouts.first());
        let (begins, layout) = *in_force.expect("a layout was written before");
        let wanted_from = layouts.last().map_or(begins, |(wanted_from, _)| *wanted_from);
        let apart_since = apart_since(layouts.into_iter().take_while(|(written, _)| *written <= begins));
        let mut driver = Self {
            shared,
            begins,
            layout,
            apart_since,
            lanes: BTreeMap::new(),
            read: done,
            open: BTreeMap::new(),
            wanted_from,
            next: None,
            running: FuturesUnordered::new(),
            done_since_watermark: 0,
            watermark: done,
        };
        driver.take_up().await?;
        let reached: BTreeMap<u16, Position> =
            driver.lanes.iter().map(|(number, lane)| (*number, lane.reached)).collect();
        let passed = |key: &StreamName, name: &str| {
            let lane = layout.lane_of(name, key);
            reached.get(&lane).copied().unwrap_or(done).max(done)
        };
        retrying(shared, || shared.parked.recover(&shared.commands, &**store, done)).await?;
        let furthest = reached.values().copied().fold(done, Position::max);
        if furthest > end {
            let what = format!(
                "the command log ends at {end}, and the log of events has decided commands up to {furthest} of \
                 it: it is an older copy. Restore both logs from one moment; without such a copy, begin a new \
                 generation of the command log, and what it has lost is lost"
            );
            return Err(Halt(StoreError::new(ErrorKind::RepairData, what)));
        }
        let begun = || shared.load.begin(&shared.commands, done, furthest, &passed);
        retrying(shared, begun).await?;
        Ok(driver)
    }

    /// Learns how far each lane of the layout in force has come.
    async fn take_up(&mut self) -> Result<(), Halt> {
        self.shared.is_in_force.store(self.begins >= self.wanted_from, Ordering::Release);
        self.lanes.clear();
        for number in 0..self.layout.count.max(1) {
            let (shared, source) = (self.shared, source(&self.shared.commands.label(), self.begins, number));
            let reached = retrying(shared, || shared.engine.store().progress(&source)).await?;
            let reached = Position::new(reached.unwrap_or(0));
            self.lanes.insert(number, Lane { reached, ..Lane::default() });
        }
        Ok(())
    }

    /// Reads on in the command log up to `head`, as far as there is room and no change of layout is due.
    async fn fill(&mut self, head: Position) -> Result<(), Halt> {
        if let Some((begins, layout)) = self.next {
            if !self.open.is_empty() {
                return Ok(());
            }
            // All lanes have passed the place, and the watermark says so before anything else does: a restart
            // goes by it to know which layout is in force.
            self.read = begins;
            let mut pause = PAUSE;
            loop {
                self.move_watermark().await?;
                if self.watermark >= begins {
                    break;
                }
                wait(self.shared, &mut pause).await;
            }
            (self.begins, self.layout, self.next) = (begins, layout, None);
            self.apart_since = layout.mode.apart_since(self.apart_since, begins);
            self.take_up().await?;
        }
        while self.open.len() < self.shared.bounds.queued_max.max(1) && self.read < head {
            let (shared, after) = (self.shared, self.read);
            let entries = retrying(shared, || shared.commands.page(after)).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for (position, entry) in entries {
                if let Entry::Layout(layout) = entry
                    && position > self.begins
                {
                    self.next = Some((position, layout));
                    return Ok(());
                }
                if let Entry::Unreadable(cause) = &entry {
                    let what = format!("the lanes cannot go on: {cause}: start a build that knows it");
                    return Err(Halt(StoreError::new(ErrorKind::ReportBug, what)));
                }
                self.read = position;
                self.shared.parked.read(position, &entry);
                self.queue(position, entry);
                self.shared.load.is_at(self.read, self.oldest());
            }
        }
        Ok(())
    }

    fn queue(&mut self, position: Position, entry: Entry) {
        let Some(work) = Work::new(position, entry) else { return };
        let (name, key) = work.about();
        let number = self.layout.lane_of(name, key);
        let accepted_at = work.accepted_at();
        let lane = self.lanes.entry(number).or_default();
        if position > lane.reached {
            lane.waiting.push_back(work);
            self.open.insert(position, accepted_at);
        }
    }

    /// Sets every idle lane to work.
    fn start(&mut self) {
        self.shared.parked.forget(self.done());
        for (number, lane) in &mut self.lanes {
            if lane.busy {
                continue;
            }
            let Some(work) = lane.waiting.pop_front() else { continue };
            lane.busy = true;
            let (number, position, shared) = (*number, work.position(), self.shared);
            let lane = source(&shared.commands.label(), self.begins, number);
            let step = step(shared, self.apart_since, lane, work);
            self.running.push(step.map(move |result| (number, position, result)).boxed());
        }
    }

    fn ended(&mut self, lane: u16, position: Position) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.busy = false;
        }
        if let Some(Some(_)) = self.open.remove(&position) {
            self.shared.load.done_one();
        }
        self.shared.load.is_at(self.read, self.oldest());
        self.done_since_watermark += 1;
    }

    /// Up to here all lanes are done.
    fn done(&self) -> Position {
        let first = self.open.first_key_value();
        first.map_or(self.read, |(first, _)| Position::new(first.get() - 1))
    }

    /// When the oldest command that was read and is not done was accepted.
    fn oldest(&self) -> Option<Timestamp> {
        self.open.values().find_map(|accepted_at| *accepted_at)
    }

    /// Ends what is under way; what waits stays in the command log.
    async fn finish(mut self) -> Result<(), Halt> {
        while let Some((lane, position, result)) = self.running.next().await {
            result?;
            self.ended(lane, position);
        }
        self.move_watermark().await
    }

    async fn move_watermark(&mut self) -> Result<(), Halt> {
        let done = self.done();
        self.done_since_watermark = 0;
        if done.get() < self.watermark.get() + self.shared.bounds.watermark_every && self.next.is_none() {
            return Ok(());
        }
        let engine = &self.shared.engine;
        let command = CommandRecord {
            id: engine.fresh_command_id(),
            name: CommandName::unchecked("factum.lanes"),
            payload: CommandPayload::None,
            issued_at: engine.now(),
            metadata: Metadata::default(),
        };
        let tracking = Tracking { source: watermark(&self.shared.commands.label()), progress: done.get() };
        let commit = NewCommit { command, outcome: Outcome::Nothing, events: Vec::new() };
        let condition = Condition::none().tracking(tracking);
        let verdict = engine.store().append(vec![Append { commit, condition }]).await.pop();
        match verdict.expect("a store gives a verdict for each commit") {
            Ok(_) | Err(AppendError::AlreadyApplied { .. }) => {}
            // A watermark that stays behind costs time at the next start, nothing else.
            Err(AppendError::Store(cause)) if cause.kind() == ErrorKind::Retry => return Ok(()),
            Err(cause) => return Err(halted(&cause)),
        }
        self.watermark = done;
        Ok(())
    }
}

fn halted(cause: &AppendError) -> Halt {
    Halt(StoreError::new(ErrorKind::Reopen, format!("the lanes cannot go on: {cause}")))
}
