//! Commands for later: stored before their sender is answered, decided in order by lanes, each lane one
//! command at a time. A lane goes on from its own last commit, so that nothing is lost, repeated or decided
//! twice, whatever happens to the process.

mod command_log;
mod driver;
mod handler;
mod lane;
mod layout;
mod load;
mod operate;
mod outcomes;
mod parked;
mod pending;
pub(crate) mod record;
mod release;
mod restored;
mod spawn;
mod submit;
mod ticket;

pub(crate) use command_log::CommandLog;
pub use handler::Handlers;
pub(crate) use lane::text_of;
pub use layout::{LaneBounds, LaneLayout, LaneMode};
pub use load::LaneLoad;
pub use operate::{OperateError, Parking, WAITING_MAX};
pub(crate) use outcomes::Outcomes;
pub use restored::{RESTORED, RestoreError, RestoredLogs};
pub use spawn::{NoSpawn, Spawn, SystemSpawn};
pub use submit::{Submit, SubmitError};
pub use ticket::Ticket;

use crate::{CommandStatus, Engine, Feeds, Watch};
use driver::{Shared, Stop, drive};
use factum_domain::Command;
use factum_event::CommandId;
use factum_store::{ErrorKind, Store, StoreError};
use futures_channel::oneshot::{Sender, channel};
use futures_util::FutureExt;
use load::Load;
use parked::Parked;
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

/// Whether commands are being decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneState {
    /// They are.
    Running,
    /// They are not any more: the application was stopped.
    Stopped,
    /// They are not any more, because of this. Accepted commands wait for the next start.
    Failed(StoreError),
}

/// The lanes of an application. They end when the last clone is dropped, or by [`Lanes::stop`].
#[derive(Clone, Debug)]
pub struct Lanes {
    shared: Arc<Shared>,
    control: Arc<Control>,
}

#[derive(Debug)]
struct Control {
    state: Mutex<LaneState>,
    stop: Mutex<Option<Sender<()>>>,
    ended: futures_util::future::Shared<futures_channel::oneshot::Receiver<()>>,
}

impl Lanes {
    /// Begins to decide what stands in `commands`, and what is to come.
    pub fn start(
        engine: Engine,
        commands: Arc<dyn Store>,
        handlers: Handlers,
        layout: LaneLayout,
        bounds: LaneBounds,
        spawn: &dyn Spawn,
    ) -> Self {
        let commands = CommandLog::new(commands);
        let shared = Arc::new(Shared {
            engine,
            commands,
            handlers,
            parked: Parked::default(),
            wanted: layout,
            is_in_force: AtomicBool::new(false),
            bounds,
            load: Load::default(),
        });
        let (stop, stopped) = channel();
        let (end, ended) = channel();
        let state = Mutex::new(LaneState::Running);
        let control = Arc::new(Control { state, stop: Mutex::new(Some(stop)), ended: ended.shared() });
        let stopped: Stop = stopped.map(drop).boxed().shared();
        let (driven, told) = (Arc::clone(&shared), Arc::downgrade(&control));
        spawn.spawn(Box::pin(async move {
            let driving = AssertUnwindSafe(drive(&driven, layout, stopped)).catch_unwind().await;
            let ended = driving.unwrap_or_else(|panic| {
                let what = format!("the lanes panicked: {}", text_of(&*panic));
                Err(lane::Halt(StoreError::new(ErrorKind::ReportBug, what)))
            });
            let engine = driven.engine.clone();
            // Before anyone is told: the logs may be opened again from then on.
            drop(driven);
            if let Some(control) = told.upgrade() {
                *control.state.lock().unwrap_or_else(PoisonError::into_inner) = match ended {
                    Ok(()) => LaneState::Stopped,
                    Err(lane::Halt(cause)) => {
                        tracing::error!(%cause, "the lanes failed: accepted commands wait");
                        LaneState::Failed(cause)
                    }
                };
            }
            engine.outcomes().tell_all();
            drop(engine);
            // Nobody may be left who waits for the end.
            let _ = end.send(());
        }));
        Self { shared, control }
    }

    /// Whether commands are being decided.
    pub fn state(&self) -> LaneState {
        self.control.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why an accepted command will not be decided by this process, if it will not.
    pub(crate) fn ended(&self) -> Result<(), StoreError> {
        match self.state() {
            LaneState::Running => Ok(()),
            LaneState::Stopped => {
                let what = "the lanes were stopped; accepted commands wait for the next start";
                Err(StoreError::new(ErrorKind::Reopen, what))
            }
            LaneState::Failed(cause) => Err(cause),
        }
    }

    /// Ends the lanes after what they are at. What waits stays in the command log.
    pub async fn stop(&self) {
        drop(self.control.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        // An error means that the task is gone, which is what is waited for.
        let _ = self.control.ended.clone().await;
    }

    /// The log of accepted commands.
    pub fn commands(&self) -> &Arc<dyn Store> {
        self.shared.commands.store()
    }

    /// Both logs, to be followed and listed.
    pub fn feeds(&self) -> Feeds {
        Feeds::new(Arc::clone(self.shared.engine.store()), Some(Arc::clone(self.commands())))
    }

    /// Watches a command: what it went through, then what it goes through, up to the final status.
    pub fn watch(&self, command: CommandId) -> Watch<'_> {
        Watch::new(&self.shared.engine, Some(self), command)
    }

    /// Accepts `command` for later. Nothing is stored until it is awaited.
    pub fn submit<C: Command>(&self, command: C) -> Submit<'_, C> {
        Submit::new(Some(self), command)
    }

    /// What became of a command, accepted ones included; `None` if neither log has heard of it.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn status(&self, command: CommandId) -> Result<Option<CommandStatus>, StoreError> {
        self.feeds().status(command).await
    }
}
