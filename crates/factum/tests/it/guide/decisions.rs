//! Decisions.

use super::{
    events::{AccountId, BankEvent, CampusEvent, CourseId, StudentId},
    models::{Balance, Load, Seats},
};
use factum::prelude::*;
use std::collections::BTreeMap;

#[derive(Command, Debug, Clone)]
#[command(name = "campus.enrol")]
pub struct Enrol {
    pub course: CourseId,
    pub student: StudentId,
}

// ANCHOR: decision
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum EnrolRejected {
    #[error("there is no such course")]
    #[reject(404)]
    NoCourse,
    #[error("full: {seats} seats")]
    Full { seats: u32 },
}

impl Decide for Enrol {
    type Event = CampusEvent;
    type Models = (Seats, Load);
    type Rejection = EnrolRejected;

    fn keys(&self) -> (CourseId, StudentId) {
        (self.course, self.student)
    }

    fn decide(&self, (seats, load): &(Seats, Load), _: &Context) -> Decision<Self> {
        if load.has(self.course) {
            return nothing();
        }
        ensure!(seats.total > 0, EnrolRejected::NoCourse);
        ensure!(seats.taken < seats.total, EnrolRejected::Full { seats: seats.total });
        emit(CampusEvent::Enrolled { course: self.course, student: self.student })
    }
}
// ANCHOR_END: decision

// ANCHOR: several
/// Pays a part of the sum from each account, or nothing from any.
#[derive(Command, Debug)]
#[command(name = "bank.collect", version = 2)]
pub struct Collect {
    pub to: AccountId,
    pub parts: BTreeMap<AccountId, u64>,
}

impl Decide for Collect {
    type Event = BankEvent;
    type Models = Vec<Balance>;
    type Rejection = Refused;

    fn keys(&self) -> Vec<AccountId> {
        self.parts.keys().copied().collect()
    }

    fn decide(&self, balances: &Vec<Balance>, _: &Context) -> Decision<Self> {
        let mut events = Vec::new();
        for ((&from, &cents), balance) in self.parts.iter().zip(balances) {
            ensure!(cents <= balance.cents, "overdrawn");
            events.push(BankEvent::Transferred { from, to: self.to, cents });
        }
        emit(events)
    }
}
// ANCHOR_END: several

// ANCHOR: choice
#[derive(Command, Debug)]
#[command(name = "bank.pay-in")]
pub enum PayIn {
    One { account: AccountId, cents: u64 },
    Split { first: AccountId, second: AccountId, cents_each: u64 },
}
// ANCHOR_END: choice

impl Decide for PayIn {
    type Event = BankEvent;
    type Models = ();
    type Rejection = Never;

    fn keys(&self) {}

    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        let deposited = |account, cents| BankEvent::Deposited { account, cents };
        match *self {
            Self::One { account, cents } => emit(deposited(account, cents)),
            Self::Split { first, second, cents_each } => {
                emit([deposited(first, cents_each), deposited(second, cents_each)])
            }
        }
    }
}

#[test]
fn a_sum_is_collected_whole_or_not_at_all() {
    let [ann, bob, shop] = [1, 2, 3].map(AccountId::from);
    let collect = || Collect { to: shop, parts: BTreeMap::from([(ann, 2), (bob, 3)]) };
    let bank = || given([BankEvent::Deposited { account: ann, cents: 2 }]);
    bank().when(collect()).then_rejected("overdrawn".into());
    bank().and([BankEvent::Deposited { account: bob, cents: 3 }]).when(collect()).then([
        BankEvent::Transferred { from: ann, to: shop, cents: 2 },
        BankEvent::Transferred { from: bob, to: shop, cents: 3 },
    ]);
    assert_eq!(&collect().encode()[..], br#"{"to":3,"parts":{"1":2,"2":3}}"#);
}

#[test]
fn a_command_may_be_an_enum() {
    let account = AccountId::from(1);
    given_nothing().when(PayIn::One { account, cents: 2 }).then(BankEvent::Deposited { account, cents: 2 });
    let split = PayIn::Split { first: account, second: account, cents_each: 1 };
    let one = BankEvent::Deposited { account, cents: 1 };
    given_nothing().when(split).then([one.clone(), one]);
}
