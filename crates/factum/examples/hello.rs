//! One stream: an account that is never overdrawn.

use factum::prelude::*;

// ANCHOR: domain
#[derive(Id)]
struct AccountId(u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "bank", stream = account)]
enum BankEvent {
    Deposited { account: AccountId, cents: u64 },
    Withdrawn { account: AccountId, cents: u64 },
}

#[derive(Default, Debug, Clone)]
struct Balance(u64);
#[model]
impl Model for Balance {
    type Scope = Stream<AccountId>;
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Deposited { cents, .. } => self.0 = self.0.saturating_add(cents),
            BankEvent::Withdrawn { cents, .. } => self.0 = self.0.saturating_sub(cents),
        }
    }
}

#[derive(Command)]
#[command(name = "bank.withdraw")]
struct Withdraw(AccountId, u64);
impl Decide for Withdraw {
    type Event = BankEvent;
    type Models = Balance;
    type Rejection = Refused;
    fn keys(&self) -> Keys<Self> {
        self.0
    }
    fn decide(&self, balance: &Balance, _: &Context) -> Decision<Self> {
        ensure!(self.1 <= balance.0, "overdrawn");
        emit(BankEvent::Withdrawn { account: self.0, cents: self.1 })
    }
}
// ANCHOR_END: domain

pub(crate) fn main() {
    let account = AccountId(1);
    // ANCHOR: test
    given([BankEvent::Deposited { account, cents: 5 }])
        .when(Withdraw(account, 7))
        .then_rejected("overdrawn".into());
    given([BankEvent::Deposited { account, cents: 7 }])
        .when(Withdraw(account, 7))
        .then(BankEvent::Withdrawn { account, cents: 7 });
    // ANCHOR_END: test
    // ANCHOR: run
    let app = App::in_memory().start();
    let ended = block_on(app.execute(Withdraw(account, 7)).actor("ann"));
    assert!(matches!(ended, Err(ExecuteError::Rejected(why)) if why == "overdrawn".into()));
    // ANCHOR_END: run
    println!("an account without a deposit gives no 7");
}
