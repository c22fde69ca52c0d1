//! A command that cannot be decided is set apart; its key waits, all others go on, and an operator decides.

use crate::bank::{AccountId, BankEvent, Cash, Deposit};
use factum::{CommandId, OperateError, Status, prelude::*, store::MemoryStore};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const ANN: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

/// Deposits in the order of an account, unless the till is out of order: then it panics.
#[derive(Command)]
#[command(name = "bank.till")]
struct Till(AccountId, u64);

static OUT_OF_ORDER: AtomicBool = AtomicBool::new(false);
/// One test at a time breaks the till.
static TILL: std::sync::Mutex<()> = std::sync::Mutex::new(());

impl Decide for Till {
    type Event = BankEvent;
    type Models = Cash;
    type Rejection = Never;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, _: &Cash, _: &Context) -> Decision<Self> {
        assert!(!(OUT_OF_ORDER.load(Ordering::SeqCst) && self.1 == 13), "the till is out of order");
        emit(BankEvent::Deposited { account: self.0, cents: self.1 })
    }
}

struct Logs {
    events: Arc<MemoryStore>,
    commands: Arc<MemoryStore>,
}

impl Logs {
    fn new() -> Self {
        Self { events: Arc::new(MemoryStore::new()), commands: Arc::new(MemoryStore::new()) }
    }

    fn start(&self) -> App {
        App::on(self.events.clone()).command_log(self.commands.clone()).commands::<(Till, Deposit)>().start()
    }
}

async fn status(app: &App, id: CommandId) -> Status {
    app.status(id).await.unwrap().unwrap().status
}

/// Until the lanes have come to it.
async fn until(app: &App, id: CommandId, wanted: Status) {
    for _ in 0..10_000 {
        if status(app, id).await == wanted {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("{id} is {} and not {wanted}", status(app, id).await);
}

/// A parked command with two behind it, and a command of another key.
async fn parked(app: &App) -> [CommandId; 3] {
    OUT_OF_ORDER.store(true, Ordering::SeqCst);
    let mut ids = Vec::new();
    for cents in [13, 1, 2] {
        ids.push(app.submit(Till(ANN, cents)).actor("ann").await.unwrap().command_id());
    }
    let other = app.submit(Till(BOB, 7)).await.unwrap();
    assert_eq!(other.outcome().await.unwrap().status, Status::Succeeded, "another key goes on");
    let stuck = app.lanes().unwrap().outcome(ids[0]).await.unwrap();
    assert_eq!(stuck.status, Status::Parked);
    assert!(stuck.cause.unwrap().contains("the till is out of order"));
    for id in &ids[1..] {
        while app.store().commits_of(*id).await.unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(status(app, *id).await, Status::Accepted, "it waits");
    }
    [ids[0], ids[1], ids[2]]
}

#[test]
fn a_redriven_command_comes_before_those_that_waited() {
    let _till = TILL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    block_on(async {
        for restarts in [false, true] {
            let logs = Logs::new();
            let mut app = logs.start();
            let ids = parked(&app).await;
            if restarts {
                app.stop().await;
                app = logs.start();
                let late = app.submit(Till(ANN, 4)).await.unwrap().command_id();
                while app.store().commits_of(late).await.unwrap().is_empty() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                assert_eq!(status(&app, late).await, Status::Accepted, "the key still waits after a restart");
            }
            let lanes = app.lanes().unwrap();
            let listed = lanes.parked().await.unwrap();
            assert_eq!(listed.len(), 1);
            assert_eq!((listed[0].command, &listed[0].waiting[..2]), (ids[0], &ids[1..]));
            OUT_OF_ORDER.store(false, Ordering::SeqCst);
            lanes.redrive(ids[0], "olga").await.unwrap();
            for id in ids {
                until(&app, id, Status::Succeeded).await;
            }
            let last = app.submit(Till(ANN, 5)).await.unwrap().outcome().await.unwrap();
            assert_eq!(last.status, Status::Succeeded);
            let expected = if restarts { "13 1 2 4 5" } else { "13 1 2 5" };
            assert_eq!(deposits(&app).await, expected);
            assert_eq!(lanes.parked().await.unwrap(), []);
            assert_eq!(status_actor(&app, ids[0]).await, "ann", "it is still its sender's command");
            let again = lanes.redrive(ids[0], "olga").await.unwrap_err();
            assert_eq!(again, OperateError::NotParked { command: ids[0] });
        }
    });
}

#[test]
fn a_discarded_command_is_given_up_and_those_behind_it_go_on() {
    let _till = TILL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let ids = parked(&app).await;
        app.lanes().unwrap().discard(ids[0], "olga", "the till is scrapped").await.unwrap();
        for id in &ids[1..] {
            until(&app, *id, Status::Succeeded).await;
        }
        let given_up = app.status(ids[0]).await.unwrap().unwrap();
        assert_eq!(
            (given_up.status, given_up.cause.as_deref()),
            (Status::Failed, Some("the till is scrapped"))
        );
        assert_eq!(deposits(&app).await, "1 2");
        app.stop().await;
        let app = logs.start();
        assert_eq!(
            app.submit(Till(ANN, 5)).await.unwrap().outcome().await.unwrap().status,
            Status::Succeeded
        );
        assert_eq!(deposits(&app).await, "1 2 5");
    });
}

#[test]
fn a_command_that_fails_again_is_parked_again() {
    let _till = TILL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let ids = parked(&app).await;
        let lanes = app.lanes().unwrap();
        lanes.redrive(ids[0], "olga").await.unwrap();
        while lanes.parked().await.unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        OUT_OF_ORDER.store(false, Ordering::SeqCst);
        lanes.redrive(ids[0], "olga").await.unwrap();
        for id in ids {
            until(&app, id, Status::Succeeded).await;
        }
        assert_eq!(deposits(&app).await, "13 1 2");
    });
}

#[test]
fn a_command_that_this_build_does_not_know_is_parked_until_one_does() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        app.stop().await;
        let id = app.submit(Till(BOB, 3)).await.unwrap().command_id();
        let old =
            App::on(logs.events.clone()).command_log(logs.commands.clone()).commands::<Deposit>().start();
        let stuck = old.lanes().unwrap().outcome(id).await.unwrap();
        assert_eq!(stuck.status, Status::Parked);
        assert!(stuck.cause.unwrap().contains("bank.till"));
        old.stop().await;
        let app = logs.start();
        app.lanes().unwrap().redrive(id, "olga").await.unwrap();
        until(&app, id, Status::Succeeded).await;
    });
}

#[test]
fn a_command_that_was_decided_at_once_under_the_same_id_holds_nobody_back() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        app.stop().await;
        // Another command is decided under its id while it waits: it cannot be decided, and there is an outcome.
        let id = app.submit(Till(ANN, 2)).await.unwrap().command_id();
        app.execute(Deposit(ANN, 1)).command_id(id).await.unwrap();
        let app = logs.start();
        let outcome = app.lanes().unwrap().outcome(id).await.unwrap();
        assert_eq!(outcome.status, Status::Succeeded);
        let next = app.submit(Till(ANN, 3)).await.unwrap().command_id();
        until(&app, next, Status::Succeeded).await;
        assert_eq!(deposits(&app).await, "1 3");
    });
}

#[test]
fn a_parked_command_that_is_decided_at_once_gives_its_key_free_when_it_is_released() {
    let _till = TILL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    block_on(async {
        for discards in [false, true] {
            let app = Logs::new().start();
            let ids = parked(&app).await;
            OUT_OF_ORDER.store(false, Ordering::SeqCst);
            app.execute(Till(ANN, 13)).command_id(ids[0]).await.unwrap();
            let lanes = app.lanes().unwrap();
            assert_eq!(lanes.parked().await.unwrap()[0].command, ids[0], "its key still waits");
            match discards {
                true => lanes.discard(ids[0], "olga", "it is done").await.unwrap(),
                false => lanes.redrive(ids[0], "olga").await.unwrap(),
            };
            for id in ids {
                until(&app, id, Status::Succeeded).await;
            }
            assert_eq!(deposits(&app).await, "13 1 2");
        }
    });
}

/// What was deposited to ann, in order.
async fn deposits(app: &App) -> String {
    let query = factum::QueryItem::default().stream(factum::StreamName::unchecked("account-1")).into();
    let events = app.store().read(&query, Default::default()).await.unwrap().events;
    let cents = |event: &factum::RecordedEvent| {
        serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap()["cents"].to_string()
    };
    events.iter().map(cents).collect::<Vec<_>>().join(" ")
}

async fn status_actor(app: &App, id: CommandId) -> String {
    app.status(id).await.unwrap().unwrap().actor.unwrap().to_string()
}

#[test]
fn what_stands_behind_a_parked_command_is_pending_and_no_reader_waits_for_it() {
    let _till = TILL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    block_on(async {
        let app = Logs::new().start();
        parked(&app).await;
        assert!(app.pending::<Cash>(&ANN).await.unwrap() && !app.pending::<Cash>(&BOB).await.unwrap());
        // A reader that waited would wait for good.
        assert!(!app.settled::<Cash>(&ANN, Duration::MAX).await.unwrap());
        let alone = app.submit(Till(AccountId(3), 13)).await.unwrap();
        assert_eq!(alone.outcome().await.unwrap().status, Status::Parked);
        assert!(app.pending::<Cash>(&AccountId(3)).await.unwrap(), "it has no final outcome");
    });
}
