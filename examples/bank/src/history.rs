//! What happened, one row for each event: read page by page for the history of an account, and by the month in
//! which it was true for a statement. Tables, since both are ranges that grow without end: a document for each
//! would be written whole again with every event.

use crate::BankEvent;
use factum::{ErrorKind, Event as _, Row, StoreError, Uuid, prelude::*};
use factum_http::Time;
use schemars::JsonSchema;
use serde::Serialize;

/// The events of all accounts, in a table.
#[derive(Debug)]
pub struct History;

// ANCHOR: projection
impl Projection for History {
    const NAME: &'static str = "history";
    const VERSION: u32 = 1;
    // Who was answered that money came in sees it.
    const MODE: Mode = Mode::Wait;
    type Event = BankEvent;

    fn key(recorded: &Recorded<BankEvent>) -> String {
        recorded.event.account().to_string()
    }
}

impl<Db: Sql> SqlProjection<Db> for History {
    const SCHEMA: &'static str = "
        CREATE TABLE bank_history (
            account TEXT NOT NULL, revision BIGINT NOT NULL, position BIGINT NOT NULL, id TEXT NOT NULL,
            event_type TEXT NOT NULL, recorded_at TEXT NOT NULL, effective_at TEXT NOT NULL,
            month TEXT NOT NULL, actor TEXT, command_id TEXT NOT NULL, data TEXT NOT NULL,
            amount BIGINT, counterparty TEXT, reference TEXT,
            PRIMARY KEY (account, revision)
        );
        CREATE INDEX bank_history_months ON bank_history (account, month, effective_at, position)";

    async fn apply(&self, page: &Page<BankEvent>, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        for recorded in page {
            let stored = recorded.event.to_new();
            let data = std::str::from_utf8(&stored.payload).map_err(ApplyError::new)?;
            let change = recorded.event.change();
            let other = change.and_then(|change| change.counterparty).map(|account| account.to_string());
            let reference = change.and_then(|change| change.reference);
            let row = values![
                recorded.event.account().to_string(),
                recorded.revision,
                recorded.position,
                recorded.id.to_string(),
                stored.event_type.to_string(),
                recorded.recorded_at(),
                recorded.effective_at,
                recorded.effective_at.month().to_string(),
                recorded.actor(),
                recorded.command_id().to_string(),
                data,
                change.map(|change| change.amount),
                other,
                reference,
            ];
            tx.execute(
                "INSERT INTO bank_history VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                row,
            )
            .await?;
        }
        Ok(())
    }

    async fn forget(&self, account: &str, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        tx.execute("DELETE FROM bank_history WHERE account = $1", values![account]).await?;
        Ok(())
    }
}
// ANCHOR_END: projection

/// A page of the history of an account: `$1`, from the revision `$2` on, `$3` at most.
pub(crate) const PAGE: &str = "
    SELECT id, event_type, position, revision, recorded_at, effective_at, actor, command_id, data
    FROM bank_history WHERE account = $1 AND revision >= $2 ORDER BY revision LIMIT $3";

/// One event of an account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HistoryEntry")]
pub(crate) struct Entry<'a> {
    /// Which event.
    #[schemars(with = "Uuid")]
    id: &'a str,
    /// Its stored name.
    #[serde(rename = "type")]
    event_type: &'a str,
    /// Where it stands among all events.
    position: i64,
    /// Where it stands among those of the account, from 0.
    pub(crate) revision: i64,
    /// When it was stored.
    #[schemars(with = "Time")]
    recorded_at: &'a str,
    /// When it was true.
    #[schemars(with = "Time")]
    effective_at: &'a str,
    /// Who asked for it.
    actor: Option<&'a str>,
    /// The command that asked for it: several events may come from one.
    #[schemars(with = "Uuid")]
    command_id: &'a str,
    /// What it says, as it is stored.
    data: serde_json::Value,
}

impl<'a> Entry<'a> {
    /// # Errors
    /// When the row is none of [`PAGE`].
    pub(crate) fn of(row: &'a Row) -> Result<Self, StoreError> {
        let data = row.text("data")?;
        Ok(Self {
            id: row.text("id")?,
            event_type: row.text("event_type")?,
            position: row.integer("position")?,
            revision: row.integer("revision")?,
            recorded_at: row.text("recorded_at")?,
            effective_at: row.text("effective_at")?,
            actor: row.text_or_null("actor")?,
            command_id: row.text("command_id")?,
            data: serde_json::from_str(data).map_err(|cause| {
                let what = format!("read the column `data` of {} as JSON: {cause}", History::NAME);
                StoreError::new(ErrorKind::RepairData, what)
            })?,
        })
    }
}
