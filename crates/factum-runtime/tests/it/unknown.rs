//! An append whose answer is lost: read back, never sent again blindly.

use crate::bank::{AccountId, Cash, Deposit, Withdraw};
use factum::{
    SubmitError,
    prelude::*,
    store::{AppendError, MemoryStore, Store, Verdict},
};
use factum_testkit::Intercepted;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

fn lost(verdicts: usize) -> Vec<Verdict> {
    vec![Err(AppendError::Unknown { cause: "the answer was lost".into() }); verdicts]
}

fn app(behind: &App, stored: bool) -> App {
    App::on(Arc::new(Intercepted::new(Arc::clone(behind.store()), move |store: &dyn Store, batch| {
        let count = batch.len();
        Box::pin(async move {
            if stored {
                store.append(batch).await;
            }
            lost(count)
        })
    })))
    .start()
}

#[test]
fn if_it_was_stored_its_outcome_is_found() {
    block_on(async {
        let behind = App::in_memory().start();
        let app = app(&behind, true);
        let done = app.execute(Deposit(AccountId(1), 5)).await.unwrap();
        assert_eq!((done.position().get(), done.events().len()), (1, 1));
        let rejected = app.execute(Withdraw(AccountId(1), 9)).await.unwrap_err();
        assert!(matches!(rejected, ExecuteError::RejectedEarlier(_)), "{rejected:?}");
        assert_eq!(behind.view::<Cash>(AccountId(1)).await.unwrap().state, Cash(5));
        assert_eq!(behind.store().head().await.unwrap().sequence.get(), 2);
    });
}

#[test]
fn if_it_is_not_there_the_sender_is_told_that_nobody_knows() {
    block_on(async {
        let behind = App::in_memory().start();
        let app = app(&behind, false);
        let id = app.fresh_command_id();
        let unknown = app.execute(Deposit(AccountId(1), 5)).command_id(id).await.unwrap_err();
        assert!(matches!(&unknown, ExecuteError::Unknown { command, .. } if *command == id), "{unknown:?}");
        assert_eq!(behind.store().head().await.unwrap().sequence.get(), 0);
    });
}

#[test]
fn a_key_that_is_used_again_is_refused_also_when_the_answer_was_lost() {
    block_on(async {
        let loses = Arc::new(AtomicBool::new(false));
        let is_lost = Arc::clone(&loses);
        let commands = Intercepted::new(Arc::new(MemoryStore::new()), move |store: &dyn Store, batch| {
            let (count, is_lost) = (batch.len(), is_lost.load(Ordering::SeqCst));
            Box::pin(async move {
                let verdicts = store.append(batch).await;
                if is_lost { lost(count) } else { verdicts }
            })
        });
        let app = App::on(Arc::new(MemoryStore::new())).command_log(Arc::new(commands)).commands::<Deposit>();
        let app = app.start();
        let send = |cents| app.submit(Deposit(AccountId(1), cents)).idempotency_key("k");
        let first = send(5).await.unwrap().command_id();
        app.lanes().unwrap().outcome(first).await.unwrap();
        loses.store(true, Ordering::SeqCst);
        assert_eq!(send(5).await.unwrap().command_id(), first);
        assert_eq!(send(6).await.unwrap_err(), SubmitError::KeyReused { command: first });
    });
}
