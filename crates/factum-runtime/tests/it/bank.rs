//! A small bank: deposits, withdrawals, transfers that span two accounts.

use factum::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Id)]
pub(crate) struct AccountId(pub(crate) u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "bank")]
pub(crate) enum BankEvent {
    Deposited {
        #[stream]
        #[tag]
        account: AccountId,
        cents: u64,
    },
    Withdrawn {
        #[stream]
        #[tag]
        account: AccountId,
        cents: u64,
    },
    Moved {
        #[tag]
        from: AccountId,
        #[tag]
        to: AccountId,
        cents: u64,
    },
    Numbered {
        number: u64,
    },
}

/// Deposits less withdrawals, of one account's own stream.
#[derive(Default, Debug, Clone, PartialEq)]
pub(crate) struct Cash(pub(crate) u64);

#[model]
impl Model for Cash {
    type Scope = Stream<AccountId>;
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Deposited { cents, .. } => self.0 += cents,
            BankEvent::Withdrawn { cents, .. } => self.0 -= cents,
        }
    }
}

/// All that an account takes part in, transfers too. Its states are kept on disk, where there is one.
#[derive(Default, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Balance {
    account: Option<AccountId>,
    pub(crate) cents: i64,
}

impl Model for Balance {
    type Scope = Tagged<AccountId>;
    type Event = Money;
    const SNAPSHOT: Snapshot<Self> = Snapshot::every(3, 1);
    fn start(account: &AccountId) -> Self {
        Self { account: Some(*account), cents: 0 }
    }
    fn apply(&mut self, event: Money) {
        match event {
            Money::Deposited { cents } => self.cents += cents as i64,
            Money::Withdrawn { cents } => self.cents -= cents as i64,
            Money::Moved { from, to, cents } => {
                self.cents -= if Some(from) == self.account { cents as i64 } else { 0 };
                self.cents += if Some(to) == self.account { cents as i64 } else { 0 };
            }
        }
    }
}

#[derive(Subset)]
#[subset(of = BankEvent)]
pub(crate) enum Money {
    Deposited { cents: u64 },
    Withdrawn { cents: u64 },
    Moved { from: AccountId, to: AccountId, cents: u64 },
}

#[derive(Default, Debug, Clone, PartialEq)]
pub(crate) struct LastNumber(pub(crate) u64, pub(crate) u32);

#[model]
impl Model for LastNumber {
    type Scope = Last<Everything>;
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Numbered { number } => *self = Self(number, self.1 + 1),
        }
    }
}

#[derive(Command)]
#[command(name = "bank.deposit")]
pub(crate) struct Deposit(pub(crate) AccountId, pub(crate) u64);

impl Decide for Deposit {
    type Event = BankEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        emit(BankEvent::Deposited { account: self.0, cents: self.1 })
    }
}

/// As a deposit, in the order of the account.
#[derive(Command)]
#[command(name = "bank.pay-in")]
pub(crate) struct PayIn(pub(crate) AccountId, pub(crate) u64);

impl Decide for PayIn {
    type Event = BankEvent;
    type Models = Cash;
    type Rejection = Never;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, _: &Cash, _: &Context) -> Decision<Self> {
        emit(BankEvent::Deposited { account: self.0, cents: self.1 })
    }
}

#[derive(Command)]
#[command(name = "bank.withdraw")]
pub(crate) struct Withdraw(pub(crate) AccountId, pub(crate) u64);

#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub(crate) enum WithdrawRejected {
    #[error("only {0} cents left")]
    #[reject(402)]
    Overdrawn(u64),
}

impl Decide for Withdraw {
    type Event = BankEvent;
    type Models = Cash;
    type Rejection = WithdrawRejected;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, cash: &Cash, _: &Context) -> Decision<Self> {
        if self.1 == 0 {
            return nothing();
        }
        ensure!(self.1 <= cash.0, WithdrawRejected::Overdrawn(cash.0));
        emit(BankEvent::Withdrawn { account: self.0, cents: self.1 })
    }
}

#[derive(Command)]
#[command(name = "bank.move")]
pub(crate) struct Move(pub(crate) AccountId, pub(crate) AccountId, pub(crate) u64);

impl Decide for Move {
    type Event = BankEvent;
    type Models = Vec<Balance>;
    type Rejection = Refused;
    fn keys(&self) -> Vec<AccountId> {
        vec![self.0, self.1]
    }
    fn decide(&self, balances: &Vec<Balance>, _: &Context) -> Decision<Self> {
        ensure!(balances[0].cents >= self.2 as i64, "overdrawn");
        emit(BankEvent::Moved { from: self.0, to: self.1, cents: self.2 })
    }
}

#[derive(Command)]
#[command(name = "bank.number")]
pub(crate) struct Number;

impl Decide for Number {
    type Event = BankEvent;
    type Models = LastNumber;
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, last: &LastNumber, _: &Context) -> Decision<Self> {
        assert!(last.1 <= 1, "only the last event is folded");
        emit(BankEvent::Numbered { number: last.0 + 1 })
    }
}

/// Runs `work` on as many threads as it says, with the thread's number.
pub(crate) fn at_once<T: Send + 'static>(
    threads: u64,
    work: impl Fn(u64) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let work = Arc::new(work);
    let start = Arc::new(std::sync::Barrier::new(usize::try_from(threads).unwrap()));
    let spawn = |number| {
        let (work, start) = (Arc::clone(&work), Arc::clone(&start));
        std::thread::spawn(move || {
            start.wait();
            work(number)
        })
    };
    let running: Vec<_> = (0..threads).map(spawn).collect();
    running.into_iter().map(|thread| thread.join().unwrap()).collect()
}
