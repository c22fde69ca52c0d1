//! Many at once: a rule holds over what is stored, and nobody's update is lost.

use crate::bank::{AccountId, Balance, Cash, Deposit, Move, Number, Withdraw, at_once};
use factum::{Retry, prelude::*, store::AppendError};
use factum_testkit::Intercepted;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

#[test]
fn of_many_withdrawals_only_so_many_succeed_as_there_is_money() {
    let app = App::in_memory().start();
    let ann = AccountId(1);
    block_on(app.execute(Deposit(ann, 10))).unwrap();
    let shared = app.clone();
    let succeeded = at_once(16, move |_| block_on(shared.execute(Withdraw(ann, 1))).is_ok());
    assert_eq!(succeeded.iter().filter(|ok| **ok).count(), 10);
    assert_eq!(block_on(app.view::<Cash>(ann)).unwrap().state, Cash(0));
}

#[test]
fn transfers_that_cross_keep_the_sum_and_overdraw_nobody() {
    let app = App::in_memory().start();
    let account = |number: u64| AccountId(number % 3);
    (0..3).for_each(|number| drop(block_on(app.execute(Deposit(account(number), 10))).unwrap()));
    let shared = app.clone();
    at_once(12, move |number| {
        for cents in 1..5 {
            // A refusal for lack of money is as good an outcome as any.
            let _ = block_on(shared.execute(Move(account(number), account(number + 1), cents)));
        }
    });
    let balances: Vec<_> =
        (0..3).map(|number| block_on(app.view::<Balance>(account(number))).unwrap().state.cents).collect();
    assert_eq!(balances.iter().sum::<i64>(), 30);
    assert!(balances.iter().all(|cents| *cents >= 0), "{balances:?}");
}

#[test]
fn numbers_have_no_gap_and_no_repeat() {
    let app = App::in_memory().start();
    let shared = app.clone();
    at_once(8, move |_| (0..5).for_each(|_| drop(block_on(shared.execute(Number)).unwrap())));
    let last = block_on(app.view::<crate::bank::LastNumber>(())).unwrap();
    assert_eq!((last.state.0, last.position.get()), (40, 40));
}

#[test]
fn a_race_lost_every_time_ends_with_a_conflict_that_says_how_often() {
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let inner = App::in_memory().start();
    let store = Intercepted::new(Arc::clone(inner.store()), move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { vec![Err(AppendError::Stale { position: 7.into() })] })
    });
    let retry =
        Retry { attempts_max: 5, pause: Duration::from_micros(1), pause_max: Duration::from_micros(9) };
    let app = App::on(Arc::new(store)).retry(retry).start();
    let ended = block_on(app.execute(Withdraw(AccountId(1), 0))).unwrap_err();
    assert_eq!(ended, ExecuteError::Conflict { attempts: 5 });
    assert_eq!(tries.load(Ordering::Relaxed), 5);
}
