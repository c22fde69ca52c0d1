//! Submitted commands: stored first, decided in the order of their key, each with one outcome.

use crate::bank::{AccountId, Cash, Deposit, PayIn, Withdraw, at_once};
use factum::{
    LaneLayout, LaneMode, LaneState, Status, SubmitError, prelude::*, store::MemoryStore, store::Store,
};
use std::sync::Arc;

const ANN: AccountId = AccountId(1);

type Bank = (Deposit, PayIn, Withdraw);

fn app() -> App {
    App::in_memory().commands::<Bank>().start()
}

#[test]
fn a_submitted_command_gets_its_outcome() {
    block_on(async {
        let app = app();
        let done = app.submit(Deposit(ANN, 5)).actor("ann").await.unwrap().outcome().await.unwrap();
        assert_eq!(
            (done.status, done.events.len(), done.actor.as_deref()),
            (Status::Succeeded, 1, Some("ann"))
        );
        let rejected = app.submit(Withdraw(ANN, 9)).await.unwrap().outcome().await.unwrap();
        assert_eq!(
            (rejected.status, rejected.rejection.unwrap().code),
            (Status::Rejected, "overdrawn".to_owned())
        );
        let nothing = app.submit(Withdraw(ANN, 0)).await.unwrap().outcome().await.unwrap();
        assert_eq!((nothing.status, nothing.events.len()), (Status::Succeeded, 0));
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(5));
    });
}

#[test]
fn it_is_stored_before_it_is_decided() {
    block_on(async {
        let (events, commands) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let start = || App::on(events.clone()).command_log(commands.clone()).commands::<Bank>().start();
        let first = start();
        first.stop().await;
        assert_eq!(first.lanes().unwrap().state(), LaneState::Stopped);
        let id = first.submit(Deposit(ANN, 5)).await.unwrap().command_id();
        assert_eq!(first.status(id).await.unwrap().unwrap().status, Status::Accepted);
        let waited = first.lanes().unwrap().outcome(id).await.unwrap_err();
        assert!(waited.to_string().contains("next start"), "{waited}");
        assert_eq!(events.head().await.unwrap().sequence.get(), 0);
        let second = start();
        assert_eq!(second.lanes().unwrap().outcome(id).await.unwrap().status, Status::Succeeded);
    });
}

#[test]
fn commands_of_one_key_are_decided_in_the_order_they_came_in() {
    for mode in [LaneMode::ByKey, LaneMode::ByCommand, LaneMode::Single] {
        let app = App::in_memory().commands::<Bank>().lanes(LaneLayout { mode, count: 7 }).start();
        let shared = app.clone();
        at_once(4, move |account| {
            block_on(async {
                for cents in 1..=25 {
                    shared.submit(PayIn(AccountId(account), cents)).await.unwrap();
                }
                shared.submit(PayIn(AccountId(account), 100)).await.unwrap().outcome().await.unwrap();
            });
        });
        block_on(async {
            let events = app.store().read(&factum::Query::All, Default::default()).await.unwrap().events;
            for account in 0..4 {
                let stream = format!("account-{account}");
                let own = events.iter().filter(|event| event.stream.as_str() == stream);
                let cents: Vec<u64> = own
                    .map(|event| {
                        serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap()["cents"]
                            .as_u64()
                            .unwrap()
                    })
                    .collect();
                let mut expected: Vec<u64> = (1..=25).collect();
                expected.push(100);
                assert_eq!(cents, expected, "{mode:?}");
            }
        });
    }
}

#[test]
fn a_repeat_gets_a_ticket_for_the_first() {
    block_on(async {
        let app = app();
        let send = |cents| app.submit(Deposit(ANN, cents)).actor("ann").idempotency_key("k1");
        let first = send(5).await.unwrap();
        let again = send(5).await.unwrap();
        assert_eq!(
            (first.command_id(), first.repeated(), again.repeated()),
            (again.command_id(), false, true)
        );
        again.outcome().await.unwrap();
        assert!(send(5).await.unwrap().repeated());
        assert_eq!(send(6).await.unwrap_err(), SubmitError::KeyReused { command: first.command_id() });
        app.submit(Deposit(ANN, 1)).await.unwrap().outcome().await.unwrap();
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(6));
    });
}

#[test]
fn a_command_that_nobody_decides_is_refused() {
    block_on(async {
        let refused = app().submit(crate::bank::Number).await.unwrap_err();
        assert_eq!(refused, SubmitError::NotRegistered { name: "bank.number".to_owned() });
        assert!(refused.to_string().contains(".commands::<(..)>()"));
        let none = App::in_memory().start().submit(Deposit(ANN, 1)).await.map(drop).unwrap_err();
        assert_eq!(none, SubmitError::NotRegistered { name: "bank.deposit".to_owned() });
    });
}

#[test]
fn watching_shows_each_status_and_ends_after_the_final_one() {
    block_on(async {
        let (events, commands) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let start = || App::on(events.clone()).command_log(commands.clone()).commands::<Bank>().start();
        let stopped = start();
        stopped.stop().await;
        let id = stopped.submit(Deposit(ANN, 5)).await.unwrap().command_id();
        let app = start();
        let mut watch = app.lanes().unwrap().watch(id);
        let mut seen = Vec::new();
        while let Some(status) = watch.next().await.unwrap() {
            seen.push(status.status);
        }
        assert_eq!(seen.last(), Some(&Status::Succeeded));
        assert!(seen.len() == 1 || seen == [Status::Accepted, Status::Succeeded], "{seen:?}");
    });
}

#[test]
fn another_layout_takes_over_once_all_before_it_is_decided() {
    block_on(async {
        let (events, commands) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let start = |layout| {
            App::on(events.clone()).command_log(commands.clone()).commands::<Bank>().lanes(layout).start()
        };
        let layouts = [
            LaneLayout { mode: LaneMode::ByKey, count: 8 },
            LaneLayout { mode: LaneMode::Single, count: 1 },
            LaneLayout { mode: LaneMode::ByCommand, count: 3 },
            LaneLayout { mode: LaneMode::ByKey, count: 8 },
        ];
        let mut last = None;
        for layout in layouts {
            let app = start(layout);
            for _ in 0..20 {
                last = Some(app.submit(PayIn(ANN, 1)).await.unwrap().command_id());
            }
            app.stop().await;
        }
        let app = start(layouts[3]);
        app.lanes().unwrap().outcome(last.unwrap()).await.unwrap();
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(80));
    });
}

#[test]
fn on_the_embedded_log_the_lanes_go_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let start = || App::embedded(dir.path()).commands::<Bank>().start().unwrap();
    block_on(async {
        let mut sent = Vec::new();
        for round in 0..5 {
            let app = start();
            for account in 0..10 {
                let key = format!("{round}-{account}");
                let ticket = app.submit(PayIn(AccountId(account), 1)).idempotency_key(key).await.unwrap();
                sent.push(ticket.command_id());
            }
            // Some are decided by now, some are not.
            app.stop().await;
        }
        let app = start();
        for id in &sent {
            assert_eq!(app.lanes().unwrap().outcome(*id).await.unwrap().status, Status::Succeeded);
        }
        assert_eq!(app.store().head().await.unwrap().position.get(), 50);
        for account in 0..10 {
            assert_eq!(app.view::<Cash>(AccountId(account)).await.unwrap().state, Cash(5));
        }
        assert!(dir.path().join("commands").is_dir() && dir.path().join("events").is_dir());
    });
}
