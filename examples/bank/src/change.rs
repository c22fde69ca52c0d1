//! What an event did to the balance of its account. Every read model of money is made from this, so that the
//! balance, the history and the statements cannot differ.

use crate::{AccountId, BankEvent};

/// A change of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// In minor units: what came in, or less than nothing for what went out.
    pub amount: i64,
    /// The other account, of a transfer.
    pub counterparty: Option<AccountId>,
    /// What for.
    pub reference: Option<&'a str>,
}

impl BankEvent {
    /// The account that it happened to.
    pub fn account(&self) -> AccountId {
        match self {
            Self::AccountOpened { account, .. }
            | Self::Deposited { account, .. }
            | Self::Withdrawn { account, .. }
            | Self::TransferredOut { account, .. }
            | Self::TransferredIn { account, .. } => *account,
        }
    }

    /// What it did to the balance; none for what moved no money.
    pub fn change(&self) -> Option<Change<'_>> {
        let (amount, counterparty, reference) = match self {
            Self::AccountOpened { .. } => return None,
            Self::Deposited { amount, reference, .. } => (signed(*amount), None, reference.as_deref()),
            Self::Withdrawn { amount, reference, .. } => (-signed(*amount), None, reference.as_deref()),
            Self::TransferredOut { to, amount, .. } => (-signed(*amount), Some(*to), None),
            Self::TransferredIn { from, amount, .. } => (signed(*amount), Some(*from), None),
        };
        Some(Change { amount, counterparty, reference })
    }
}

/// No amount is near the bound: see [`crate::AMOUNT_MAX`].
fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
