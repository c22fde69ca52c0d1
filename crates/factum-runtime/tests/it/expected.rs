//! A sender may say at which revision a command holds: what it read must not change behind its back.

use crate::bank::{AccountId, Cash, Deposit, PayIn};
use factum::{
    CommandPayload, ErrorKind, ExpectedRevision, Revision, StaleRevision, Status, StoreError, SubmitError,
    prelude::*,
    store::{AppendError, MemoryStore, Store},
};
use factum_testkit::Intercepted;
use futures_channel::oneshot::{Sender, channel};
use futures_util::FutureExt;
use std::{sync::Arc, time::Duration};

const ANN: AccountId = AccountId(1);

/// An app whose lanes store no outcome before the gate is opened.
struct Held {
    app: App,
    events: Arc<MemoryStore>,
    commands: Arc<MemoryStore>,
    gate: Sender<()>,
}

impl Held {
    fn start() -> Self {
        let (events, commands) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let (gate, opened) = channel::<()>();
        let opened = opened.shared();
        let held = Intercepted::new(events.clone(), move |store, batch| {
            let opened = opened.clone();
            Box::pin(async move {
                let held = matches!(batch[0].commit.command.payload, CommandPayload::Logged(_));
                if held && opened.await.is_err() {
                    // Taken away: the log is gone for those who waited.
                    let gone = StoreError::new(ErrorKind::Reopen, "the log is gone");
                    return batch.iter().map(|_| Err(AppendError::Store(gone.clone()))).collect();
                }
                store.append(batch).await
            })
        });
        let app =
            App::on(Arc::new(held)).command_log(commands.clone()).commands::<(PayIn, Deposit)>().start();
        Self { app, events, commands, gate }
    }

    async fn commands(&self) -> u64 {
        self.commands.head().await.unwrap().sequence.get()
    }
}

fn revision(revision: u64) -> Revision {
    Revision::new(revision)
}

#[test]
fn of_two_that_expect_the_same_revision_the_lane_lets_the_first_through() {
    block_on(async {
        let held = Held::start();
        held.app.execute(PayIn(ANN, 1)).await.unwrap();
        let first = held.app.submit(PayIn(ANN, 2)).expecting(revision(0)).await.unwrap();
        let second = held.app.submit(PayIn(ANN, 3)).expecting(revision(0)).await.unwrap();
        let third = held.app.submit(PayIn(ANN, 4)).await.unwrap();
        held.gate.send(()).unwrap();
        assert_eq!(first.outcome().await.unwrap().status, Status::Succeeded);
        let refused = second.outcome().await.unwrap();
        assert_eq!((refused.status, refused.events.len()), (Status::Rejected, 0));
        let rejection = refused.rejection.unwrap();
        assert_eq!((&*rejection.code, rejection.status), ("stale-revision", 412));
        assert!(
            rejection.reason.contains("stands at revision 1, and was expected at 0"),
            "{}",
            rejection.reason
        );
        assert_eq!(
            third.outcome().await.unwrap().status,
            Status::Succeeded,
            "who expects nothing is not held up"
        );
        assert_eq!(held.app.view::<Cash>(ANN).await.unwrap().state, Cash(7));
    });
}

#[test]
fn one_that_is_stale_already_is_not_accepted_and_nothing_is_stored() {
    block_on(async {
        let held = Held::start();
        held.app.execute(PayIn(ANN, 1)).await.unwrap();
        let (commands, events) = (held.commands().await, held.events.head().await.unwrap());
        let refused = held.app.submit(PayIn(ANN, 2)).expecting(revision(4)).await.unwrap_err();
        let SubmitError::StaleRevision(StaleRevision { expected, actual, .. }) = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!((expected, actual), (&ExpectedRevision::from(revision(4)), &Some(revision(0))));
        let now = held.app.execute(PayIn(ANN, 2)).expecting(revision(4)).await.unwrap_err();
        assert!(matches!(now, ExecuteError::StaleRevision(_)), "{now:?}");
        let nobody = held.app.execute(PayIn(AccountId(9), 2)).expecting(ExpectedRevision::Exists).await;
        assert!(matches!(nobody.unwrap_err(), ExecuteError::StaleRevision(_)));
        assert_eq!((held.commands().await, held.events.head().await.unwrap()), (commands, events));
    });
}

#[test]
fn a_repeat_of_one_that_was_accepted_is_not_judged_again() {
    block_on(async {
        let held = Held::start();
        held.app.execute(PayIn(ANN, 1)).await.unwrap();
        let send =
            || held.app.submit(PayIn(ANN, 2)).idempotency_key("k").expecting(revision(0)).into_future();
        let first = send().await.unwrap();
        held.gate.send(()).unwrap();
        assert_eq!(first.outcome().await.unwrap().status, Status::Succeeded);
        let again = send().await.unwrap();
        assert!(again.repeated() && again.command_id() == first.command_id());
    });
}

#[test]
fn what_a_sender_expects_holds_across_a_restart() {
    block_on(async {
        let held = Held::start();
        held.app.execute(PayIn(ANN, 1)).await.unwrap();
        let id = held.app.submit(PayIn(ANN, 2)).expecting(revision(0)).await.unwrap().command_id();
        let Held { events, commands, app, gate } = held;
        // It ends undecided, and somebody changes the account before the next start.
        drop(gate);
        app.stop().await;
        events_of(&events).execute(PayIn(ANN, 5)).await.unwrap();
        drop(app);
        let app = App::on(events).command_log(commands).commands::<(PayIn, Deposit)>().start();
        let outcome = app.lanes().unwrap().outcome(id).await.unwrap();
        assert_eq!((outcome.status, &*outcome.rejection.unwrap().code), (Status::Rejected, "stale-revision"));
    });
}

fn events_of(events: &Arc<MemoryStore>) -> App {
    App::on(events.clone()).start()
}

#[test]
fn a_command_that_reads_no_stream_has_no_revision_to_expect() {
    block_on(async {
        let held = Held::start();
        let refused = held.app.submit(Deposit(ANN, 2)).expecting(revision(0)).await.unwrap_err();
        assert_eq!(refused, SubmitError::NoRevision);
        let refused = held.app.execute(Deposit(ANN, 2)).expecting(revision(0)).await.unwrap_err();
        assert_eq!(refused, ExecuteError::NoRevision);
        assert_eq!(held.events.head().await.unwrap().sequence.get(), 0);
    });
}

#[test]
fn what_waits_is_known_by_its_key_and_waited_for() {
    block_on(async {
        let held = Held::start();
        let (bob, soon) = (AccountId(2), Duration::from_millis(1));
        assert!(!held.app.pending::<Cash>(&ANN).await.unwrap());
        held.app.submit(PayIn(ANN, 2)).await.unwrap();
        held.app.submit(PayIn(ANN, 3)).await.unwrap();
        assert!(held.app.pending::<Cash>(&ANN).await.unwrap());
        assert!(!held.app.pending::<Cash>(&bob).await.unwrap());
        assert!(!held.app.settled::<Cash>(&ANN, soon).await.unwrap(), "nobody waits for ever");
        assert!(held.app.settled::<Cash>(&bob, soon).await.unwrap());
        held.gate.send(()).unwrap();
        assert!(held.app.settled::<Cash>(&ANN, Duration::from_secs(60)).await.unwrap());
        assert_eq!(held.app.view::<Cash>(ANN).await.unwrap().state, Cash(5));
        assert!(!held.app.pending::<Cash>(&ANN).await.unwrap());
    });
}

#[test]
fn a_command_is_sent_by_its_stored_name() {
    block_on(async {
        let app = App::in_memory().commands::<(PayIn, Deposit)>().start();
        assert_eq!(app.lanes().unwrap().command_names(), ["bank.deposit", "bank.pay-in"]);
        let data = PayIn(ANN, 7).encode();
        let ticket = app.submit_named("bank.pay-in", &data, Default::default()).await.unwrap();
        assert_eq!(ticket.outcome().await.unwrap().status, Status::Succeeded);
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(7));
        let unknown = app.submit_named("bank.rob", &data, Default::default()).await.unwrap_err();
        assert_eq!(unknown, SubmitError::NotRegistered { name: "bank.rob".to_owned() });
        let other = app.submit_named("bank.pay-in", b"{}", Default::default()).await.unwrap_err();
        assert!(matches!(other, SubmitError::Undecodable(_)), "{other:?}");
        assert_eq!(
            app.lanes().unwrap().commands().head().await.unwrap().position.get(),
            2,
            "a layout and a command"
        );
    });
}
