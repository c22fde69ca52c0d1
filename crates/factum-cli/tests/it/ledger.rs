//! The application under test: two services over the same entries, `bank` and `shop`, each with the view `sums`;
//! `bank` has a second one, `counts`.

use factum::{Backend, Builder, Recorded, log::OpenError, prelude::*};
use factum_cli::Application;
use factum_http::{Permissions, Routes, Service};
use serde::{Deserialize, Serialize};
use std::{env, path::Path, thread, time::Duration};

/// While the process has this variable, entries of [`POISON`] cannot be applied to `sums`.
pub(crate) const POISONOUS: &str = "LEDGER_POISONOUS";
/// While there is a file where this one says, no entry is applied to `counts`.
pub(crate) const HELD: &str = "LEDGER_HELD";
pub(crate) const POISON: i64 = 13;

#[derive(Id)]
pub(crate) struct AccountId(pub(crate) u32);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "ledger", stream = account)]
pub(crate) enum LedgerEvent {
    Entered { account: AccountId, cents: i64 },
}

#[derive(Command)]
#[command(name = "ledger.enter")]
pub(crate) struct Enter(pub(crate) AccountId, pub(crate) i64);

impl Decide for Enter {
    type Event = LedgerEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(LedgerEvent::Entered { account: self.0, cents: self.1 })
    }
}

/// Cannot be decided.
#[derive(Command)]
#[command(name = "ledger.audit")]
pub(crate) struct Audit(pub(crate) AccountId);

#[derive(Default, Debug, Clone)]
pub(crate) struct Entries(u64);

#[model]
impl Model for Entries {
    type Scope = Stream<AccountId>;
    fn apply(&mut self, event: LedgerEvent) {
        match event {
            LedgerEvent::Entered { .. } => self.0 += 1,
        }
    }
}

impl Decide for Audit {
    type Event = LedgerEvent;
    type Models = Entries;
    type Rejection = Never;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, _: &Entries, _: &Context) -> Decision<Self> {
        panic!("the auditor is away")
    }
}

/// What all entries of an account come to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sums {
    pub(crate) cents: i64,
}

impl View for Sums {
    const NAME: &'static str = "sums";
    const VERSION: u32 = 1;
    type Event = LedgerEvent;
    type Key = AccountId;

    fn keys(event: &LedgerEvent) -> Vec<AccountId> {
        let LedgerEvent::Entered { account, .. } = event;
        vec![*account]
    }

    fn apply(&mut self, _: &AccountId, event: &LedgerEvent) {
        let LedgerEvent::Entered { cents, .. } = event;
        assert!(*cents != POISON || env::var_os(POISONOUS).is_none(), "this entry is unlucky");
        self.cents += cents;
    }
}

/// How many entries an account has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    entries: u64,
}

impl View for Counts {
    const NAME: &'static str = "counts";
    const VERSION: u32 = 1;
    type Event = Recorded<LedgerEvent>;
    type Key = AccountId;

    fn keys(event: &Recorded<LedgerEvent>) -> Vec<AccountId> {
        let LedgerEvent::Entered { account, .. } = event.event;
        vec![account]
    }

    fn apply(&mut self, _: &AccountId, _: &Recorded<LedgerEvent>) {
        while env::var_os(HELD).is_some_and(|file| Path::new(&file).exists()) {
            thread::sleep(Duration::from_millis(5));
        }
        self.entries += 1;
    }
}

pub(crate) fn bank<B: Backend>(app: Builder<B>) -> Builder<B> {
    app.commands::<(Enter, Audit)>().view::<Sums>().view::<Counts>()
}

fn shop<B: Backend>(app: Builder<B>) -> Builder<B> {
    app.commands::<(Enter,)>().view::<Sums>()
}

fn service(name: &'static str, app: App) -> Service {
    let (about, routes, permissions) = ("Keeps entries", Routes::new(), Permissions::new());
    Service { name, about, app, routes, permissions, hints: &[] }
}

pub(crate) fn application() -> Application {
    Application::new("ledger", "serve").service("bank", bank, |app| service("bank", app)).service(
        "shop",
        shop,
        |app| service("shop", app),
    )
}

/// Opens data that was let go of a moment ago: a process that another test starts in that moment has it until it has
/// become another program.
pub(crate) fn patiently<T>(open: impl Fn() -> Result<T, OpenError>) -> T {
    loop {
        match open() {
            Err(OpenError::Locked { .. }) => thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Enters these cents into the account 1 of a service in `data`, while no view is there to see it.
pub(crate) fn enter(data: &Path, service: &str, cents: impl IntoIterator<Item = i64>) {
    let app = patiently(|| App::embedded(data.join(service)).start());
    block_on(async {
        for cents in cents {
            app.execute(Enter(AccountId(1), cents)).await.unwrap();
        }
        app.stop().await;
    });
}

/// The bank in `data`, opened as a service has it.
pub(crate) fn open_bank(data: &Path) -> App {
    patiently(|| bank(App::embedded(data.join("bank"))).start())
}
