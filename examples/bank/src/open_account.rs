//! Opening an account.

use crate::{
    AccountId, BankEvent, Funds, Owner,
    effective::{self, NotThen},
};
use factum::prelude::*;

/// Begin an account.
#[derive(Command, Debug, Clone)]
#[command(name = "bank.open-account")]
pub struct OpenAccount {
    /// Which.
    pub account: AccountId,
    /// Whose it is.
    pub owner: Owner,
    /// Since when; when it is recorded if nothing is said.
    #[serde(default)]
    pub effective_at: Option<Timestamp>,
}

/// Why an account was not opened.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum OpenRejected {
    /// The id is taken.
    #[error("Account {0} already exists.")]
    AlreadyExists(AccountId),
    /// It cannot have begun then.
    #[error("`effective_at` {0}")]
    #[reject(transparent)]
    NotThen(#[from] NotThen),
}

impl Decide for OpenAccount {
    type Event = BankEvent;
    type Models = Funds;
    type Rejection = OpenRejected;

    fn keys(&self) -> AccountId {
        self.account
    }

    fn decide(&self, funds: &Funds, context: &Context) -> Decision<Self> {
        ensure!(funds.of(self.account).is_err(), OpenRejected::AlreadyExists(self.account));
        let opened = BankEvent::AccountOpened { account: self.account, owner: self.owner.clone().into() };
        emit(effective::since(opened, self.effective_at, context)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, id, minute, opened};

    fn open(effective_at: Option<Timestamp>) -> OpenAccount {
        OpenAccount { account: id(1), owner: "ann".to_owned().try_into().unwrap(), effective_at }
    }

    #[test]
    fn an_account_begins_when_it_is_recorded_or_when_it_is_said_to() {
        let now = || given_nothing().at(minute(9));
        now().when(open(None)).then(opened(1));
        now().when(open(Some(minute(3)))).then(fact(opened(1)).effective_at(minute(3)));
        let (at, now_is) = (minute(10), minute(9));
        now().when(open(Some(at))).then_rejected(NotThen::AfterNow { at, now: now_is }.into());
    }

    #[test]
    fn an_id_is_taken_once() {
        anns().when(open(None)).then_rejected(OpenRejected::AlreadyExists(id(1)));
    }
}
