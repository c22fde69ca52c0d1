//! What the tests of the decisions are given.

use crate::{AccountId, Amount, BankEvent};
use factum::{Given, Uuid, prelude::*};

/// The account with this id.
pub(crate) fn id(nth: u128) -> AccountId {
    Uuid::from_u128(nth).into()
}

/// So much.
pub(crate) fn units(amount: u64) -> Amount {
    Amount::new(amount).unwrap()
}

/// Account `nth` is ann's.
pub(crate) fn opened(nth: u128) -> BankEvent {
    BankEvent::AccountOpened { account: id(nth), owner: "ann".to_owned() }
}

/// Account 1 was opened; what follows is asked in minute 2.
pub(crate) fn anns() -> Given {
    given_nothing().at(minute(1)).and([opened(1)]).at(minute(2))
}

/// Money came in.
pub(crate) fn deposited(nth: u128, amount: u64) -> BankEvent {
    BankEvent::Deposited { account: id(nth), amount, reference: None }
}

/// Money went out.
pub(crate) fn withdrawn(nth: u128, amount: u64) -> BankEvent {
    BankEvent::Withdrawn { account: id(nth), amount, reference: None }
}

/// Money went from one account to another: transfer 9.
pub(crate) fn transferred(from: u128, to: u128, amount: u64) -> [BankEvent; 2] {
    let (from, to, transfer) = (id(from), id(to), Uuid::from_u128(9).into());
    [
        BankEvent::TransferredOut { account: from, to, amount, transfer },
        BankEvent::TransferredIn { account: to, from, amount, transfer },
    ]
}

pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * 60_000_000)
}
