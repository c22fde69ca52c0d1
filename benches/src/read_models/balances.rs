//! What is folded: payments on accounts into their balances.

use factum::{CommandName, CommandPayload, CommandRecord, Condition, Metadata, NewCommit, Outcome};
use factum::{Event as _, prelude::*, store::Append};
use serde::{Deserialize, Serialize};

#[derive(Id)]
pub(super) struct AccountId(u32);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "payments", stream = account)]
pub(super) enum PaymentEvent {
    Paid { account: AccountId, cents: i64, reference: String },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Balance {
    cents: i64,
    payments: u64,
    largest: i64,
    last_reference: String,
}

impl View for Balance {
    const NAME: &'static str = "balance";
    const VERSION: u32 = 1;
    type Event = PaymentEvent;
    type Key = AccountId;

    fn keys(event: &PaymentEvent) -> Vec<AccountId> {
        let PaymentEvent::Paid { account, .. } = event;
        vec![*account]
    }

    fn apply(&mut self, _: &AccountId, event: &PaymentEvent) {
        let PaymentEvent::Paid { cents, reference, .. } = event;
        self.cents += cents;
        self.payments += 1;
        self.largest = self.largest.max(*cents);
        reference.clone_into(&mut self.last_reference);
    }
}

/// The account and the amount of the `number`th payment: spread evenly, and the same in every run.
pub(super) fn payment(number: u64, documents: u32) -> PaymentEvent {
    let mixed =
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let account = u32::try_from((mixed >> 32) % u64::from(documents)).expect("below the number of documents");
    let cents = i64::try_from(mixed % 100_000).expect("below 100 000") - 20_000;
    PaymentEvent::Paid { account: AccountId(account), cents, reference: format!("invoice {number:08}") }
}

/// A commit of these payments.
pub(super) fn commit(id: factum::CommandId, payments: impl Iterator<Item = PaymentEvent>) -> Append {
    let command = CommandRecord {
        id,
        name: CommandName::unchecked("payments.import"),
        payload: CommandPayload::None,
        issued_at: Timestamp::EPOCH,
        metadata: Metadata::default(),
    };
    let events = payments.map(|payment| payment.to_new()).collect();
    Append {
        commit: NewCommit { command, outcome: Outcome::Succeeded, events },
        condition: Condition::none(),
    }
}
