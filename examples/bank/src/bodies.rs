//! The bodies of commands, as their senders write them.

use crate::{AccountId, Amount, Owner, Reference};
use factum::{Timestamp, Uuid};
use factum_http::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account to open.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAccount", example = Self::example())]
pub(crate) struct NewAccount {
    /// Whose it is.
    pub(crate) owner: Owner,
    /// Since when, not after now; when it is recorded if nothing is said.
    #[schemars(with = "Option<Time>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effective_at: Option<Timestamp>,
}

/// Money that goes into an account, or out of it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Movement", example = Self::example())]
pub(crate) struct Movement {
    /// How much, in minor units.
    pub(crate) amount: Amount,
    /// Since when, not after now; when it is recorded if nothing is said.
    #[schemars(with = "Option<Time>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effective_at: Option<Timestamp>,
    /// What for: at most 255 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<Reference>,
}

/// Money that goes from one account to another.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTransfer", example = Self::example())]
pub(crate) struct NewTransfer {
    /// Where it comes from.
    #[schemars(with = "Uuid")]
    pub(crate) from: AccountId,
    /// Where it goes: another account.
    #[schemars(with = "Uuid")]
    pub(crate) to: AccountId,
    /// How much, in minor units.
    pub(crate) amount: Amount,
}

impl NewAccount {
    fn example() -> Self {
        Self { owner: "Ann Archer".to_owned().try_into().expect("it is plain"), effective_at: None }
    }
}

impl Movement {
    fn example() -> Self {
        let reference = "rent, November".to_owned().try_into().expect("it is short");
        Self { amount: example_amount(), effective_at: None, reference: Some(reference) }
    }
}

impl NewTransfer {
    fn example() -> Self {
        let account = |nth| Uuid::from_u128(nth).into();
        Self { from: account(1), to: account(2), amount: example_amount() }
    }
}

fn example_amount() -> Amount {
    Amount::new(1_000).expect("it is within the bounds")
}
