//! Applications with and without a cache, with and without snapshots, given the same commands while a stranger writes between: the same
//! outcomes, the same states, the same log.

use crate::bank::{AccountId, Balance, BankEvent, Cash, Deposit, LastNumber, Move, Number, PayIn, Withdraw};
use factum::{
    Retry,
    prelude::*,
    store::{MemorySnapshots, MemoryStore, Store},
};
use factum_testkit::{Intercepted, SeededEntropy, VirtualClock, soak};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Looks at nearly everything, with several models.
#[derive(Command)]
#[command(name = "bank.audit")]
struct Audit(AccountId, Vec<AccountId>);

impl Decide for Audit {
    type Event = BankEvent;
    type Models = (Cash, LastNumber, Vec<Balance>);
    type Rejection = Refused;
    fn keys(&self) -> (AccountId, (), Vec<AccountId>) {
        (self.0, (), self.1.clone())
    }
    fn decide(&self, (cash, last, balances): &Self::Models, _: &Context) -> Decision<Self> {
        let sum: i64 = balances.iter().map(|balance| balance.cents).sum();
        ensure!(sum % 7 != 3, "uneven");
        if sum % 5 == 0 {
            return nothing();
        }
        emit([
            BankEvent::Numbered { number: last.0 + 1 },
            BankEvent::Deposited { account: self.0, cents: cash.0 % 11 },
        ])
    }
}

/// One world of the soak: an application over a store where a stranger acts at the moments that the seed says.
mod world {
    use super::*;

    pub(super) struct World {
        pub(super) app: App,
        pub(super) store: Arc<dyn Store>,
        /// What the stranger does just before the next append.
        ambush: Arc<Mutex<Option<Deed>>>,
    }

    /// Something to do.
    #[derive(Clone, Debug)]
    pub(super) enum Deed {
        Deposit(AccountId, u64),
        PayIn(AccountId, u64),
        Withdraw(AccountId, u64),
        Move(AccountId, AccountId, u64),
        Number,
        Audit(AccountId, Vec<AccountId>),
        View(AccountId),
    }

    impl Deed {
        pub(super) fn drawn(random: &SeededEntropy) -> Self {
            let account = || AccountId(random.next_u64() % 5);
            let cents = random.next_u64() % 40;
            match random.next_u64() % 8 {
                0 => Self::Deposit(account(), cents),
                1 | 2 => Self::PayIn(account(), cents),
                3 => Self::Withdraw(account(), cents),
                4 => Self::Move(account(), account(), cents),
                5 => Self::Number,
                6 => Self::Audit(account(), (0..random.next_u64() % 4).map(|_| account()).collect()),
                _ => Self::View(account()),
            }
        }

        /// Does it; what came of it, in words.
        pub(super) async fn done(&self, app: &App, id: u128) -> String {
            let id = factum::CommandId::new(factum::Uuid::from_u128(id));
            macro_rules! execute {
                ($command:expr) => {
                    format!("{:?}", app.execute($command).command_id(id).await)
                };
            }
            match self {
                Self::Deposit(account, cents) => execute!(Deposit(*account, *cents)),
                Self::PayIn(account, cents) => execute!(PayIn(*account, *cents)),
                Self::Withdraw(account, cents) => execute!(Withdraw(*account, *cents)),
                Self::Move(from, to, cents) => execute!(Move(*from, *to, *cents)),
                Self::Number => execute!(Number),
                Self::Audit(account, accounts) => execute!(Audit(*account, accounts.clone())),
                Self::View(account) => format!(
                    "{:?} {:?} {:?}",
                    app.view::<Cash>(*account).await,
                    app.view::<Balance>(*account).await,
                    app.view::<LastNumber>(()).await
                ),
            }
        }
    }

    impl World {
        pub(super) fn new((cache, snapshots): (usize, bool)) -> Self {
            let clock = Arc::new(VirtualClock::default());
            let entropy = Arc::new(SeededEntropy::new(1));
            let store: Arc<dyn Store> = Arc::new(MemoryStore::with_ports(clock.clone(), &*entropy));
            let stranger = App::on(Arc::clone(&store)).cache(0).clock(clock.clone()).start();
            let ambush: Arc<Mutex<Option<Deed>>> = Arc::default();
            let waiting = Arc::clone(&ambush);
            let raced = Intercepted::new(Arc::clone(&store), move |store: &dyn Store, batch| {
                let (deed, stranger) = (waiting.lock().unwrap().take(), stranger.clone());
                let id = batch[0].commit.command.id.get().as_u128();
                Box::pin(async move {
                    if let Some(deed) = deed {
                        deed.done(&stranger, !id).await;
                    }
                    store.append(batch).await
                })
            });
            let retry = Retry { pause: Duration::ZERO, ..Retry::default() };
            let app = App::on(Arc::new(raced)).cache(cache).clock(clock).entropy(entropy).retry(retry);
            let app = match snapshots {
                true => app.snapshots(Arc::new(MemorySnapshots::new())),
                false => app,
            };
            let app = app.start();
            Self { app, store, ambush }
        }

        pub(super) async fn play(&self, deed: &Deed, ambush: Option<Deed>, id: u128) -> String {
            *self.ambush.lock().unwrap() = ambush;
            let told = deed.done(&self.app, id).await;
            *self.ambush.lock().unwrap() = None;
            told
        }
    }
}

#[test]
fn soak_caches_and_snapshots_change_no_outcome_and_no_state() {
    use world::{Deed, World};
    soak(1, 24, |seed| {
        let random = SeededEntropy::new(seed);
        // No room, so little that nearly everything is driven out, and enough; with snapshots and without.
        let worlds = [(0, false), (0, true), (1, false), (8, true), (4096, false), (4096, true)];
        let worlds = worlds.map(World::new);
        for step in 1..120_u128 {
            let deed = Deed::drawn(&random);
            let ambush = (random.next_u64().is_multiple_of(3)).then(|| Deed::drawn(&random));
            let [off, on @ ..] = &worlds;
            let expected = block_on(off.play(&deed, ambush.clone(), step));
            for world in on {
                let told = block_on(world.play(&deed, ambush.clone(), step));
                assert_eq!(told, expected, "step {step}: {deed:?}, ambushed by {ambush:?}");
            }
        }
        let commits = |world: &World| {
            let page = block_on(world.store.commits(Default::default(), 4096)).unwrap();
            assert_eq!(page.next, None);
            page.commits
        };
        let [off, on @ ..] = &worlds;
        on.iter().for_each(|world| assert_eq!(commits(world), commits(off)));
    });
}
