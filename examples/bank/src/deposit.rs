//! Putting money into an account.

use crate::{
    AccountId, Amount, BankEvent, Funds, Reference,
    effective::{self, NotThen},
    funds::{NoAccount, TooMuch},
};
use factum::prelude::*;

/// Put money in.
#[derive(Command, Debug, Clone)]
#[command(name = "bank.deposit")]
pub struct Deposit {
    /// Where.
    pub account: AccountId,
    /// How much.
    pub amount: Amount,
    /// What for.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// Since when it is there; when it is recorded if nothing is said.
    #[serde(default)]
    pub effective_at: Option<Timestamp>,
}

/// Why nothing was put in.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum DepositRejected {
    /// There is no such account.
    #[error(transparent)]
    #[reject(transparent)]
    NoAccount(#[from] NoAccount),
    /// The account takes in no more.
    #[error(transparent)]
    #[reject(transparent)]
    TooMuch(#[from] TooMuch),
    /// It cannot have come in then.
    #[error("`effective_at` {0}")]
    #[reject(transparent)]
    NotThen(#[from] NotThen),
}

// ANCHOR: decision
impl Decide for Deposit {
    type Event = BankEvent;
    type Models = Funds;
    type Rejection = DepositRejected;

    fn keys(&self) -> AccountId {
        self.account
    }

    fn decide(&self, funds: &Funds, context: &Context) -> Decision<Self> {
        let Self { account, amount, reference, effective_at } = self.clone();
        funds.of(account)?.takes_in(account, amount)?;
        let reference = reference.map(String::from);
        let deposited = BankEvent::Deposited { account, amount: amount.get(), reference };
        emit(effective::since(deposited, effective_at, context)?)
    }
}
// ANCHOR_END: decision

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AMOUNT_MAX,
        testing::{anns, deposited, id, minute, units, withdrawn},
    };

    fn deposit(amount: u64) -> Deposit {
        Deposit { account: id(1), amount: units(amount), reference: None, effective_at: None }
    }

    #[test]
    fn s1_12_money_comes_in_as_an_event_of_its_account() {
        anns().when(deposit(10)).then(deposited(1, 10));
        let told = Deposit { reference: Some("rent".to_owned().try_into().unwrap()), ..deposit(10) };
        let reference = Some("rent".to_owned());
        anns().when(told).then(BankEvent::Deposited { account: id(1), amount: 10, reference });
    }

    #[test]
    fn s1_13_what_is_late_is_one_more_event_with_the_time_when_it_was_true() {
        let late = Deposit { effective_at: Some(minute(1)), ..deposit(4) };
        let known = anns().and([deposited(1, 10), withdrawn(1, 3)]);
        known.when(late).then(fact(deposited(1, 4)).effective_at(minute(1)));
        let (at, now) = (minute(3), minute(2));
        let to_come = Deposit { effective_at: Some(at), ..deposit(4) };
        anns().when(to_come).then_rejected(NotThen::AfterNow { at, now }.into());
    }

    #[test]
    fn an_account_takes_in_so_much_over_its_life_and_no_more() {
        let full = |amount| anns().and([deposited(1, amount), withdrawn(1, amount)]);
        full(AMOUNT_MAX - 1).when(deposit(1)).then(deposited(1, 1));
        let why = TooMuch { account: id(1), credited: AMOUNT_MAX, amount: units(1) };
        full(AMOUNT_MAX).when(deposit(1)).then_rejected(why.into());
    }

    #[test]
    fn an_account_that_was_not_opened_takes_nothing() {
        given_nothing().when(deposit(1)).then_rejected(NoAccount(id(1)).into());
    }

    #[test]
    fn the_stored_form_is_held_to_the_same_bounds() {
        let stored = |amount: &str| {
            Deposit::decode(format!(r#"{{"account": "{}", "amount": {amount}}}"#, id(1)).as_bytes())
        };
        assert_eq!(stored("10").unwrap().amount, units(10));
        for amount in ["0", "-1", "1.5", "9007199254740992"] {
            assert!(stored(amount).is_err(), "{amount}");
        }
    }
}
