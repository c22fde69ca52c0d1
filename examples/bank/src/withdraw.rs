//! Taking money out of an account.

use crate::{
    AccountId, Amount, BankEvent, Funds, Reference,
    effective::{self, NotThen},
    funds::{InsufficientFunds, NoAccount},
};
use factum::prelude::*;

/// Take money out.
#[derive(Command, Debug, Clone)]
#[command(name = "bank.withdraw")]
pub struct Withdraw {
    /// Where.
    pub account: AccountId,
    /// How much.
    pub amount: Amount,
    /// What for.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// Since when it is gone; when it is recorded if nothing is said.
    #[serde(default)]
    pub effective_at: Option<Timestamp>,
}

/// Why nothing was taken out.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum WithdrawRejected {
    /// There is no such account.
    #[error(transparent)]
    #[reject(transparent)]
    NoAccount(#[from] NoAccount),
    /// There is less.
    #[error(transparent)]
    #[reject(transparent)]
    InsufficientFunds(#[from] InsufficientFunds),
    /// It cannot have gone then.
    #[error("`effective_at` {0}")]
    #[reject(transparent)]
    NotThen(#[from] NotThen),
}

impl Decide for Withdraw {
    type Event = BankEvent;
    type Models = Funds;
    type Rejection = WithdrawRejected;

    fn keys(&self) -> AccountId {
        self.account
    }

    fn decide(&self, funds: &Funds, context: &Context) -> Decision<Self> {
        let Self { account, amount, reference, effective_at } = self.clone();
        funds.of(account)?.gives_out(account, amount)?;
        let reference = reference.map(String::from);
        let withdrawn = BankEvent::Withdrawn { account, amount: amount.get(), reference };
        emit(effective::since(withdrawn, effective_at, context)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deposited, id, minute, units, withdrawn};

    fn withdraw(amount: u64) -> Withdraw {
        Withdraw { account: id(1), amount: units(amount), reference: None, effective_at: None }
    }

    #[test]
    fn s1_12_money_goes_out_down_to_nothing() {
        let ten = || anns().and([deposited(1, 10)]);
        ten().when(withdraw(3)).then(withdrawn(1, 3));
        ten().when(withdraw(10)).then(withdrawn(1, 10));
    }

    #[test]
    fn s4_21_no_account_is_overdrawn_and_the_refusal_names_balance_and_amount() {
        let why = InsufficientFunds { account: id(1), balance: 7, amount: units(8) };
        assert_eq!((why.code(), why.status()), ("insufficient-funds", 409));
        assert_eq!(why.to_string(), format!("The balance of account {} is 7, which is less than 8.", id(1)));
        let seven = anns().and([deposited(1, 10), withdrawn(1, 3)]);
        seven.when(withdraw(8)).then_rejected(why.into());
    }

    #[test]
    fn what_went_out_earlier_says_so_and_nothing_goes_out_later() {
        let ten = || anns().and([deposited(1, 10)]);
        let earlier = Withdraw { effective_at: Some(minute(1)), ..withdraw(3) };
        ten().when(earlier).then(fact(withdrawn(1, 3)).effective_at(minute(1)));
        let (at, now) = (minute(3), minute(2));
        let to_come = Withdraw { effective_at: Some(at), ..withdraw(3) };
        ten().when(to_come).then_rejected(NotThen::AfterNow { at, now }.into());
    }

    #[test]
    fn an_account_that_was_not_opened_gives_nothing() {
        given_nothing().when(withdraw(1)).then_rejected(NoAccount(id(1)).into());
    }
}
