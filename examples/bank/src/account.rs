//! An account as it is read: one document for each, so that a read costs the same however much has happened to it.

use crate::{AccountId, BankEvent};
use factum::{QueryItem, Revision, Uuid, prelude::*};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// ANCHOR: view
/// An account: whose it is, what is on it, and how far its stream has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub owner: String,
    /// What is on it, in minor units.
    pub balance: i64,
    /// That of its last event.
    pub revision: Revision,
}

impl View for Account {
    const NAME: &'static str = "accounts";
    const VERSION: u32 = 1;
    const INDEXES: &'static [&'static str] = &["owner"];
    type Event = Recorded<BankEvent>;
    type Key = AccountId;

    fn keys(recorded: &Recorded<BankEvent>) -> Vec<AccountId> {
        vec![recorded.event.account()]
    }

    fn apply(&mut self, _: &AccountId, recorded: &Recorded<BankEvent>) {
        if let BankEvent::AccountOpened { owner, .. } = &recorded.event {
            self.owner.clone_from(owner);
        }
        let change = recorded.event.change().map_or(0, |change| change.amount);
        self.balance = self.balance.saturating_add(change);
        self.revision = recorded.revision;
    }

    fn indexed(&self) -> Vec<Value> {
        vec![self.owner.as_str().into()]
    }

    fn found_by(account: &AccountId) -> Option<QueryItem> {
        Some(QueryItem::default().stream(account.stream()))
    }
}
// ANCHOR_END: view

/// An account as it is answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Account")]
pub(crate) struct Representation {
    /// Which.
    #[schemars(with = "Uuid")]
    account_id: AccountId,
    /// Whose it is.
    owner: String,
    /// What is on it, in minor units.
    balance: i64,
    /// How many events it has had, less one.
    #[schemars(with = "u64")]
    revision: Revision,
}

impl Account {
    pub(crate) fn represent(self, account_id: AccountId) -> Representation {
        let Self { owner, balance, revision } = self;
        Representation { account_id, owner, balance, revision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deposited, id, opened, transferred, withdrawn};

    #[test]
    fn s1_12_an_account_is_what_its_events_leave_and_no_others() {
        let given = anns().and([opened(2), deposited(1, 10), deposited(2, 5), withdrawn(1, 3)]);
        let given = given.and(transferred(1, 2, 4));
        let account =
            |nth| given.document::<Account>(id(nth)).map(|account| (account.balance, account.revision.get()));
        assert_eq!([account(1), account(2), account(3)], [Some((3, 3)), Some((9, 2)), None]);
    }
}
