//! The statement of a month: what was there when it began, what was true in it, what was there at its end. A month
//! is one of the calendar in UTC, and an event belongs to that in which it was true, whenever it was recorded.
//!
//! Kept of a month are its totals alone, a document for each account and month: an event changes one of them, also
//! if it is late, and the balance at the beginning is added up from those of the earlier months. So nothing that is
//! kept has to be moved when something earlier comes to be known. The entries are rows of [`crate::history`], which
//! say where in the log they stand: they are read up to where the totals hold, so that both are of one moment.

use crate::{AccountId, BankEvent, effective::EFFECTIVE_MIN};
use factum::{QueryItem, Row, StoreError, Uuid, prelude::*};
use factum_http::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most entries that a statement shows; it says how many there are.
pub const ENTRIES_MAX: usize = 10_000;

/// All the months there are: from [`EFFECTIVE_MIN`] to the end of the calendar.
pub(crate) const MONTHS_MAX: usize = (9_999 - 1_900 + 1) * 12;

// ANCHOR: view
/// What an account took in and gave out in a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Whose.
    pub account: AccountId,
    /// When.
    pub month: Month,
    /// What came in, in minor units.
    pub credited: i64,
    /// What went out, in minor units.
    pub debited: i64,
    /// How often something did.
    pub entries: u64,
}

impl View for Statement {
    const NAME: &'static str = "statements";
    const VERSION: u32 = 1;
    // Who was answered that money came in sees it.
    const MODE: Mode = Mode::Wait;
    const INDEXES: &'static [&'static str] = &["account", "month"];
    type Event = Recorded<BankEvent>;
    type Key = (AccountId, Month);

    fn keys(recorded: &Recorded<BankEvent>) -> Vec<(AccountId, Month)> {
        let moved = recorded.event.change().is_some();
        moved.then(|| (recorded.event.account(), recorded.effective_at.month())).into_iter().collect()
    }

    fn start((account, month): &(AccountId, Month)) -> Self {
        Self { account: *account, month: *month, ..Self::default() }
    }

    fn apply(&mut self, _: &(AccountId, Month), recorded: &Recorded<BankEvent>) {
        let change = recorded.event.change().map_or(0, |change| change.amount);
        self.credited = self.credited.saturating_add(change.max(0));
        self.debited = self.debited.saturating_sub(change.min(0));
        self.entries += 1;
    }

    fn indexed(&self) -> Vec<Value> {
        vec![self.account.to_string().into(), self.month.to_string().into()]
    }

    fn found_by((account, _): &(AccountId, Month)) -> Option<QueryItem> {
        Some(QueryItem::default().stream(account.stream()))
    }
}
// ANCHOR_END: view

impl Default for Statement {
    fn default() -> Self {
        let (account, month) = (Uuid::nil().into(), EFFECTIVE_MIN.month());
        Self { account, month, credited: 0, debited: 0, entries: 0 }
    }
}

/// The entries of the account `$1` in the month `$2`, as they stood at the position `$3`, `$4` at most.
pub(crate) const ENTRIES: &str = "
    SELECT id, event_type, revision, effective_at, recorded_at, amount, counterparty, reference
    FROM bank_history
    WHERE account = $1 AND month = $2 AND position <= $3 AND amount IS NOT NULL
    ORDER BY effective_at, position LIMIT $4";

/// The statement of a month, as it is answered. All amounts are in minor units.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Statement")]
pub(crate) struct Representation<'a> {
    /// Whose.
    #[schemars(with = "Uuid")]
    account_id: AccountId,
    /// Of which month, in UTC.
    #[schemars(with = "String", regex(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$"))]
    month: Month,
    /// What was on the account when the month began.
    opening_balance: i64,
    /// What was on the account when it ended, or is now.
    closing_balance: i64,
    /// What came in.
    credited: i64,
    /// What went out.
    debited: i64,
    /// How often something did.
    entry_count: u64,
    /// Each time, in the order in which it was true: the first 10,000.
    entries: Vec<Entry<'a>>,
}

/// What moved money once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatementEntry")]
pub(crate) struct Entry<'a> {
    /// Which event.
    #[schemars(with = "Uuid")]
    id: &'a str,
    /// Its stored name.
    #[serde(rename = "type")]
    event_type: &'a str,
    /// Where it stands in the history of the account.
    revision: i64,
    /// When it was true.
    #[schemars(with = "Time")]
    effective_at: &'a str,
    /// When it was stored.
    #[schemars(with = "Time")]
    recorded_at: &'a str,
    /// What came in, or less than nothing for what went out.
    amount: i64,
    /// The other account, of a transfer.
    #[schemars(with = "Option<Uuid>")]
    counterparty: Option<&'a str>,
    /// What for.
    reference: Option<&'a str>,
}

impl<'a> Representation<'a> {
    /// The statement of `month`, from the totals of `months`, in their order, and the entries in `rows`.
    ///
    /// # Errors
    /// When a row is none of [`ENTRIES`].
    pub(crate) fn of(
        account_id: AccountId,
        month: Month,
        months: &[Statement],
        rows: &'a [Row],
    ) -> Result<Self, StoreError> {
        let opening_balance =
            months.iter().filter(|earlier| earlier.month < month).map(Statement::change).sum::<i64>();
        let this = months.iter().find(|this| this.month == month).cloned().unwrap_or_default();
        Ok(Self {
            account_id,
            month,
            opening_balance,
            closing_balance: opening_balance + this.change(),
            credited: this.credited,
            debited: this.debited,
            entry_count: this.entries,
            entries: rows.iter().map(Entry::of).collect::<Result<_, _>>()?,
        })
    }
}

impl Statement {
    /// What the month did to the balance. No sum of them is near the bound: see [`crate::AMOUNT_MAX`].
    fn change(&self) -> i64 {
        self.credited.saturating_sub(self.debited)
    }
}

impl<'a> Entry<'a> {
    fn of(row: &'a Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.text("id")?,
            event_type: row.text("event_type")?,
            revision: row.integer("revision")?,
            effective_at: row.text("effective_at")?,
            recorded_at: row.text("recorded_at")?,
            amount: row.integer("amount")?,
            counterparty: row.text_or_null("counterparty")?,
            reference: row.text_or_null("reference")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deposited, id, withdrawn};

    #[test]
    fn s1_13_what_comes_late_changes_the_month_in_which_it_was_true_and_no_other() {
        let at = |time: &str| time.parse::<Timestamp>().unwrap();
        let [october, november] = ["2026-10", "2026-11"].map(|month| month.parse::<Month>().unwrap());
        let given = anns().at(at("2026-10-30T12:00:00Z")).and([deposited(1, 10)]);
        let given = given.at(at("2026-11-02T12:00:00Z")).and([withdrawn(1, 3)]);
        let of = |given: &factum::Given, month| {
            let statement = given.document::<Statement>((id(1), month)).unwrap();
            (statement.credited, statement.debited, statement.entries)
        };
        assert_eq!((of(&given, october), of(&given, november)), ((10, 0, 1), (0, 3, 1)));
        let given = given.and([fact(deposited(1, 4)).effective_at(at("2026-10-31T23:59:59.999999Z"))]);
        assert_eq!((of(&given, october), of(&given, november)), ((14, 0, 2), (0, 3, 1)));
        assert_eq!(given.document::<Statement>((id(1), "2026-12".parse().unwrap())), None);
    }
}
