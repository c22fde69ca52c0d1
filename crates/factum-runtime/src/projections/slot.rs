//! One projection of an application: its definitions, the build that is read, the one that is made beside it, and
//! who feeds them.

use super::{
    ProjectionState,
    definition::Definition,
    member::{Discarded, Member},
    notes::Notes,
    reached::Reach,
    worker::{Order, Run},
};
use factum_event::Position;
use factum_store::{Build, ErrorKind, ReadModel, StoreError};
use futures_channel::oneshot;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A build that is there.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) build: Build,
    /// What is read, or why it cannot be.
    pub(super) model: Result<Arc<dyn ReadModel>, StoreError>,
    pub(super) reach: Arc<Reach>,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: &'static str,
    /// What this build of the application has the code of, the newest version last.
    pub(super) definitions: Vec<Arc<dyn Definition>>,
    /// Held by whoever changes which builds there are.
    pub(super) verbs: tokio::sync::Mutex<()>,
    pub(super) discarded: Discarded,
    /// Told when there is another build to read, or another reason why there is none.
    pub(super) changed: watch::Sender<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    notes: Notes,
    /// Whether these are what is noted: until they were read they are nothing.
    known: bool,
    live: Option<Live>,
    building: Option<Live>,
    runs: Vec<(Build, Run)>,
    /// Why it could not be taken up.
    failed: Option<StoreError>,
    /// Nothing is fed any more.
    closed: bool,
}

impl Slot {
    pub(super) fn new(definitions: Vec<Arc<dyn Definition>>) -> Self {
        let name = definitions.last().expect("a projection has a definition").name();
        Self {
            name,
            definitions,
            verbs: tokio::sync::Mutex::new(()),
            discarded: Discarded::default(),
            changed: watch::Sender::new(()),
            state: Mutex::default(),
        }
    }

    /// What the application has the newest code of.
    pub(super) fn newest(&self) -> &Arc<dyn Definition> {
        self.definitions.last().expect("a projection has a definition")
    }

    /// The code of a version, if the application has it.
    pub(super) fn definition(&self, version: u32) -> Option<&Arc<dyn Definition>> {
        self.definitions.iter().find(|definition| definition.version() == version)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn notes(&self) -> Notes {
        self.state().notes.clone()
    }

    /// After they were written.
    pub(super) fn noted(&self, notes: Notes) {
        let discarded = notes.discarded.iter().map(|event| (event.position, event.key.as_str().into()));
        *self.discarded.lock().unwrap_or_else(PoisonError::into_inner) = discarded.collect();
        let mut state = self.state();
        (state.notes, state.known) = (notes, true);
    }

    /// Whether what is noted was read.
    pub(super) fn is_known(&self) -> bool {
        self.state().known
    }

    pub(super) fn live(&self) -> Option<Live> {
        self.state().live.clone()
    }

    pub(super) fn building(&self) -> Option<Live> {
        self.state().building.clone()
    }

    pub(super) fn set_live(&self, live: Live) {
        self.state().live = Some(live);
        self.changed.send_replace(());
    }

    pub(super) fn set_building(&self, building: Option<Live>) {
        self.state().building = building;
    }

    pub(super) fn failed(&self) -> Option<StoreError> {
        self.state().failed.clone()
    }

    pub(super) fn set_failed(&self, failed: Option<StoreError>) {
        self.state().failed = failed;
        self.changed.send_replace(());
    }

    /// Whether it could not be taken up for a reason that may pass.
    pub(super) fn may_pass(&self) -> bool {
        self.failed().is_some_and(|cause| cause.kind() == ErrorKind::Retry)
    }

    /// Up to where the build that is read has come; none if it cannot be read.
    pub(super) fn mark(&self) -> Option<Position> {
        let state = self.state();
        state.live.as_ref().filter(|live| live.model.is_ok()).map(|live| live.reach.position())
    }

    pub(super) fn runs(&self, build: Build, run: Run) {
        let mut state = self.state();
        state.runs.retain(|(before, _)| *before != build);
        // Who feeds it ends when nobody can ask it anything.
        if !state.closed {
            state.runs.push((build, run));
        }
    }

    pub(super) fn run_of(&self, build: &Build) -> Option<Run> {
        self.state().runs.iter().find(|(of, _)| of == build).map(|(_, run)| run.clone())
    }

    /// Who feeds it is asked no more; it goes on for the others it feeds.
    pub(super) fn forget_run(&self, build: &Build) {
        self.state().runs.retain(|(of, _)| of != build);
    }

    /// Nothing can be asked of its workers any more, and there will be no others.
    pub(super) fn close(&self) -> Vec<Run> {
        let mut state = self.state();
        state.closed = true;
        std::mem::take(&mut state.runs).into_iter().map(|(_, run)| run).collect()
    }

    /// Takes a build from who feeds it; none if nobody does.
    pub(super) async fn leave(&self, build: &Build) -> Option<Member> {
        let mut run = self.run_of(build)?;
        let (reply, replied) = oneshot::channel();
        let order = Order::Leave { build: build.clone(), reply };
        // Sent though the queue is full: every clone of a sender has room for one.
        let sent = run.orders.start_send(order).is_ok();
        drop(run);
        self.forget_run(build);
        if sent { replied.await.ok() } else { None }
    }

    /// The state of the build that is read, as it is told.
    pub(super) fn shown(&self, live: Option<&Live>, notes: &Notes) -> ProjectionState {
        use super::StopReason;
        if notes.disabled {
            return ProjectionState::Disabled;
        }
        match live {
            None => match self.failed() {
                Some(cause) if cause.kind() == ErrorKind::Retry => ProjectionState::Retrying(cause),
                Some(cause) => ProjectionState::Stopped(StopReason::Refused(cause)),
                None => ProjectionState::Starting,
            },
            Some(live) => live.reach.now().state,
        }
    }
}
