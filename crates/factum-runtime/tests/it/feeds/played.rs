//! A random history of a bank: commands for later and direct ones, rejected, parked, set aside, driven again
//! and given up. And the truth about it, taken from the logs in the plainest way.

use crate::bank::{AccountId, BankEvent, Cash, Deposit, Withdraw};
use factum::{
    CommandId, CommandUpdate, CommandUpdates, Commit, Feeds, OperateError, Outcome, Sequence, Status,
    prelude::*,
    store::{MemoryStore, Store},
};
use factum_testkit::{SeededEntropy, VirtualClock};
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Deposits in the order of an account; panics while its amount is among the broken ones.
#[derive(Command)]
#[command(name = "bank.machine")]
pub(super) struct Machine(pub(super) AccountId, pub(super) u64);

/// Amounts that cannot be paid in. Every command has its own amount, so tests do not meet here.
static BROKEN: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
static NEXT_AMOUNT: AtomicU64 = AtomicU64::new(1);

pub(super) fn amount() -> u64 {
    NEXT_AMOUNT.fetch_add(1, Ordering::SeqCst)
}

pub(super) fn broken<T>(change: impl FnOnce(&mut HashSet<u64>) -> T) -> T {
    change(BROKEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

impl Decide for Machine {
    type Event = BankEvent;
    type Models = Cash;
    type Rejection = Never;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, _: &Cash, _: &Context) -> Decision<Self> {
        assert!(!broken(|broken| broken.contains(&self.1)), "the machine is out of order");
        emit(BankEvent::Deposited { account: self.0, cents: self.1 })
    }
}

/// Two logs on a clock that is set by hand.
pub(super) struct Logs {
    pub(super) events: Arc<MemoryStore>,
    pub(super) commands: Arc<MemoryStore>,
    pub(super) clock: Arc<VirtualClock>,
}

impl Logs {
    pub(super) fn new() -> Self {
        let clock = Arc::new(VirtualClock::default());
        let entropy = SeededEntropy::new(amount());
        let store = || Arc::new(MemoryStore::with_ports(Arc::clone(&clock) as _, &entropy));
        Self { events: store(), commands: store(), clock: Arc::clone(&clock) }
    }

    pub(super) fn start(&self) -> App {
        App::on(self.events.clone())
            .command_log(self.commands.clone())
            .commands::<(Machine, Withdraw)>()
            .clock(self.clock.clone())
            .start()
    }

    pub(super) fn feeds(&self) -> Feeds {
        Feeds::new(self.events.clone(), Some(self.commands.clone()))
    }
}

/// Until the lanes have come to it.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..20_000 {
        if holds().await {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it never came to be that {what}");
}

/// All that is there, as a slow reader sees it.
pub(super) async fn drained(updates: &mut CommandUpdates) -> Vec<CommandUpdate> {
    let mut read = Vec::new();
    while let Some(update) = updates.next_now().await.unwrap() {
        read.push(update);
    }
    read
}

/// Plays a history, and gives what was read while it was made.
pub(super) async fn play(seed: u64, logs: &Logs) -> Vec<CommandUpdate> {
    let random = SeededEntropy::new(seed);
    let below = |bound: u64| random.next_u64() % bound;
    let app = logs.start();
    let lanes = app.lanes().unwrap();
    let mut live = app.feeds().command_updates(Default::default());
    let (mut read, mut submitted, mut amounts) = (Vec::new(), Vec::new(), BTreeMap::new());
    for _ in 0..20 + below(30) {
        logs.clock.advance(Duration::from_micros(below(2)));
        let account = AccountId(below(3));
        match below(12) {
            0..=2 => submitted
                .push(app.submit(Machine(account, amount())).actor("ann").await.unwrap().command_id()),
            3 | 4 => {
                let cents = amount();
                broken(|broken| broken.insert(cents));
                let id = app.submit(Machine(account, cents)).actor("bob").await.unwrap().command_id();
                amounts.insert(id, cents);
                submitted.push(id);
            }
            5 => submitted.push(app.submit(Withdraw(account, u64::MAX)).await.unwrap().command_id()),
            6 => submitted.push(app.submit(Withdraw(account, 0)).await.unwrap().command_id()),
            7 => drop(app.execute(Deposit(account, amount())).actor("ann").await.unwrap()),
            8 => drop(app.execute(Withdraw(account, u64::MAX)).await.unwrap_err()),
            9 | 10 => {
                let parked = lanes.parked().await.unwrap();
                if !parked.is_empty() {
                    let id = parked[usize::try_from(below(parked.len() as u64)).unwrap()].command;
                    if below(2) == 0 {
                        broken(|broken| broken.remove(&amounts[&id]));
                    }
                    let acted = match below(3) {
                        0 => lanes.discard(id, "olga", "scrapped").await,
                        _ => lanes.redrive(id, "olga").await,
                    };
                    // Others of its key may have come in meanwhile.
                    assert!(matches!(acted, Ok(_) | Err(OperateError::Conflict { .. })));
                }
            }
            _ => {
                until("all is quiet", async || quiet(&app, &submitted).await).await;
            }
        }
        if below(3) == 0 {
            read.extend(live.next_now().await.unwrap());
        }
    }
    until("all is quiet", async || quiet(&app, &submitted).await).await;
    app.stop().await;
    read.extend(drained(&mut live).await);
    read
}

/// Whether nothing becomes of any command any more unless an operator acts.
async fn quiet(app: &App, submitted: &[CommandId]) -> bool {
    let parked = app.lanes().unwrap().parked().await.unwrap();
    let waits = |id: &CommandId| parked.iter().any(|parking| parking.waiting.contains(id));
    for id in submitted {
        let status = app.status(*id).await.unwrap().unwrap().status;
        let given_up = status == Status::Parked && !parked.iter().any(|parking| parking.command == *id);
        let set_aside = app.store().commits_of(*id).await.unwrap();
        let set_aside = set_aside.last().is_some_and(|last| matches!(last.outcome, Outcome::SetAside { .. }));
        if given_up || status == Status::Accepted && !(waits(id) && set_aside) {
            return false;
        }
    }
    true
}

async fn commits(store: &MemoryStore) -> Vec<Commit> {
    let mut all: Vec<Commit> = Vec::new();
    loop {
        let after = Sequence::new(all.len() as u64);
        let page = store.commits(after, 4096).await.unwrap().commits;
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// What each command went through.
pub(super) async fn truth(logs: &Logs) -> BTreeMap<CommandId, Vec<Status>> {
    let (mut truth, mut driven): (BTreeMap<CommandId, Vec<Status>>, BTreeMap<CommandId, usize>) =
        Default::default();
    for commit in commits(&logs.commands).await {
        match commit.events[0].event_type.as_str() {
            "factum.command-redriven" => {
                let mark: serde_json::Value = serde_json::from_slice(&commit.events[0].payload).unwrap();
                *driven.entry(mark["command"].as_str().unwrap().parse().unwrap()).or_default() += 1;
            }
            name if name.starts_with("factum.") => {}
            _ => truth.entry(commit.header.command_id).or_default().push(Status::Accepted),
        }
    }
    for commit in commits(&logs.events).await {
        let id = commit.header.command_id;
        let status = match commit.outcome {
            Outcome::SetAside { .. } => continue,
            Outcome::Succeeded | Outcome::Nothing => Status::Succeeded,
            Outcome::Rejected(_) => Status::Rejected,
            Outcome::Parked { .. } => Status::Parked,
            Outcome::Failed { .. } => Status::Failed,
            other => panic!("{other:?}"),
        };
        let statuses = truth.entry(id).or_default();
        statuses.push(status);
        if status == Status::Parked
            && let Some(left) = driven.get_mut(&id).filter(|left| **left > 0)
        {
            *left -= 1;
            statuses.push(Status::Accepted);
        }
    }
    truth
}

/// The statuses of each command, in the order they were told.
pub(super) fn by_command(updates: &[CommandUpdate]) -> BTreeMap<CommandId, Vec<Status>> {
    let mut told: BTreeMap<CommandId, Vec<Status>> = BTreeMap::new();
    for update in updates {
        told.entry(update.status.command_id).or_default().push(update.status.status);
    }
    told
}
