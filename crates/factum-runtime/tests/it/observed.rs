//! What is told about a command while it is carried out: its span, its events, its measure.

use crate::bank::{AccountId, Deposit, Withdraw};
use factum::{
    CommandMeasure, CommandObserver, Ending, Monotonic, Retry,
    prelude::*,
    store::{AppendError, AppendObserver, GroupMeasure},
};
use factum_testkit::{Intercepted, told_during};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context as Task, Waker},
    time::Duration,
};

/// Its stopwatch goes on by one second whenever it is read.
#[derive(Debug, Default)]
struct Heard {
    read: AtomicU64,
    commands: Mutex<Vec<CommandMeasure>>,
    conflicts: AtomicU32,
}

impl Monotonic for Heard {
    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.read.fetch_add(1, Ordering::SeqCst))
    }
}

impl CommandObserver for Heard {
    fn command(&self, command: &CommandMeasure) {
        self.commands.lock().unwrap().push(*command);
    }

    fn conflict(&self) {
        self.conflicts.fetch_add(1, Ordering::SeqCst);
    }
}

impl AppendObserver for Heard {
    fn appended(&self, _: Duration) {}
    fn group(&self, _: &GroupMeasure) {}
}

impl Heard {
    fn endings(&self) -> Vec<Ending> {
        self.commands.lock().unwrap().iter().map(|command| command.ending).collect()
    }
}

const ANN: AccountId = AccountId(1);

#[test]
fn a_command_is_told_with_its_id_its_actor_and_its_outcome() {
    let app = App::in_memory().start();
    let id = app.fresh_command_id();
    let told = told_during(|| {
        block_on(app.execute(Deposit(ANN, 5)).actor("ann").command_id(id)).unwrap();
        block_on(app.execute(Withdraw(ANN, 9))).unwrap_err();
    });
    assert_eq!(told.len(), 2, "{told:?}");
    let deposit = &told[0].fields;
    let expected = [
        ("actor", "ann"),
        ("command_id", &*id.to_string()),
        ("message", "command ended"),
        ("name", "bank.deposit"),
        ("outcome", "succeeded"),
        ("position", "1"),
        ("span", "command"),
        ("stream", "account-1"),
    ];
    assert_eq!(deposit.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>(), expected);
    assert_eq!(told[0].level, "INFO");
    assert_eq!((&*told[1].fields["name"], &*told[1].fields["outcome"]), ("bank.withdraw", "rejected"));
    assert!(!told[1].fields.contains_key("position"), "{told:?}");
}

#[test]
fn every_ending_is_measured_once_from_intake_on() {
    let heard = Arc::new(Heard::default());
    let app = App::in_memory().observer(Arc::clone(&heard)).start();
    block_on(app.execute(Deposit(ANN, 5)).idempotency_key("k")).unwrap();
    block_on(app.execute(Deposit(ANN, 5)).idempotency_key("k")).unwrap();
    block_on(app.execute(Deposit(ANN, 6)).idempotency_key("k")).unwrap_err();
    block_on(app.execute(Withdraw(ANN, 0))).unwrap();
    block_on(app.execute(Withdraw(ANN, 9)).idempotency_key("w")).unwrap_err();
    block_on(app.execute(Withdraw(ANN, 9)).idempotency_key("w")).unwrap_err();
    use Ending::{KeyReused, Nothing, Rejected, Replayed, Succeeded};
    assert_eq!(heard.endings(), [Succeeded, Replayed, KeyReused, Nothing, Rejected, Replayed]);
    let commands = heard.commands.lock().unwrap();
    assert!(commands.iter().all(|command| command.took == Duration::from_secs(1)), "{commands:?}");
    assert_eq!((commands[0].name, commands[3].name), ("bank.deposit", "bank.withdraw"));
}

#[test]
fn a_lost_race_is_told_with_its_attempt_and_its_pause() {
    let behind = App::in_memory().start();
    let store = Intercepted::new(Arc::clone(behind.store()), move |_, _| {
        Box::pin(async { vec![Err(AppendError::Stale { position: 7.into() })] })
    });
    let retry = Retry { attempts_max: 3, pause: Duration::ZERO, pause_max: Duration::ZERO };
    let heard = Arc::new(Heard::default());
    let app = App::on(Arc::new(store)).retry(retry).observer(Arc::clone(&heard)).start();
    let told = told_during(|| drop(block_on(app.execute(Deposit(ANN, 5))).unwrap_err()));
    let lost: Vec<_> = told.iter().filter(|told| told.level == "DEBUG").collect();
    assert_eq!(lost.iter().map(|told| &*told.fields["attempt"]).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(lost.iter().all(|told| told.fields["pause_micros"] == "0" && told.fields["span"] == "command"));
    assert_eq!(told.last().unwrap().fields["outcome"], "conflict");
    assert_eq!((heard.conflicts.load(Ordering::SeqCst), heard.endings()), (3, vec![Ending::Conflict]));
}

#[test]
fn an_unknown_outcome_is_a_warning() {
    let behind = App::in_memory().start();
    let store = Intercepted::new(Arc::clone(behind.store()), move |_, _| {
        Box::pin(async { vec![Err(AppendError::Unknown { cause: "the answer was lost".into() })] })
    });
    let app = App::on(Arc::new(store)).start();
    let told = told_during(|| drop(block_on(app.execute(Deposit(ANN, 5))).unwrap_err()));
    assert!(told.iter().all(|told| told.level == "WARN") && told.len() == 2, "{told:?}");
    assert!(told.iter().all(|told| told.own.contains_key("command_id")), "also where spans are left out");
    assert_eq!(told[0].fields["cause"], "the answer was lost");
    assert_eq!(told[1].fields["outcome"], "unknown");
    assert!(told[1].fields["error"].contains("ask for its status"), "{told:?}");
}

#[test]
fn a_command_whose_sender_went_away_is_told_as_abandoned() {
    let behind = App::in_memory().start();
    let store = Intercepted::new(Arc::clone(behind.store()), move |_, _| Box::pin(std::future::pending()));
    let heard = Arc::new(Heard::default());
    let app = App::on(Arc::new(store)).observer(Arc::clone(&heard)).start();
    let told = told_during(|| {
        let mut execute = app.execute(Deposit(ANN, 5)).into_future();
        assert!(execute.as_mut().poll(&mut Task::from_waker(Waker::noop())).is_pending());
        drop(execute);
    });
    assert_eq!(told.last().unwrap().fields["outcome"], "abandoned");
    assert_eq!(heard.endings(), [Ending::Abandoned]);
}

#[test]
fn every_ending_has_a_word_of_its_own_that_the_guide_explains() {
    let guide = include_str!("../../../../docs/guide/src/operations.md");
    let mut words: Vec<_> = Ending::ALL.iter().map(|ending| ending.as_str()).collect();
    for word in &words {
        let row = guide.lines().find(|line| line.starts_with("| `") && line.contains(&format!("`{word}`")));
        assert!(row.is_some(), "{word}");
    }
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Ending::ALL.len());
}
