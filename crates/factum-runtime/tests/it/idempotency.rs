//! A command that is sent again changes nothing, and its sender gets the first outcome.

use crate::bank::{AccountId, BankEvent, Cash, Deposit, Withdraw, WithdrawRejected, at_once};
use factum::{Sequence, prelude::*};

const ANN: AccountId = AccountId(1);

async fn commits(app: &App) -> u64 {
    app.store().head().await.unwrap().sequence.get()
}

#[test]
fn a_repeat_gets_the_events_of_the_first() {
    block_on(async {
        let app = App::in_memory().start();
        let first = app.execute(Deposit(ANN, 5)).actor("ann").idempotency_key("k1").await.unwrap();
        app.execute(Deposit(ANN, 1)).await.unwrap();
        let again = app.execute(Deposit(ANN, 5)).actor("ann").idempotency_key("k1").await.unwrap();
        assert!(again.replayed() && !first.replayed());
        assert_eq!(again.events(), [BankEvent::Deposited { account: ANN, cents: 5 }]);
        assert_eq!((again.places(), again.position()), (first.places(), first.position()));
        assert_eq!((again.command_id(), commits(&app).await), (first.command_id(), 2));
    });
}

#[test]
fn a_repeat_of_a_rejection_is_rejected_even_if_it_could_succeed_now() {
    block_on(async {
        let app = App::in_memory().start();
        let send = || app.execute(Withdraw(ANN, 9)).idempotency_key("k1");
        assert_eq!(send().await.unwrap_err(), ExecuteError::Rejected(WithdrawRejected::Overdrawn(0)));
        app.execute(Deposit(ANN, 50)).await.unwrap();
        let again = send().await.unwrap_err();
        assert!(matches!(&again, ExecuteError::RejectedEarlier(why) if why.code == "overdrawn"), "{again:?}");
        assert_eq!(again.to_string(), "only 0 cents left");
        assert_eq!(commits(&app).await, 2);
    });
}

#[test]
fn a_repeat_of_having_nothing_to_do_is_found() {
    block_on(async {
        let app = App::in_memory().start();
        let send = || app.execute(Withdraw(ANN, 0)).idempotency_key("k1");
        assert!(!send().await.unwrap().replayed());
        assert!(send().await.unwrap().replayed());
        assert_eq!(commits(&app).await, 1);
    });
}

#[test]
fn a_key_belongs_to_its_actor_and_its_kind_of_command() {
    block_on(async {
        let app = App::in_memory().start();
        app.execute(Deposit(ANN, 5)).actor("ann").idempotency_key("k1").await.unwrap();
        let other = app.execute(Deposit(ANN, 5)).actor("bob").idempotency_key("k1").await.unwrap();
        assert!(!other.replayed());
        let other =
            app.execute(Deposit(ANN, 5)).tenant("acme").actor("ann").idempotency_key("k1").await.unwrap();
        assert!(!other.replayed());
        let other = app.execute(Withdraw(ANN, 5)).actor("ann").idempotency_key("k1").await.unwrap();
        assert!(!other.replayed());
    });
}

#[test]
fn a_key_with_another_body_is_refused() {
    block_on(async {
        let app = App::in_memory().start();
        let first = app.execute(Deposit(ANN, 5)).idempotency_key("k1").await.unwrap();
        let reused = app.execute(Deposit(ANN, 6)).idempotency_key("k1").await.unwrap_err();
        assert_eq!(reused, ExecuteError::KeyReused { command: first.command_id() });
        let reused = app.execute(Withdraw(ANN, 5)).command_id(first.command_id()).await.unwrap_err();
        assert_eq!(reused, ExecuteError::KeyReused { command: first.command_id() });
        assert_eq!(commits(&app).await, 1);
    });
}

#[test]
fn repeats_in_flight_at_once_store_one() {
    let app = App::in_memory().start();
    for round in 0..20 {
        let app = app.clone();
        let key = format!("k{round}");
        let replayed = at_once(8, move |_| {
            block_on(app.execute(Deposit(ANN, 1)).idempotency_key(key.as_str())).unwrap().replayed()
        });
        assert_eq!(replayed.iter().filter(|replayed| !**replayed).count(), 1, "{replayed:?}");
    }
    assert_eq!(block_on(app.view::<Cash>(ANN)).unwrap().state, Cash(20));
    assert_eq!(block_on(app.store().commits(Sequence::START, 100)).unwrap().commits.len(), 20);
}

#[test]
fn a_key_that_is_none_is_refused() {
    block_on(async {
        let app = App::in_memory().start();
        for key in ["", "a\0b", &"k".repeat(256)] {
            let refused = app.execute(Deposit(ANN, 5)).idempotency_key(key).await.unwrap_err();
            assert!(refused.to_string().contains("an idempotency key"), "{refused}");
        }
        let refused = app.execute(Deposit(ANN, 5)).actor("a\0b").idempotency_key("k").await.unwrap_err();
        assert!(refused.to_string().contains("an actor"), "{refused}");
        assert_eq!(commits(&app).await, 0);
    });
}

/// Pays several accounts at once; the order of a map is not part of what is asked.
#[derive(Command)]
#[command(name = "bank.pay-all")]
struct PayAll(std::collections::HashMap<String, u64>);

impl Decide for PayAll {
    type Event = BankEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        emit(BankEvent::Deposited { account: ANN, cents: self.0.values().sum() })
    }
}

#[test]
fn a_repeat_may_list_the_same_in_another_order() {
    block_on(async {
        let app = App::in_memory().start();
        let all = || (0..20).map(|number| (format!("account {number}"), number)).collect();
        let first = app.execute(PayAll(all())).idempotency_key("k").await.unwrap();
        for _ in 0..5 {
            let again = app.execute(PayAll(all())).idempotency_key("k").await.unwrap();
            assert_eq!((again.replayed(), again.command_id()), (true, first.command_id()));
        }
    });
}
