//! What keeps lanes honest when stores are slow, and operators quick.

use crate::bank::{AccountId, Cash, PayIn, Withdraw};
use factum::{
    LaneLayout, LaneMode, OperateError, Query, Status,
    prelude::*,
    store::{MemoryStore, Store},
};
use factum_testkit::Intercepted;
use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::Poll,
};

const ANN: AccountId = AccountId(1);

/// Ready once the gate is open.
async fn pass(gate: Arc<AtomicBool>) {
    poll_fn(|context| {
        if gate.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The amounts paid in and out, in the order they were stored.
async fn story(app: &App) -> Vec<i64> {
    let events = app.store().read(&Query::All, Default::default()).await.unwrap().events;
    let cents = |event: &factum::RecordedEvent| {
        let data: serde_json::Value = serde_json::from_slice(&event.payload).unwrap();
        let cents = data["cents"].as_i64().unwrap();
        if event.event_type.as_str() == "bank.withdrawn" { -cents } else { cents }
    };
    events.iter().map(cents).collect()
}

#[test]
fn a_lane_does_not_overtake_itself_however_slow_a_write_is() {
    block_on(async {
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (gate, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (at_gate, counted) = (Arc::clone(&gate), Arc::clone(&begun));
        // The first write waits at the gate; one that came after it would be first.
        let events = Intercepted::new(inner, move |store: &dyn Store, batch| {
            let gate = (counted.fetch_add(1, Ordering::SeqCst) == 0).then(|| Arc::clone(&at_gate));
            Box::pin(async move {
                if let Some(gate) = gate {
                    pass(gate).await;
                }
                store.append(batch).await
            })
        });
        let app = App::on(Arc::new(events))
            .command_log(Arc::new(MemoryStore::new()))
            .commands::<(PayIn, Withdraw)>()
            .start();
        app.submit(PayIn(ANN, 1)).await.unwrap();
        while begun.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let second = app.submit(PayIn(ANN, 2)).await.unwrap();
        // Another key shows that the lanes have seen what came after the first.
        let other = app.submit(PayIn(AccountId(2), 3)).await.unwrap();
        other.outcome().await.unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 2, "the second waits for the first");
        gate.store(true, Ordering::SeqCst);
        second.outcome().await.unwrap();
        assert_eq!(story(&app).await, [3, 1, 2]);
    });
}

#[test]
fn the_watermark_stays_below_a_command_that_is_not_done() {
    block_on(async {
        let (events, commands) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let inner: Arc<dyn Store> = events.clone();
        // The first append never ends, as if the process died while it was under way.
        let begun = Arc::new(AtomicBool::new(false));
        let is_first = Arc::clone(&begun);
        let stuck = Intercepted::new(inner, move |store: &dyn Store, batch| {
            if !is_first.swap(true, Ordering::SeqCst) {
                return Box::pin(std::future::pending());
            }
            store.append(batch)
        });
        let many = 4300;
        let layout = LaneLayout { mode: LaneMode::ByKey, count: 2 };
        let start = |events| {
            App::on(events)
                .command_log(commands.clone())
                .commands::<(PayIn, Withdraw)>()
                .lanes(layout)
                .start()
        };
        let app = start(Arc::new(stuck));
        // Two keys of different lanes, so that the second goes on beside the first.
        let other = AccountId(2);
        let behind = app.submit(PayIn(ANN, 1)).await.unwrap().command_id();
        while !begun.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let mut last = None;
        for _ in 0..many {
            // Nothing to do, so that no model grows long.
            last = Some(app.submit(Withdraw(other, 0)).await.unwrap());
        }
        last.unwrap().outcome().await.unwrap();
        assert_eq!(app.status(behind).await.unwrap().unwrap().status, Status::Accepted);
        drop(app);
        let app = start(events);
        assert_eq!(app.lanes().unwrap().outcome(behind).await.unwrap().status, Status::Succeeded);
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(1));
    });
}

/// An app whose lanes are stopped: it accepts, and decides nothing.
async fn stopped(events: &Arc<MemoryStore>, commands: &Arc<dyn Store>) -> App {
    let app = App::on(events.clone()).command_log(commands.clone()).commands::<(PayIn, Withdraw)>().start();
    app.stop().await;
    app
}

/// A parked command of ann's: its build did not know it.
async fn parked(events: &Arc<MemoryStore>, commands: &Arc<dyn Store>) -> factum::CommandId {
    let id = stopped(events, commands).await.submit(PayIn(ANN, 1)).await.unwrap().command_id();
    let old = App::on(events.clone()).command_log(commands.clone()).commands::<Withdraw>().start();
    assert_eq!(old.lanes().unwrap().outcome(id).await.unwrap().status, Status::Parked);
    old.stop().await;
    id
}

#[test]
fn what_came_in_before_a_redrive_is_decided_after_it() {
    block_on(async {
        let events = Arc::new(MemoryStore::new());
        let commands: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let id = parked(&events, &commands).await;
        let waiting = stopped(&events, &commands).await;
        waiting.submit(PayIn(ANN, 2)).await.unwrap();
        let driven = waiting.lanes().unwrap().redrive(id, "olga").await.unwrap();
        assert_eq!(driven.waiting.len(), 1);
        let app = App::on(events.clone()).command_log(commands).commands::<(PayIn, Withdraw)>().start();
        let last = app.submit(PayIn(ANN, 3)).await.unwrap();
        assert_eq!(last.outcome().await.unwrap().status, Status::Succeeded);
        assert_eq!(story(&app).await, [1, 2, 3]);
    });
}

#[test]
fn a_redrive_never_leaves_behind_what_comes_in_meanwhile() {
    block_on(async {
        let events = Arc::new(MemoryStore::new());
        let commands: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let id = parked(&events, &commands).await;
        let beside = Arc::new(stopped(&events, &commands).await);
        // While the redrive is on its way to the command log, another command comes in.
        let late = AtomicBool::new(false);
        let raced = Intercepted::new(commands.clone(), move |store: &dyn Store, batch| {
            let (beside, is_late) = (Arc::clone(&beside), late.swap(true, Ordering::SeqCst));
            Box::pin(async move {
                if !is_late {
                    beside.submit(PayIn(ANN, 2)).await.unwrap();
                }
                store.append(batch).await
            })
        });
        let raced: Arc<dyn Store> = Arc::new(raced);
        let operator = stopped(&events, &raced).await;
        let lanes = operator.lanes().unwrap();
        assert_eq!(lanes.redrive(id, "olga").await.unwrap_err(), OperateError::Conflict { command: id });
        assert_eq!(lanes.redrive(id, "olga").await.unwrap().waiting.len(), 1);
        assert_eq!(lanes.redrive(id, "olga").await.unwrap_err(), OperateError::NotParked { command: id });
        let app = App::on(events.clone()).command_log(commands).commands::<(PayIn, Withdraw)>().start();
        app.submit(PayIn(ANN, 3)).await.unwrap().outcome().await.unwrap();
        assert_eq!(story(&app).await, [1, 2, 3]);
    });
}
