//! What decisions know of an account: whether there is one, and what it took in and gave out. Never by when that
//! became true: money can be spent once the bank knows of it.

use crate::{AMOUNT_MAX, AccountId, Amount, BankEvent};
use factum::{Snapshot, prelude::*};
use serde::{Deserialize, Serialize};

/// The funds behind one id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Funds {
    opened: bool,
    credited: u64,
    debited: u64,
}

/// There is no such account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Reject)]
#[error("Account {0} not found.")]
#[reject(404, code = "no-such-account")]
pub struct NoAccount(pub AccountId);

/// More was to be taken out than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Reject)]
#[error("The balance of account {account} is {balance}, which is less than {amount}.")]
#[reject(409, code = "insufficient-funds")]
pub struct InsufficientFunds {
    /// Where.
    pub account: AccountId,
    /// What there is.
    pub balance: u64,
    /// What was asked for.
    pub amount: Amount,
}

/// An account takes in no more than [`AMOUNT_MAX`] over its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Reject)]
#[error(
    "Account {account} has taken in {credited}, and takes in no more than {AMOUNT_MAX} in all: {amount} is too much."
)]
#[reject(409, code = "takes-in-too-much")]
pub struct TooMuch {
    /// Where.
    pub account: AccountId,
    /// What it has taken in so far.
    pub credited: u64,
    /// What was asked for.
    pub amount: Amount,
}

#[model]
impl Model for Funds {
    type Scope = Stream<AccountId>;
    const SNAPSHOT: Snapshot<Self> = Snapshot::every(500, 1);
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::AccountOpened { .. } => self.opened = true,
            BankEvent::Deposited { amount, .. } | BankEvent::TransferredIn { amount, .. } => {
                self.credited = self.credited.saturating_add(amount);
            }
            BankEvent::Withdrawn { amount, .. } | BankEvent::TransferredOut { amount, .. } => {
                self.debited = self.debited.saturating_add(amount);
            }
        }
    }
}

impl Funds {
    /// What is on the account, in minor units.
    pub fn balance(&self) -> u64 {
        self.credited.saturating_sub(self.debited)
    }

    /// The funds of an account that was opened.
    ///
    /// # Errors
    /// When it was not.
    pub(crate) fn of(&self, account: AccountId) -> Result<&Self, NoAccount> {
        ensure!(self.opened, NoAccount(account));
        Ok(self)
    }

    /// Whether so much can come in.
    ///
    /// # Errors
    /// When that is more than an account takes in.
    pub(crate) fn takes_in(&self, account: AccountId, amount: Amount) -> Result<(), TooMuch> {
        let credited = self.credited;
        ensure!(credited.saturating_add(amount.get()) <= AMOUNT_MAX, TooMuch { account, credited, amount });
        Ok(())
    }

    /// Whether so much can go out.
    ///
    /// # Errors
    /// When there is less.
    pub(crate) fn gives_out(&self, account: AccountId, amount: Amount) -> Result<(), InsufficientFunds> {
        let balance = self.balance();
        ensure!(balance >= amount.get(), InsufficientFunds { account, balance, amount });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deposited, id, transferred, withdrawn};

    #[test]
    fn s1_12_the_balance_is_what_came_in_less_what_went_out() {
        let plus_10_minus_3 = anns().and([deposited(1, 10), withdrawn(1, 3)]);
        assert_eq!(plus_10_minus_3.view::<Funds>(id(1)).balance(), 7);
        let late = plus_10_minus_3.and([fact(deposited(1, 4)).effective_at(Timestamp::EPOCH)]);
        assert_eq!(late.view::<Funds>(id(1)).balance(), 11);
        let [out, back_in] = transferred(1, 2, 5);
        let sent = late.and([out, back_in]);
        assert_eq!([1, 2].map(|nth| sent.view::<Funds>(id(nth)).balance()), [6, 5]);
    }
}
