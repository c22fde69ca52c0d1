//! How much the lanes have before them: also after a restart, and of what memory has no room for.

use crate::bank::{AccountId, Deposit, PayIn};
use factum::{
    CommandMeasure, CommandObserver, LaneBounds, LaneLoad, LaneState, Monotonic, Sleep, Timestamp,
    prelude::*,
    store::{Append, AppendError, AppendObserver, GroupMeasure, MemoryStore, Store},
};
use factum_testkit::{Intercepted, SeededEntropy, VirtualClock};
use futures_util::FutureExt;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const ANN: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

/// Two logs by one clock. Appends to ann's account wait while it is stuck, and fail when it is broken.
struct Logs {
    clock: Arc<VirtualClock>,
    events: Arc<dyn Store>,
    commands: Arc<dyn Store>,
    stuck: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

fn concerns_ann(batch: &[Append]) -> bool {
    let mut events = batch.iter().flat_map(|append| &append.commit.events);
    events.any(|event| event.stream.as_str() == "account-1")
}

impl Logs {
    fn new() -> Self {
        let clock = Arc::new(VirtualClock::at(Timestamp::EPOCH));
        let entropy = SeededEntropy::new(7);
        let store =
            || -> Arc<dyn Store> { Arc::new(MemoryStore::with_ports(Arc::clone(&clock) as _, &entropy)) };
        let (stuck, broken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (is_stuck, is_broken) = (Arc::clone(&stuck), Arc::clone(&broken));
        let events = Intercepted::new(store(), move |store: &dyn Store, batch| {
            if !concerns_ann(&batch) {
                return store.append(batch);
            }
            let (is_stuck, is_broken) = (Arc::clone(&is_stuck), Arc::clone(&is_broken));
            async move {
                while is_stuck.load(Ordering::SeqCst) {
                    factum_runtime::SystemSleep.sleep(Duration::from_millis(1)).await;
                }
                if is_broken.load(Ordering::SeqCst) {
                    let cause = factum::StoreError::new(factum::ErrorKind::Reopen, "the disk is gone");
                    return batch.iter().map(|_| Err(AppendError::Store(cause.clone()))).collect();
                }
                store.append(batch).await
            }
            .boxed()
        });
        let commands = store();
        Self { clock, events: Arc::new(events), commands, stuck, broken }
    }

    fn start(&self) -> App {
        App::on(Arc::clone(&self.events))
            .command_log(Arc::clone(&self.commands))
            .commands::<(PayIn, Deposit)>()
            .clock(Arc::clone(&self.clock) as _)
            .lane_bounds(LaneBounds { queued_max: 4, watermark_every: 8, ..LaneBounds::default() })
            .start()
    }
}

async fn load(app: &App) -> LaneLoad {
    for _ in 0..10_000 {
        if let Ok(load) = app.lanes().unwrap().load().await {
            return load;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the lanes do not begin");
}

/// Once the lanes have so many commands before them.
async fn until(app: &App, depth: u64) -> LaneLoad {
    for _ in 0..10_000 {
        let load = load(app).await;
        if load.depth == depth {
            return load;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it is {:?} and not {depth}", load(app).await);
}

async fn pay(app: &App, account: AccountId, times: u64) {
    for cents in 1..=times {
        app.submit(PayIn(account, cents)).await.unwrap();
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH.plus(Duration::from_secs(seconds))
}

#[test]
fn what_was_accepted_while_nobody_decided_is_counted_from_the_first_look_on() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        assert_eq!(load(&app).await, LaneLoad { depth: 0, oldest: None, parked: 0 });
        pay(&app, BOB, 30).await;
        until(&app, 0).await;
        app.stop().await;
        logs.clock.advance(Duration::from_secs(5));
        pay(&app, ANN, 1).await;
        logs.clock.advance(Duration::from_secs(5));
        pay(&app, ANN, 19).await;
        let waiting = LaneLoad { depth: 20, oldest: Some(at(5)), parked: 0 };
        assert_eq!(load(&app).await, waiting, "nobody decides");
        logs.stuck.store(true, Ordering::SeqCst);
        let app = logs.start();
        assert_eq!(load(&app).await, waiting, "the first of them is under way, most are not read");
        pay(&app, ANN, 5).await;
        assert_eq!(load(&app).await, LaneLoad { depth: 25, ..waiting });
        logs.stuck.store(false, Ordering::SeqCst);
        assert_eq!(until(&app, 0).await.oldest, None);
    });
}

#[test]
fn what_other_lanes_did_before_a_restart_is_not_counted_again() {
    block_on(async {
        let logs = Logs::new();
        logs.stuck.store(true, Ordering::SeqCst);
        let app = logs.start();
        pay(&app, ANN, 1).await;
        logs.clock.advance(Duration::from_secs(1));
        pay(&app, BOB, 30).await;
        let waiting = LaneLoad { depth: 1, oldest: Some(Timestamp::EPOCH), parked: 0 };
        assert_eq!(until(&app, 1).await, waiting);
        logs.broken.store(true, Ordering::SeqCst);
        logs.stuck.store(false, Ordering::SeqCst);
        while app.lanes().unwrap().state() == LaneState::Running {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(load(&app).await, waiting, "after they failed");
        pay(&app, BOB, 2).await;
        assert_eq!(load(&app).await, LaneLoad { depth: 3, ..waiting });
        logs.broken.store(false, Ordering::SeqCst);
        logs.stuck.store(true, Ordering::SeqCst);
        let app = logs.start();
        assert_eq!(until(&app, 1).await, waiting);
        logs.stuck.store(false, Ordering::SeqCst);
        until(&app, 0).await;
    });
}

#[test]
fn a_change_of_layout_is_no_command() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        pay(&app, BOB, 9).await;
        until(&app, 0).await;
        app.stop().await;
        pay(&app, ANN, 3).await;
        logs.stuck.store(true, Ordering::SeqCst);
        let layout = factum::LaneLayout { count: 3, ..Default::default() };
        let app = App::on(Arc::clone(&logs.events))
            .command_log(Arc::clone(&logs.commands))
            .commands::<(PayIn, Deposit)>()
            .clock(Arc::clone(&logs.clock) as _)
            .lanes(layout)
            .start();
        assert_eq!(load(&app).await.depth, 3);
        pay(&app, BOB, 2).await;
        assert_eq!(load(&app).await.depth, 5, "those behind the change wait for it");
        logs.stuck.store(false, Ordering::SeqCst);
        until(&app, 0).await;
    });
}

/// Hears of commands for later.
#[derive(Debug, Default)]
struct Heard {
    accepted: Mutex<Vec<&'static str>>,
    settled: Mutex<Vec<(&'static str, Duration)>>,
}

impl Monotonic for Heard {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl CommandObserver for Heard {
    fn command(&self, _: &CommandMeasure) {}
    fn conflict(&self) {}

    fn accepted(&self, name: &'static str) {
        self.accepted.lock().unwrap().push(name);
    }

    fn settled(&self, name: &'static str, took: Duration) {
        self.settled.lock().unwrap().push((name, took));
    }
}

impl AppendObserver for Heard {
    fn appended(&self, _: Duration) {}
    fn group(&self, _: &GroupMeasure) {}
}

#[test]
fn a_command_is_measured_from_its_acceptance_on_whoever_decides_it() {
    block_on(async {
        let logs = Logs::new();
        let heard = Arc::new(Heard::default());
        let start = || {
            App::on(Arc::clone(&logs.events))
                .command_log(Arc::clone(&logs.commands))
                .commands::<PayIn>()
                .clock(Arc::clone(&logs.clock) as _)
                .observer(Arc::clone(&heard))
                .start()
        };
        let app = start();
        until(&app, 0).await;
        app.stop().await;
        for _ in 0..2 {
            app.submit(PayIn(BOB, 1)).idempotency_key("k").await.unwrap();
        }
        assert_eq!(*heard.accepted.lock().unwrap(), ["bank.pay-in"], "once, however often it is sent");
        assert_eq!(heard.settled.lock().unwrap().len(), 0);
        logs.clock.advance(Duration::from_secs(90));
        until(&start(), 0).await;
        assert_eq!(*heard.settled.lock().unwrap(), [("bank.pay-in", Duration::from_secs(90))]);
    });
}
