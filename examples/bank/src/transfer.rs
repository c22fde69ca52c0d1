//! Sending money from one account to another: one decision on the funds of both, two events in one commit. So it
//! happens whole or not at all, and is decided again if either account moved meanwhile.

use crate::{
    AccountId, Amount, BankEvent, Funds, TransferId,
    funds::{InsufficientFunds, NoAccount, TooMuch},
};
use factum::prelude::*;

/// Send money from one account to another.
#[derive(Command, Debug, Clone)]
#[command(name = "bank.transfer")]
pub struct Transfer {
    /// Which transfer.
    pub transfer: TransferId,
    /// Where it comes from.
    pub from: AccountId,
    /// Where it goes.
    pub to: AccountId,
    /// How much.
    pub amount: Amount,
}

/// Why nothing was sent.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum TransferRejected {
    /// It is one account.
    #[error(transparent)]
    #[reject(transparent)]
    SameAccount(#[from] SameAccount),
    /// One of the two is no account.
    #[error(transparent)]
    #[reject(transparent)]
    NoAccount(#[from] NoAccount),
    /// There is less where it comes from.
    #[error(transparent)]
    #[reject(transparent)]
    InsufficientFunds(#[from] InsufficientFunds),
    /// Where it goes takes in no more.
    #[error(transparent)]
    #[reject(transparent)]
    TooMuch(#[from] TooMuch),
}

/// Money is not sent from an account to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Reject)]
#[error("must be another account than `from`, which is {0}")]
#[reject(400, code = "same-account")]
pub struct SameAccount(pub AccountId);

impl Transfer {
    /// Whether it is between two accounts.
    ///
    /// # Errors
    /// When it is from one account to itself.
    pub fn check(&self) -> Result<(), SameAccount> {
        ensure!(self.from != self.to, SameAccount(self.from));
        Ok(())
    }
}

// ANCHOR: decision
impl Decide for Transfer {
    type Event = BankEvent;
    type Models = (Funds, Funds);
    type Rejection = TransferRejected;

    fn keys(&self) -> (AccountId, AccountId) {
        (self.from, self.to)
    }

    fn decide(&self, (from_funds, to_funds): &(Funds, Funds), _: &Context) -> Decision<Self> {
        self.check()?;
        let Self { transfer, from, to, amount } = *self;
        let (from_funds, to_funds) = (from_funds.of(from)?, to_funds.of(to)?);
        from_funds.gives_out(from, amount)?;
        to_funds.takes_in(to, amount)?;
        let amount = amount.get();
        emit([
            BankEvent::TransferredOut { account: from, to, amount, transfer },
            BankEvent::TransferredIn { account: to, from, amount, transfer },
        ])
    }
}
// ANCHOR_END: decision

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AMOUNT_MAX,
        testing::{anns, deposited, id, opened, transferred, units},
    };
    use factum::{Given, Uuid};

    fn send(from: u128, to: u128, amount: u64) -> Transfer {
        let transfer = Uuid::from_u128(9).into();
        Transfer { transfer, from: id(from), to: id(to), amount: units(amount) }
    }

    /// Ann has 10, bob nothing.
    fn two() -> Given {
        anns().and([opened(2), deposited(1, 10)])
    }

    #[test]
    fn s4_21_a_transfer_is_two_events_one_for_each_account() {
        two().when(send(1, 2, 7)).then(transferred(1, 2, 7));
    }

    #[test]
    fn s4_21_what_is_not_there_is_not_sent() {
        let why = InsufficientFunds { account: id(2), balance: 0, amount: units(1) };
        two().when(send(2, 1, 1)).then_rejected(why.into());
        let why = InsufficientFunds { account: id(1), balance: 10, amount: units(11) };
        two().when(send(1, 2, 11)).then_rejected(why.into());
    }

    #[test]
    fn both_accounts_are_there_and_the_refusal_names_the_one_that_is_not() {
        two().when(send(1, 3, 1)).then_rejected(NoAccount(id(3)).into());
        two().when(send(3, 1, 1)).then_rejected(NoAccount(id(3)).into());
    }

    #[test]
    fn nothing_is_sent_to_where_it_comes_from() {
        two().when(send(1, 1, 1)).then_rejected(SameAccount(id(1)).into());
        assert_eq!((SameAccount(id(1)).code(), SameAccount(id(1)).status()), ("same-account", 400));
    }

    #[test]
    fn an_account_that_takes_in_no_more_is_sent_nothing() {
        let why = TooMuch { account: id(2), credited: AMOUNT_MAX, amount: units(1) };
        two().and([deposited(2, AMOUNT_MAX)]).when(send(1, 2, 1)).then_rejected(why.into());
    }
}
