//! An append whose answer is lost: read back, never sent again blindly.

use crate::bank::{AccountId, Cash, Deposit, Withdraw};
use factum::{
    prelude::*,
    store::{AppendError, Store, Verdict},
};
use factum_testkit::Intercepted;
use std::sync::Arc;

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
