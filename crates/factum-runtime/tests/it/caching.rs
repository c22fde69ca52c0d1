//! What is kept between commands spares reading, and changes nothing else.

use crate::bank::{AccountId, BankEvent, Cash, Deposit, LastNumber, Move, Number, PayIn, Withdraw};
use factum::{
    EventType, NewEvent, ReadError, Recorded, Retry, Tag, fact,
    log::{Log, Options},
    prelude::*,
    store::{Append, MemoryStore, Store},
};
use factum_testkit::{Counted, Intercepted};
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const ANN: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

/// An application whose reading is counted, and another one that writes to the same store.
fn counted(cache: usize) -> (App, App, Arc<Counted>) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let counted = Arc::new(Counted::new(Arc::clone(&store)));
    (App::on(counted.clone()).cache(cache).start(), App::on(store).start(), counted)
}

async fn pay_in(app: &App, times: u64) {
    for _ in 0..times {
        app.execute(PayIn(ANN, 1)).await.unwrap();
    }
}

#[test]
fn a_second_command_reads_only_what_came_after_the_first() {
    block_on(async {
        let (app, other, counted) = counted(64);
        pay_in(&other, 50).await;
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        assert_eq!(counted.take(), (1, 50));
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        assert_eq!(counted.take(), (0, 0), "what it added itself it need not read");
        pay_in(&other, 2).await;
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        assert_eq!(counted.take(), (1, 2));
    });
}

#[test]
fn what_is_kept_of_tags_is_brought_up_to_the_head() {
    block_on(async {
        let (app, other, counted) = counted(64);
        for _ in 0..20 {
            other.execute(Deposit(ANN, 5)).await.unwrap();
        }
        app.execute(Move(ANN, BOB, 60)).await.unwrap();
        assert_eq!(counted.take(), (1, 20));
        other.execute(Move(ANN, BOB, 30)).await.unwrap();
        let told = app.execute(Move(ANN, BOB, 30)).await.unwrap_err();
        assert_eq!(told, ExecuteError::Rejected("overdrawn".into()));
        assert_eq!(counted.take(), (1, 1));
        app.execute(Move(ANN, BOB, 10)).await.unwrap();
        app.execute(Move(BOB, ANN, 100)).await.unwrap();
        assert_eq!(counted.take(), (1, 23), "other keys, other states: read once, from the first event on");
    });
}

#[test]
fn without_a_cache_every_command_reads_everything() {
    block_on(async {
        let (app, other, counted) = counted(0);
        pay_in(&other, 9).await;
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        assert_eq!(counted.take(), (2, 9 + 10));
    });
}

#[test]
fn what_others_store_is_seen_by_the_next_decision() {
    block_on(async {
        let (app, other, _) = counted(64);
        app.execute(PayIn(ANN, 10)).await.unwrap();
        other.execute(Withdraw(ANN, 8)).await.unwrap();
        let left = app.execute(Withdraw(ANN, 3)).await.unwrap_err();
        assert_eq!(left.to_string(), "only 2 cents left");
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(2));
    });
}

/// An application on `store` whose first append comes after what `other` does.
fn ambushed(
    store: Arc<dyn Store>,
    cache: usize,
    ambush: impl Fn() -> factum::store::BoxFuture<'static, ()> + Send + Sync + 'static,
) -> (App, Arc<Counted>) {
    let raced = AtomicU32::new(0);
    let racing = Intercepted::new(store, move |store: &dyn Store, batch| {
        let ambush = (raced.fetch_add(1, Ordering::SeqCst) == 0).then(&ambush);
        Box::pin(async move {
            if let Some(ambush) = ambush {
                ambush.await;
            }
            store.append(batch).await
        })
    });
    let counted = Arc::new(Counted::new(Arc::new(racing)));
    let retry = Retry { pause: Duration::ZERO, ..Retry::default() };
    (App::on(counted.clone()).cache(cache).retry(retry).start(), counted)
}

#[test]
fn after_a_lost_race_only_the_tail_is_read() {
    for cache in [64, 0] {
        block_on(async {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let other = App::on(Arc::clone(&store)).start();
            pay_in(&other, 30).await;
            let (app, counted) = ambushed(store, cache, move || {
                let other = other.clone();
                Box::pin(async move { drop(other.execute(Withdraw(ANN, 25)).await.unwrap()) })
            });
            let ended = app.execute(Withdraw(ANN, 6)).await.unwrap_err();
            assert_eq!(ended.to_string(), "only 5 cents left");
            assert_eq!(counted.take(), (2, 30 + 1), "with room for {cache}");
        });
    }
}

#[test]
fn one_event_under_a_tag_that_comes_between_is_decided_upon() {
    for cache in [64, 0] {
        block_on(async {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let other = App::on(Arc::clone(&store)).start();
            other.execute(Deposit(ANN, 30)).await.unwrap();
            let (app, counted) = ambushed(store, cache, move || {
                let other = other.clone();
                Box::pin(async move { drop(other.execute(Move(ANN, BOB, 25)).await.unwrap()) })
            });
            let ended = app.execute(Move(ANN, BOB, 6)).await.unwrap_err();
            assert_eq!(ended, ExecuteError::Rejected("overdrawn".into()));
            assert_eq!(counted.take(), (2, 2), "with room for {cache}");
        });
    }
}

#[test]
fn a_view_goes_on_from_what_is_kept_and_tells_the_same() {
    block_on(async {
        let (app, other, counted) = counted(64);
        pay_in(&other, 40).await;
        let first = app.view::<Cash>(ANN).await.unwrap();
        assert_eq!(counted.take(), (1, 40));
        assert_eq!(app.view::<Cash>(ANN).await.unwrap(), first);
        other.execute(Deposit(BOB, 1)).await.unwrap();
        pay_in(&other, 1).await;
        let later = app.view::<Cash>(ANN).await.unwrap();
        assert_eq!(counted.take(), (1, 1));
        assert_eq!(later, other.view::<Cash>(ANN).await.unwrap());
        assert_eq!((later.state, later.events, later.position.get()), (Cash(41), 41, 42));
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        assert_eq!(counted.take(), (0, 0), "a command on that model alone goes on from the view");
    });
}

#[test]
fn events_in_the_stream_that_the_model_does_not_read_still_count_for_its_revision() {
    block_on(async {
        let (app, other, _) = counted(64);
        app.execute(PayIn(ANN, 10)).await.unwrap();
        let stranger = NewEvent::json(ANN.stream(), EventType::unchecked("bank.frozen"), "{}");
        store_raw(&other, stranger).await;
        app.execute(Withdraw(ANN, 1)).await.unwrap();
        let view = app.view::<Cash>(ANN).await.unwrap();
        assert_eq!((view.state, view.events, view.revision.unwrap().get()), (Cash(9), 2, 2));
    });
}

#[test]
fn the_last_event_alone_is_kept_and_followed() {
    block_on(async {
        let (app, other, counted) = counted(64);
        for _ in 0..3 {
            other.execute(Number).await.unwrap();
        }
        app.execute(Number).await.unwrap();
        app.execute(Number).await.unwrap();
        assert_eq!(counted.take(), (1, 1));
        other.execute(Number).await.unwrap();
        other.execute(Number).await.unwrap();
        app.execute(Number).await.unwrap();
        assert_eq!(counted.take(), (1, 1));
        let last = app.view::<LastNumber>(()).await.unwrap();
        assert_eq!((last.state, last.events), (LastNumber(8, 1), 1));
    });
}

#[test]
fn models_over_the_same_boundary_do_not_take_each_others_states() {
    /// As [`Cash`], but for what it makes of it.
    #[derive(Default, Debug, Clone, PartialEq)]
    struct Visits(u64);
    #[model]
    impl Model for Visits {
        type Scope = Stream<AccountId>;
        fn apply(&mut self, event: BankEvent) {
            match event {
                BankEvent::Deposited { .. } | BankEvent::Withdrawn { .. } => self.0 += 1,
            }
        }
    }
    block_on(async {
        let (app, ..) = counted(64);
        app.execute(PayIn(ANN, 10)).await.unwrap();
        assert_eq!(app.view::<Visits>(ANN).await.unwrap().state, Visits(1));
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(10));
        assert_eq!(app.view::<Visits>(BOB).await.unwrap().state, Visits(0));
    });
}

#[test]
fn what_cannot_be_read_is_told_every_time() {
    block_on(async {
        let (app, other, counted) = counted(64);
        pay_in(&app, 3).await;
        store_raw(&other, NewEvent::json(ANN.stream(), EventType::unchecked("bank.deposited"), "{}")).await;
        pay_in_raw(&other).await;
        counted.take();
        for _ in 0..2 {
            let told = app.execute(Withdraw(ANN, 1)).await.unwrap_err();
            assert!(matches!(told, ExecuteError::Corrupt(_)), "{told}");
            assert!(matches!(app.view::<Cash>(ANN).await, Err(ReadError::Corrupt(_))));
        }
        assert_eq!(counted.take(), (4, 8), "each time what is not folded yet");
    });
}

async fn pay_in_raw(app: &App) {
    let payload = r#"{"account":1,"cents":1}"#;
    store_raw(app, NewEvent::json(ANN.stream(), EventType::unchecked("bank.deposited"), payload)).await;
}

/// Stores an event past all types.
async fn store_raw(app: &App, event: NewEvent) {
    let command = factum::CommandRecord {
        id: app.fresh_command_id(),
        name: factum::CommandName::unchecked("bank.raw"),
        payload: factum::CommandPayload::None,
        issued_at: app.now(),
        metadata: factum::Metadata::default(),
    };
    let commit = factum::NewCommit { command, outcome: factum::Outcome::Succeeded, events: vec![event] };
    let append = Append { commit, condition: factum::Condition::none() };
    app.store().append(vec![append]).await.pop().unwrap().unwrap();
}

/// Everything that is recorded with deposits.
#[derive(Default, Debug, Clone, PartialEq)]
struct Trail(Vec<Recorded<Deposits>>);

#[derive(Subset, Debug, Clone, PartialEq)]
#[subset(of = BankEvent)]
enum Deposits {
    Deposited { cents: u64 },
}

impl Model for Trail {
    type Scope = Tagged<AccountId>;
    type Event = Recorded<Deposits>;
    fn apply(&mut self, event: Recorded<Deposits>) {
        self.0.push(event);
    }
}

/// Deposits three times: now, as of long ago, and into another's account between.
#[derive(Command)]
#[command(name = "bank.salary")]
struct Salary(AccountId, AccountId);

impl Decide for Salary {
    type Event = BankEvent;
    type Models = Trail;
    type Rejection = Never;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, trail: &Trail, _: &Context) -> Decision<Self> {
        let cents = trail.0.len() as u64;
        let deposit = |account| BankEvent::Deposited { account, cents };
        emit([
            fact(deposit(self.0)),
            fact(deposit(self.1)),
            fact(deposit(self.0)).effective_at(Timestamp::from_micros(77)),
        ])
    }
}

#[test]
fn what_it_added_itself_is_folded_as_the_store_will_give_it() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (log, _) = Log::open(folder.path(), Options::default()).unwrap();
        let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::new()), Arc::new(log)];
        for store in stores {
            let counted = Arc::new(Counted::new(Arc::clone(&store)));
            let app = App::on(counted.clone()).start();
            for _ in 0..3 {
                app.execute(Salary(ANN, BOB)).actor("ann").header("a", "b").await.unwrap();
            }
            let own = app.view::<Trail>(ANN).await.unwrap();
            assert_eq!(counted.take(), (0, 0), "nothing of it was read");
            let read = App::on(store).start().view::<Trail>(ANN).await.unwrap();
            assert_eq!(own.state.0.len(), 6);
            assert_eq!(own, read);
        }
    });
}

#[test]
fn repeated_tags_count_once_in_what_it_added_itself() {
    /// Keeps the tags it sees.
    #[derive(Default, Debug, Clone, PartialEq)]
    struct Sent(Vec<Vec<Tag>>);
    impl Model for Sent {
        type Scope = Tagged<AccountId>;
        type Event = Tags;
        fn apply(&mut self, Tags(tags): Tags) {
            self.0.push(tags);
        }
    }
    /// A transfer's tags, as they are stored.
    struct Tags(Vec<Tag>);
    impl factum::EventSet for Tags {
        const TYPES: &'static [factum::EventDescriptor] =
            &[factum::EventDescriptor { name: "bank.moved", earlier: &[], version: 1 }];
        fn decode(record: &factum::RecordedEvent) -> Result<Option<Self>, factum::DecodeError> {
            Ok(Some(Self(record.tags.clone())))
        }
    }
    impl factum::ReachedBy<Tagged<AccountId>> for Tags {}
    impl Event for Tags {
        const VARIANTS: &'static [&'static str] = &["Tags"];
        fn to_new(&self) -> NewEvent {
            let event = NewEvent::json(ANN.stream(), EventType::unchecked("bank.moved"), "{}");
            NewEvent { tags: self.0.clone(), ..event }
        }
    }
    #[derive(Command)]
    #[command(name = "bank.to-oneself")]
    struct ToOneself;
    impl Decide for ToOneself {
        type Event = Tags;
        type Models = Sent;
        type Rejection = Never;
        fn keys(&self) -> AccountId {
            ANN
        }
        fn decide(&self, _: &Sent, _: &Context) -> Decision<Self> {
            emit(Tags(vec![ANN.tag(), BOB.tag(), ANN.tag(), BOB.tag(), BOB.tag()]))
        }
    }
    block_on(async {
        let (app, other, _) = counted(64);
        app.execute(ToOneself).await.unwrap();
        assert_eq!(app.view::<Sent>(ANN).await.unwrap(), other.view::<Sent>(ANN).await.unwrap());
    });
}

/// Panics over the number 13, as a fold must not.
#[derive(Default, Debug, Clone)]
struct Superstitious;

#[model]
impl Model for Superstitious {
    type Scope = Everything;
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Numbered { number } => assert_ne!(number, 13, "unlucky"),
        }
    }
}

#[derive(Command)]
#[command(name = "bank.number-with")]
struct NumberWith(u64);

impl Decide for NumberWith {
    type Event = BankEvent;
    type Models = Superstitious;
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &Superstitious, _: &Context) -> Decision<Self> {
        emit(BankEvent::Numbered { number: self.0 })
    }
}

#[test]
fn a_fold_that_panics_over_what_was_just_stored_does_not_fail_the_command_that_stored_it() {
    block_on(async {
        let app = App::in_memory().start();
        app.execute(NumberWith(12)).await.unwrap();
        app.execute(NumberWith(13)).await.unwrap();
        let next = std::panic::catch_unwind(AssertUnwindSafe(|| block_on(app.execute(NumberWith(14)))));
        assert!(next.is_err(), "whoever reads it next is told");
    });
}
