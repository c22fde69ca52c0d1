//! `execute` in process: 64 tasks, each one command at a time, over streams of 100 events, with the cache of
//! folded states off, cold (every stream for the first time) and warm. Systems in turn, three rounds, the
//! median; a ratio holds only within one run of this.
//!
//! The embedded log runs twice, on the disk, where `fdatasync` counts, and in memory where there is a
//! `/dev/shm`, where it costs nothing: what is left there is the cost of deciding. The store in memory is a
//! reference that scans for every answer, so it is given a hundredth of the streams.
//!
//! `cargo bench -p factum --bench execute`
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement, not a product")]

use factum::{
    CommandName, CommandPayload, CommandRecord, Condition, Metadata, NewCommit, Outcome,
    log::{Log, Options},
    prelude::*,
    store::{Append, MemoryStore, Store},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

const ROUNDS: usize = 3;
const TASKS: u64 = 64;
const EVENTS_PER_STREAM: u64 = 100;

#[derive(Id)]
struct AccountId(factum::Uuid);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "bank", stream = account)]
enum BankEvent {
    Deposited { account: AccountId, cents: u64 },
    Withdrawn { account: AccountId, cents: u64 },
}

#[derive(Default, Debug, Clone)]
struct Balance(u64);

#[model]
impl Model for Balance {
    type Scope = Stream<AccountId>;
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Deposited { cents, .. } => self.0 = self.0.saturating_add(cents),
            BankEvent::Withdrawn { cents, .. } => self.0 = self.0.saturating_sub(cents),
        }
    }
}

#[derive(Command)]
#[command(name = "bank.withdraw")]
struct Withdraw(AccountId, u64);

impl Decide for Withdraw {
    type Event = BankEvent;
    type Models = Balance;
    type Rejection = Refused;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, balance: &Balance, _: &Context) -> Decision<Self> {
        ensure!(self.1 <= balance.0, "overdrawn");
        emit(BankEvent::Withdrawn { account: self.0, cents: self.1 })
    }
}

/// A store to measure on.
struct Subject {
    name: String,
    streams: u64,
    /// Commands of one round without the cache, and with it.
    commands: (u64, u64),
    open: Box<dyn Fn() -> Arc<dyn Store>>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let disk = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("execute-bench");
    let memory = Path::new("/dev/shm");
    let mut subjects = vec![embedded("embedded log, fdatasync", disk.clone())];
    let shm = memory.join(format!("factum-execute-bench-{}", std::process::id()));
    if memory.is_dir() {
        subjects.push(embedded("embedded log, sync costs nothing", shm.clone()));
    }
    subjects.push(Subject {
        name: "store in memory, not durable".to_owned(),
        streams: 100,
        commands: (1_000, 1_000),
        open: Box::new(|| Arc::new(MemoryStore::new())),
    });
    println!("{TASKS} tasks on {} threads", std::thread::available_parallelism().unwrap());
    println!("disk: {}", disk.display());
    println!("load: {}", load());
    println!();
    println!("| store | streams | off, commands/s | cold | warm | warm / off |");
    println!("|---|---:|---:|---:|---:|---:|");
    for subject in &subjects {
        let rounds: Vec<_> = (0..ROUNDS).map(|_| runtime.block_on(measure(subject))).collect();
        let median = |of: fn(&[f64; 3]) -> f64| {
            let mut rates: Vec<f64> = rounds.iter().map(of).collect();
            rates.sort_by(f64::total_cmp);
            rates[ROUNDS / 2]
        };
        let (off, cold, warm) = (median(|r| r[0]), median(|r| r[1]), median(|r| r[2]));
        println!(
            "| {} | {} | {off:.0} | {cold:.0} | {warm:.0} | {:.1} |",
            subject.name,
            subject.streams,
            warm / off
        );
    }
    for dir in [disk, shm] {
        let _ = fs::remove_dir_all(dir);
    }
    println!("\nload: {}", load());
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

fn embedded(name: &str, dir: PathBuf) -> Subject {
    let open = move || -> Arc<dyn Store> {
        let _ = fs::remove_dir_all(&dir);
        Arc::new(Log::open(&dir, Options::default()).unwrap().0)
    };
    Subject { name: name.to_owned(), streams: 10_000, commands: (10_000, 50_000), open: Box::new(open) }
}

/// Commands per second without the cache, on a cold one, on a warm one.
async fn measure(subject: &Subject) -> [f64; 3] {
    let store = (subject.open)();
    fill(&*store, subject.streams).await;
    let off = App::on(Arc::clone(&store)).cache(0).start();
    let on = App::on(store).start();
    let (without, with) = subject.commands;
    [
        rate(&off, without, subject.streams).await,
        rate(&on, subject.streams, subject.streams).await,
        rate(&on, with, subject.streams).await,
    ]
}

fn account(number: u64) -> AccountId {
    AccountId(factum::Uuid::from_u128(u128::from(number) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

/// One commit for each stream.
async fn fill(store: &dyn Store, streams: u64) {
    let commit = |number: u64| {
        let deposited = BankEvent::Deposited { account: account(number), cents: 1_000_000 };
        let command = CommandRecord {
            id: factum::CommandId::new(account(number).0),
            name: CommandName::new("bank.open").unwrap(),
            payload: CommandPayload::None,
            issued_at: Timestamp::EPOCH,
            metadata: Metadata::default(),
        };
        let events = (0..EVENTS_PER_STREAM).map(|_| Event::to_new(&deposited)).collect();
        let commit = NewCommit { command, outcome: Outcome::Succeeded, events };
        Append { commit, condition: Condition::none() }
    };
    for first in (0..streams).step_by(100) {
        let batch = (first..streams.min(first + 100)).map(commit).collect();
        assert!(store.append(batch).await.iter().all(Result::is_ok));
    }
}

/// Commands per second, each stream in turn.
async fn rate(app: &App, commands: u64, streams: u64) -> f64 {
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (app, next) = (app.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= commands {
                        return;
                    }
                    app.execute(Withdraw(account(number % streams), 1)).actor("ann").await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    commands as f64 / start.elapsed().as_secs_f64()
}
