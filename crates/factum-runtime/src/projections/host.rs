//! What all projections of an application share, and the handing over from one build to the next.

use super::{
    ProjectionState, StopReason,
    bounds::ProjectionBounds,
    member::{Halt, Member, Parts},
    reached::Reach,
    slot::{Live, Slot},
    tasks::Tasks,
    worker::{Fed, Run, Worker, feed_up_to},
};
use crate::{Ports, Spawn, lanes::text_of};
use factum_event::Position;
use factum_store::{Build, ReadModel, ReadModels, Store, StoreError};
use futures_channel::{mpsc, oneshot};
use futures_util::{
    FutureExt,
    future::{Either, select},
};
use std::{collections::BTreeMap, panic::AssertUnwindSafe, pin::pin, sync::Arc};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct Host {
    store: Arc<dyn Store>,
    ports: Ports,
    pub(super) models: Arc<dyn ReadModels>,
    pub(super) slots: BTreeMap<&'static str, Arc<Slot>>,
    pub(super) tasks: Tasks,
    bounds: ProjectionBounds,
    /// Whether nobody feeds anything, see [`super::Projections::at_rest`].
    pub(super) at_rest: bool,
    /// Whether every build was opened, or could not be.
    pub(super) started: watch::Sender<bool>,
    closed: watch::Sender<bool>,
}

impl Host {
    pub(super) fn new(
        store: Arc<dyn Store>,
        ports: Ports,
        models: Arc<dyn ReadModels>,
        slots: BTreeMap<&'static str, Arc<Slot>>,
        spawn: Arc<dyn Spawn>,
        bounds: ProjectionBounds,
    ) -> Self {
        let started = watch::Sender::new(slots.is_empty());
        let closed = watch::Sender::new(false);
        let tasks = Tasks::new(spawn);
        Self { store, ports, models, slots, tasks, bounds, at_rest: false, started, closed }
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(super) fn bounds(&self) -> ProjectionBounds {
        self.bounds
    }

    /// Nothing is fed any more once those that do have ended, which they do when what is given here is dropped.
    pub(super) fn close(&self) -> Vec<Run> {
        self.closed.send_replace(true);
        self.slots.values().flat_map(|slot| slot.close()).collect()
    }

    /// Waits before something is tried again; tells whether it is to be.
    pub(super) async fn paused_after(&self, failures: u32) -> bool {
        let pause = self.bounds.outside.pause_after(failures.min(16), &*self.ports.entropy);
        let mut closed = self.closed.subscribe();
        let closed = pin!(closed.wait_for(|closed| *closed));
        matches!(select(self.ports.sleep.sleep(pause), closed).await, Either::Left(_))
    }

    /// Feeds these, in one pass over the log, on a thread of their own.
    pub(super) fn feed(self: &Arc<Self>, fed: Vec<Fed>) {
        if fed.is_empty() {
            return;
        }
        let (orders, received) = mpsc::channel(0);
        let (end, ended) = oneshot::channel();
        let run = Run { orders, ended: ended.shared() };
        let reaches: Vec<_> = fed.iter().map(|fed| Arc::clone(&fed.member.reach)).collect();
        for one in &fed {
            one.member.became(ProjectionState::CatchingUp);
            one.slot.runs(one.member.build().clone(), run.clone());
        }
        let names: Vec<_> = fed.iter().map(|fed| fed.member.name()).collect();
        let worker =
            Worker { host: Arc::clone(self), fed, orders: received, failures: 0, ahead: None, one_by_one: 0 };
        drop(run);
        self.tasks.begin(
            "factum-projection",
            Box::pin(async move {
                if let Err(panic) = AssertUnwindSafe(worker.run()).catch_unwind().await {
                    let what = text_of(&*panic).to_owned();
                    tracing::error!(projections = ?names, what, "the runner of projections panicked");
                    for reach in reaches {
                        reach.became(ProjectionState::Stopped(StopReason::Panicked(what.clone())));
                    }
                }
                // Nobody may be left who waits for the end.
                let _ = end.send(());
            }),
        );
    }

    /// Becomes who feeds a build. `mark`: up to where earlier builds told of events; none while it is made.
    pub(super) async fn claim(
        &self,
        slot: &Arc<Slot>,
        live: &Live,
        mark: Option<Position>,
    ) -> Result<Fed, Halt> {
        let model = live.model.clone()?;
        let definition = slot.definition(live.build.version).ok_or_else(|| {
            let what = format!("this build of the application has no code of {}", live.build);
            StoreError::new(factum_store::ErrorKind::FixInput, what)
        })?;
        let member = Member::claim(Parts {
            definition: Arc::clone(definition),
            model,
            reach: Arc::clone(&live.reach),
            log: self.store.identity(),
            discarded: Arc::clone(&slot.discarded),
            mark,
            ports: self.ports.clone(),
            bounds: self.bounds,
        })
        .await?;
        Ok(Fed { member, slot: Arc::clone(slot), building: mark.is_none() })
    }

    /// A build as it is shown, before anyone feeds it.
    pub(super) fn shown(
        &self,
        build: Build,
        model: Result<Arc<dyn ReadModel>, StoreError>,
        position: Position,
        state: ProjectionState,
    ) -> Live {
        Live { build, model, reach: Arc::new(Reach::new(position, state, self.ports.clock.now())) }
    }

    /// Puts a build that has come as far as the one that is read into its place, at one position: what was told
    /// of events stops with the one there and goes on with the other. Tells whether it is to be fed on.
    pub(super) async fn hand_over(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        member: &mut Member,
    ) -> Result<bool, Halt> {
        let old = slot.live();
        let mut notes = slot.notes();
        let left = match &old {
            Some(old) => slot.leave(&old.build).await,
            None => None,
        };
        let mark = match (&left, &old) {
            (Some(left), Some(old)) => left.position.max(old.reach.position()),
            (None, Some(old)) if old.model.is_ok() => old.reach.position(),
            _ => member.position,
        };
        let handed = async {
            feed_up_to(&*self.store, member, mark).await?;
            // Who is not the one to feed it does not say either what is read.
            member.seal(mark).await?;
            let dropped = notes.previous.take().filter(|previous| previous != member.build());
            notes.previous = old.as_ref().map(|old| old.build.clone());
            notes.live = Some(member.build().clone());
            notes.building = None;
            notes.told = notes.told.max(mark);
            notes.write(&*self.models, slot.name).await?;
            Ok::<_, Halt>(dropped)
        }
        .await;
        let dropped = match handed {
            Ok(dropped) => dropped,
            Err(halt) => {
                // The old one goes on as if nothing had been tried.
                let fed = left.map(|member| Fed { member, slot: Arc::clone(slot), building: false });
                self.feed(fed.into_iter().collect());
                return Err(halt);
            }
        };
        let paused = notes.paused || notes.disabled;
        let told = notes.told;
        slot.noted(notes);
        member.lives(told);
        slot.set_live(Live {
            build: member.build().clone(),
            model: Ok(Arc::clone(&member.model)),
            reach: Arc::clone(&member.reach),
        });
        slot.set_building(None);
        slot.forget_run(member.build());
        drop(left);
        if let Some(old) = old {
            tracing::info!(projection = slot.name, from = %old.build, to = %member.build(), at = %mark, "switched");
            old.reach.became(ProjectionState::Stopped(StopReason::Ended));
        }
        if let Some(dropped) = dropped {
            self.remove(&dropped).await;
        }
        Ok(!paused)
    }

    /// Takes a build away that nobody needs any more. What is left of one costs room and nothing else.
    pub(super) async fn remove(&self, build: &Build) {
        if let Err(cause) = self.models.remove(build).await {
            tracing::warn!(%build, %cause, "an old build could not be removed");
        }
    }

    /// Ready once every projection was opened.
    pub(super) async fn started(&self) {
        // Not an error: the sender lives as long as this.
        let _ = self.started.subscribe().wait_for(|started| *started).await;
    }
}
