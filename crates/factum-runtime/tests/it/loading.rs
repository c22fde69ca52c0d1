//! What a decision sees: the whole of its boundaries, page by page, and nothing else.

use crate::bank::{AccountId, Balance, Cash, Deposit, LastNumber, Move, Number, Withdraw};
use factum::{Timestamp, prelude::*, store::PAGE_EVENTS_MAX};
use factum_testkit::VirtualClock;
use std::sync::{Arc, Mutex};

#[test]
fn more_than_a_page_is_folded_whole() {
    block_on(async {
        let app = App::in_memory().start();
        let deposits = PAGE_EVENTS_MAX as u64 + 3;
        app.execute(Deposits(deposits)).await.unwrap();
        let cash = app.view::<Cash>(AccountId(1)).await.unwrap();
        assert_eq!(
            (cash.state, cash.events, cash.revision.unwrap().get()),
            (Cash(deposits), deposits, deposits - 1)
        );
        app.execute(Withdraw(AccountId(1), deposits)).await.unwrap();
    });
}

/// Deposits one cent, so many times.
#[derive(Command)]
#[command(name = "bank.deposits")]
struct Deposits(u64);

impl Decide for Deposits {
    type Event = crate::bank::BankEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        emit(
            (0..self.0)
                .map(|_| Self::Event::Deposited { account: AccountId(1), cents: 1 })
                .collect::<Vec<_>>(),
        )
    }
}

#[test]
fn streams_and_tags_see_what_is_theirs() {
    block_on(async {
        let app = App::in_memory().start();
        let (ann, bob) = (AccountId(1), AccountId(2));
        app.execute(Deposit(ann, 10)).await.unwrap();
        app.execute(Deposit(bob, 1)).await.unwrap();
        app.execute(Move(ann, bob, 4)).await.unwrap();
        assert_eq!(app.view::<Cash>(ann).await.unwrap().state, Cash(10));
        assert_eq!(app.view::<Balance>(ann).await.unwrap().state.cents, 6);
        assert_eq!(app.view::<Balance>(bob).await.unwrap().state.cents, 5);
        assert_eq!(
            app.execute(Move(bob, ann, 6)).await.unwrap_err(),
            ExecuteError::Rejected("overdrawn".into())
        );
    });
}

#[test]
fn only_the_last_event_is_folded_where_the_scope_says_so() {
    block_on(async {
        let app = App::in_memory().start();
        assert_eq!(app.view::<LastNumber>(()).await.unwrap().state, LastNumber(0, 0));
        for _ in 0..3 {
            app.execute(Number).await.unwrap();
        }
        let last = app.view::<LastNumber>(()).await.unwrap();
        assert_eq!((last.state, last.events), (LastNumber(3, 1), 1));
    });
}

/// Remembers what each attempt saw of the world.
#[derive(Command)]
#[command(name = "bank.look")]
struct Look;

static SEEN: Mutex<Vec<(Timestamp, factum::Uuid)>> = Mutex::new(Vec::new());

impl Decide for Look {
    type Event = crate::bank::BankEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), context: &Context) -> Decision<Self> {
        SEEN.lock().unwrap().push((context.now(), context.fresh_id()));
        nothing()
    }
}

#[test]
fn every_attempt_sees_the_time_of_intake_and_the_same_fresh_ids() {
    use factum::store::{AppendError, Store};
    use std::sync::atomic::{AtomicBool, Ordering};
    let clock = Arc::new(VirtualClock::default());
    let behind = App::in_memory().clock(clock.clone()).start();
    let (moved, lost) = (Arc::clone(&clock), AtomicBool::new(false));
    let store =
        factum_testkit::Intercepted::new(Arc::clone(behind.store()), move |store: &dyn Store, batch| {
            moved.advance(std::time::Duration::from_secs(60));
            match lost.swap(true, Ordering::SeqCst) {
                false => Box::pin(async { vec![Err(AppendError::Stale { position: 1.into() })] }),
                true => store.append(batch),
            }
        });
    let app = App::on(Arc::new(store)).clock(clock).start();
    block_on(app.execute(Look)).unwrap();
    let seen = SEEN.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1]);
}
