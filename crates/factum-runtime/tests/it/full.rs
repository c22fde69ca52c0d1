//! Logs without room for a while: what was accepted waits, is never parked for it, and is decided once there
//! is room again.

use crate::bank::{AccountId, Cash, PayIn, Withdraw};
use factum::{
    ErrorKind, LaneLayout, LaneMode, LaneState, Sleep, Status, StoreError, SubmitError,
    prelude::*,
    store::{AppendError, MemoryStore, Store},
};
use factum_testkit::{Intercepted, Process, Scheduler};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

const ANN: AccountId = AccountId(1);
const LAYOUT: LaneLayout = LaneLayout { mode: LaneMode::ByKey, count: 4 };

/// A log that may be full, and how often it was found so.
#[derive(Clone)]
struct Disk {
    store: Arc<MemoryStore>,
    full: Arc<AtomicBool>,
    refused: Arc<AtomicU32>,
}

impl Disk {
    fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()), full: Arc::default(), refused: Arc::default() }
    }

    fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn refused(&self) -> u32 {
        self.refused.load(Ordering::SeqCst)
    }

    fn mounted(&self) -> Arc<dyn Store> {
        let (full, refused) = (Arc::clone(&self.full), Arc::clone(&self.refused));
        Arc::new(Intercepted::new(self.store.clone(), move |store: &dyn Store, batch| {
            if !full.load(Ordering::SeqCst) {
                return store.append(batch);
            }
            refused.fetch_add(1, Ordering::SeqCst);
            let cause = StoreError::new(ErrorKind::Retry, "the disk is full, nothing was stored");
            Box::pin(std::future::ready(vec![Err(AppendError::Store(cause)); batch.len()]))
        }))
    }
}

struct Machine {
    scheduler: Scheduler,
    process: Process,
    events: Disk,
    commands: Disk,
}

impl Machine {
    fn new() -> Self {
        let scheduler = Scheduler::new(0);
        let process = scheduler.process();
        Self { scheduler, process, events: Disk::new(), commands: Disk::new() }
    }

    fn start(&self, layout: LaneLayout) -> App {
        let builder = App::on(self.events.mounted()).command_log(self.commands.mounted()).lanes(layout);
        let ports = builder.sleep(Arc::new(self.scheduler.clone())).clock(self.scheduler.clock().clone());
        ports.spawn(Arc::new(self.process.clone())).commands::<(PayIn, Withdraw)>().start()
    }

    async fn an_hour(&self) {
        self.scheduler.sleep(Duration::from_secs(3600)).await;
    }

    fn run(&self, test: impl Future<Output = ()>) {
        self.scheduler.run(test);
    }
}

#[test]
fn accepted_commands_wait_for_room_for_their_outcome_and_are_decided_in_order() {
    let machine = Machine::new();
    machine.run(async {
        let app = machine.start(LAYOUT);
        machine.events.fill(true);
        let mut ids = Vec::new();
        for cents in [5, 7] {
            ids.push(app.submit(PayIn(ANN, cents)).await.unwrap().command_id());
        }
        ids.push(app.submit(Withdraw(ANN, 12)).await.unwrap().command_id());
        machine.an_hour().await;
        // The longest pause is a second: it goes on trying, and no more often than that.
        assert!((3000..4000).contains(&machine.events.refused()), "{}", machine.events.refused());
        for id in &ids {
            assert_eq!(app.status(*id).await.unwrap().unwrap().status, Status::Accepted);
        }
        assert_eq!(machine.events.store.head().await.unwrap().sequence.get(), 0, "nothing is parked");
        machine.events.fill(false);
        for id in &ids {
            assert_eq!(app.lanes().unwrap().outcome(*id).await.unwrap().status, Status::Succeeded);
            assert_eq!(app.store().commits_of(*id).await.unwrap().len(), 1);
        }
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(0));
    });
}

#[test]
fn accepted_commands_wait_for_room_across_a_restart() {
    let machine = Machine::new();
    machine.run(async {
        let app = machine.start(LAYOUT);
        machine.events.fill(true);
        let id = app.submit(PayIn(ANN, 5)).await.unwrap().command_id();
        machine.an_hour().await;
        machine.process.kill();
        let app = machine.start(LAYOUT);
        machine.an_hour().await;
        assert_eq!(app.status(id).await.unwrap().unwrap().status, Status::Accepted);
        machine.events.fill(false);
        assert_eq!(app.lanes().unwrap().outcome(id).await.unwrap().status, Status::Succeeded);
    });
}

#[test]
fn without_room_to_accept_it_a_command_is_refused_and_nothing_is_stored() {
    let machine = Machine::new();
    machine.run(async {
        let app = machine.start(LAYOUT);
        app.submit(PayIn(ANN, 1)).await.unwrap().outcome().await.unwrap();
        machine.commands.fill(true);
        let send = || app.submit(PayIn(ANN, 5)).idempotency_key("k");
        match send().await {
            Err(SubmitError::Unavailable(cause)) => assert_eq!(cause.kind(), ErrorKind::Retry),
            other => panic!("{other:?}"),
        }
        machine.commands.fill(false);
        let ticket = send().await.unwrap();
        assert!(!ticket.repeated());
        assert_eq!(ticket.outcome().await.unwrap().status, Status::Succeeded);
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(6));
    });
}

#[test]
fn a_start_without_room_for_its_layout_waits_for_some() {
    let machine = Machine::new();
    machine.run(async {
        let app = machine.start(LAYOUT);
        app.stop().await;
        let id = app.submit(PayIn(ANN, 1)).await.unwrap().command_id();
        machine.commands.fill(true);
        let app = machine.start(LaneLayout { mode: LaneMode::Single, count: 1 });
        machine.an_hour().await;
        assert_eq!(app.lanes().unwrap().state(), LaneState::Running);
        machine.commands.fill(false);
        assert_eq!(app.lanes().unwrap().outcome(id).await.unwrap().status, Status::Succeeded);
    });
}

#[test]
fn a_command_that_must_be_parked_waits_for_room_for_its_mark() {
    let machine = Machine::new();
    machine.run(async {
        let app = machine.start(LAYOUT);
        app.stop().await;
        let id = app.submit(PayIn(ANN, 1)).await.unwrap().command_id();
        let behind = app.submit(Withdraw(ANN, 0)).await.unwrap().command_id();
        machine.commands.fill(true);
        let old = App::on(machine.events.mounted()).command_log(machine.commands.mounted()).lanes(LAYOUT);
        let old = old.sleep(Arc::new(machine.scheduler.clone())).spawn(Arc::new(machine.process.clone()));
        let old = old.commands::<Withdraw>().start();
        machine.an_hour().await;
        assert_eq!(machine.events.store.head().await.unwrap().sequence.get(), 0, "its key waits");
        machine.commands.fill(false);
        assert_eq!(old.lanes().unwrap().outcome(id).await.unwrap().status, Status::Parked);
        machine.an_hour().await;
        assert_eq!(old.status(behind).await.unwrap().unwrap().status, Status::Accepted);
        assert_eq!(old.lanes().unwrap().parked().await.unwrap()[0].waiting, [behind]);
    });
}
