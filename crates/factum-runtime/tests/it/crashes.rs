//! The process dies at every write of a command's life: after a restart each accepted command has one
//! outcome, and every value is what it would have been.

use crate::bank::{AccountId, Cash, PayIn, Withdraw};
use factum::{
    CommandId, ErrorKind, LaneLayout, LaneMode, Status, StoreError, SubmitError,
    prelude::*,
    store::{AppendError, MemoryStore, Store},
};
use factum_testkit::{Intercepted, SeededEntropy, soak};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

const ACCOUNTS: u64 = 3;

/// Logs that take so many appends, then are dead to this process: the last one is stored or not.
struct Logs {
    events: Arc<MemoryStore>,
    commands: Arc<MemoryStore>,
}

impl Logs {
    fn dying(&self, after: i64, stores_the_last: bool) -> App {
        let left = Arc::new(AtomicI64::new(after));
        let dying = |store: &Arc<MemoryStore>| {
            let left = Arc::clone(&left);
            let store: Arc<dyn Store> = store.clone();
            Arc::new(Intercepted::new(store, move |store: &dyn Store, batch| {
                let left = left.fetch_sub(1, Ordering::SeqCst);
                Box::pin(async move {
                    let dead = || {
                        let dead = StoreError::new(ErrorKind::Reopen, "the process is dead");
                        vec![Err(AppendError::Store(dead))]
                    };
                    match left {
                        1.. => store.append(batch).await,
                        0 if stores_the_last => {
                            store.append(batch).await;
                            dead()
                        }
                        _ => dead(),
                    }
                })
            }))
        };
        App::on(dying(&self.events))
            .command_log(dying(&self.commands))
            .commands::<(PayIn, Withdraw)>()
            .lanes(LaneLayout { mode: LaneMode::ByKey, count: 4 })
            .start()
    }
}

/// What is sent: each account gets money and gives some, in an order that matters.
fn script() -> Vec<(u64, i64)> {
    (0..4)
        .flat_map(|round| (0..ACCOUNTS).map(move |account| (account, if round % 2 == 0 { 10 } else { -7 })))
        .collect()
}

/// Sends from `from` on, under ids that a repeat finds again. Where it was that the process died.
async fn send(app: &App, script: &[(u64, i64)], from: usize) -> (usize, Vec<CommandId>) {
    let mut sent = Vec::new();
    for (number, (account, cents)) in script.iter().copied().enumerate().skip(from) {
        let (account, key) = (AccountId(account), format!("k{number}"));
        let accepted = match cents {
            0.. => app.submit(PayIn(account, cents.unsigned_abs())).idempotency_key(key).await,
            _ => app.submit(Withdraw(account, cents.unsigned_abs())).idempotency_key(key).await,
        };
        match accepted {
            Ok(ticket) => sent.push(ticket.command_id()),
            Err(SubmitError::Unavailable(_)) => return (number, sent),
            Err(other) => panic!("{other}"),
        }
    }
    (script.len(), sent)
}

/// Dies after so many appends; the outcome is the same as without. Whether it died before all was done.
fn dies_after(appends: i64, stores_the_last: bool) -> bool {
    block_on(async {
        let logs = Logs { events: Arc::new(MemoryStore::new()), commands: Arc::new(MemoryStore::new()) };
        let dying = logs.dying(appends, stores_the_last);
        let (reached, mut sent) = send(&dying, &script(), 0).await;
        for id in &sent {
            if dying.lanes().unwrap().state() != factum::LaneState::Running {
                break;
            }
            let _ = wait(&dying, *id).await;
        }
        dying.stop().await;
        let died =
            !matches!(dying.lanes().unwrap().state(), factum::LaneState::Stopped) || reached < script().len();
        let app = logs.dying(i64::MAX, true);
        let (_, rest) = send(&app, &script(), reached).await;
        sent.extend(rest);
        assert_eq!(sent.len(), script().len());
        let mut events = 0;
        for id in &sent {
            let status = app.lanes().unwrap().outcome(*id).await.unwrap();
            assert_eq!(status.status, Status::Succeeded, "after {appends}");
            events += status.events.len();
            let finals = app.store().commits_of(*id).await.unwrap();
            assert_eq!(finals.iter().filter(|commit| commit.outcome.is_final()).count(), 1);
        }
        for account in 0..ACCOUNTS {
            let cash = app.view::<Cash>(AccountId(account)).await.unwrap().state;
            assert_eq!(cash, Cash(6), "account {account} after {appends}");
        }
        assert_eq!(app.store().head().await.unwrap().position.get(), events as u64);
        died
    })
}

/// The outcome, or that none comes any more.
async fn wait(app: &App, id: CommandId) -> Option<Status> {
    loop {
        let status = app.status(id).await.unwrap()?.status;
        if status != Status::Accepted {
            return Some(status);
        }
        if app.lanes().unwrap().state() != factum::LaneState::Running {
            return None;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_death_at_any_write_loses_nothing_and_repeats_nothing() {
    for stores_the_last in [false, true] {
        let mut reached_the_end = false;
        for appends in 0..200 {
            if !dies_after(appends, stores_the_last) {
                reached_the_end = true;
                assert!(appends >= script().len() as i64 * 2, "each command is written twice: {appends}");
                break;
            }
        }
        assert!(reached_the_end, "every write was died at");
    }
}

/// What a sequence of payments comes to, one after another: the balances, and which of them succeed.
fn sequential(script: &[(u64, i64)]) -> (HashMap<u64, i64>, Vec<Status>) {
    let (mut balances, mut outcomes) = (HashMap::new(), Vec::new());
    for (account, cents) in script {
        let balance: &mut i64 = balances.entry(*account).or_default();
        let succeeds = *balance + cents >= 0;
        *balance += if succeeds { *cents } else { 0 };
        outcomes.push(if succeeds { Status::Succeeded } else { Status::Rejected });
    }
    (balances, outcomes)
}

/// A random script, sent by a process that dies again and again at random writes.
fn random_deaths(seed: u64) {
    let random = SeededEntropy::new(seed);
    let below = |bound: u64| random.next_u64() % bound;
    let cents = |drawn: u64| i64::try_from(drawn).unwrap() - 12;
    let script: Vec<_> = (0..5 + below(30)).map(|_| (below(4), cents(below(30)))).collect();
    let logs = Logs { events: Arc::new(MemoryStore::new()), commands: Arc::new(MemoryStore::new()) };
    block_on(async {
        let (mut reached, mut sent) = (0, Vec::new());
        for _ in 0..1 + below(4) {
            let dying = logs.dying(i64::try_from(below(40)).unwrap(), below(2) == 0);
            let (at, some) = send(&dying, &script, reached).await;
            (reached, sent) = (at, [sent, some].concat());
            if below(2) == 0
                && let Some(last) = sent.last()
            {
                let _ = wait(&dying, *last).await;
            }
            dying.stop().await;
        }
        let app = logs.dying(i64::MAX, true);
        sent.extend(send(&app, &script, reached).await.1);
        let (balances, outcomes) = sequential(&script);
        let mut events = 0;
        for (number, (id, expected)) in sent.iter().zip(&outcomes).enumerate() {
            let status = app.lanes().unwrap().outcome(*id).await.unwrap();
            assert_eq!(status.status, *expected, "command {number} of {script:?}");
            events += status.events.len();
        }
        assert_eq!(sent.len(), script.len());
        assert_eq!(app.store().head().await.unwrap().position.get(), events as u64);
        for (account, balance) in balances {
            let cash = app.view::<Cash>(AccountId(account)).await.unwrap().state;
            assert_eq!(cash, Cash(balance.unsigned_abs()), "account {account} of {script:?}");
        }
    });
}

#[test]
fn soak_random_deaths_leave_what_would_have_been() {
    soak(0, 100, random_deaths);
}
