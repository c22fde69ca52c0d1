//! What can happen to an account. Amounts and texts are stored as they were accepted: what new ones may be is in
//! [`crate::amount`] and [`crate::texts`], and what has happened stays readable when that changes.

use factum::{Uuid, prelude::*};

/// Which account.
#[derive(Id)]
pub struct AccountId(Uuid);

/// Which transfer.
#[derive(Id)]
pub struct TransferId(Uuid);

/// What happened. Amounts are in minor units, from 1.
#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "bank", stream = account)]
pub enum BankEvent {
    /// An account began, with nothing on it.
    AccountOpened {
        /// Which.
        account: AccountId,
        /// Whose it is.
        owner: String,
    },
    /// Money came in.
    Deposited {
        /// Where.
        account: AccountId,
        /// How much.
        amount: u64,
        /// What for, in the words of who brought it.
        reference: Option<String>,
    },
    /// Money was taken out.
    Withdrawn {
        /// Where.
        account: AccountId,
        /// How much.
        amount: u64,
        /// What for, in the words of who took it.
        reference: Option<String>,
    },
    /// Money went to another account, where the same commit says that it came in.
    TransferredOut {
        /// Where it came from.
        account: AccountId,
        /// Where it went.
        to: AccountId,
        /// How much.
        amount: u64,
        /// Which transfer: both sides are found by it.
        #[tag]
        transfer: TransferId,
    },
    /// Money came from another account, where the same commit says that it went out.
    TransferredIn {
        /// Where it went.
        account: AccountId,
        /// Where it came from.
        from: AccountId,
        /// How much.
        amount: u64,
        /// Which transfer: both sides are found by it.
        #[tag]
        transfer: TransferId,
    },
}
