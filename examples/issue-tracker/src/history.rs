//! What happened to each issue, event by event, in a table: read page by page, so that no history is too long.
//!
//! A table, since a page of it is a range of rows, which costs what the page holds and not what came before it. A
//! document for each issue would be read and written whole for one more event, and has a bound; a document for
//! each event could not be listed by two things, its issue and its place in it.

use crate::{IssueEvent, list::issue_of};
use factum::{ErrorKind, Event as _, Id as _, Row, StoreError, Uuid, prelude::*};
use factum_http::Time;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// The read model of the histories.
#[derive(Debug, Clone, Copy)]
pub struct IssueHistory;

impl Projection for IssueHistory {
    const NAME: &'static str = "issue-history";
    const VERSION: u32 = 1;
    type Event = IssueEvent;

    /// An issue is its stream: when an event of it cannot be applied, its later ones wait and other issues go on.
    fn key(recorded: &Recorded<IssueEvent>) -> String {
        recorded.stream.to_string()
    }
}

impl<Db: Sql> SqlProjection<Db> for IssueHistory {
    const SCHEMA: &'static str = "
        create table issue_events (
            issue text not null,
            revision bigint not null,
            id text not null,
            type text not null,
            position bigint not null,
            recorded_at text not null,
            effective_at text not null,
            actor text,
            command_id text not null,
            data text not null,
            primary key (issue, revision)
        )";

    async fn apply(&self, page: &Page<IssueEvent>, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        for recorded in page {
            let event = recorded.event.to_new();
            let data = std::str::from_utf8(&event.payload).map_err(ApplyError::new)?;
            tx.execute(
                "insert into issue_events values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                values![
                    *recorded.event.issue().get(),
                    recorded.revision,
                    recorded.id.to_string(),
                    event.event_type.as_str(),
                    recorded.position,
                    recorded.recorded_at(),
                    recorded.effective_at,
                    recorded.actor(),
                    recorded.command_id().to_string(),
                    data,
                ],
            )
            .await?;
        }
        Ok(())
    }

    async fn forget(&self, key: &str, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        tx.execute("delete from issue_events where issue = $1", values![issue_of(key)?]).await?;
        Ok(())
    }
}

/// The events of the issue `$1`, from the revision `$2` on, `$3` at most.
pub(crate) const PAGE: &str = "
    select id, type, position, revision, recorded_at, effective_at, actor, command_id, data from issue_events
    where issue = $1 and revision >= $2 order by revision limit $3";

/// One event of an issue, as it was recorded.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IssueEventRecord {
    /// Which event.
    #[schemars(with = "Uuid")]
    id: String,
    /// Its stored name.
    #[serde(rename = "type")]
    event_type: String,
    /// Where it stands in the log.
    position: u64,
    /// Where it stands in the history, from 0.
    pub(crate) revision: u64,
    /// When it was stored.
    #[schemars(with = "Time")]
    recorded_at: String,
    /// When it was asked for.
    #[schemars(with = "Time")]
    effective_at: String,
    /// Who asked for it.
    actor: Option<String>,
    /// The command that asked for it: several events may come from one.
    #[schemars(with = "Uuid")]
    command_id: String,
    /// What happened.
    data: Json,
}

impl IssueEventRecord {
    /// The event in a row of [`PAGE`].
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column: &str| row.text(column).map(str::to_owned);
        let odd = |column: &str| {
            let what = format!("read the column `{column}` of an event: rebuild `{}`", IssueHistory::NAME);
            StoreError::new(ErrorKind::RepairData, what)
        };
        let number = |column: &str| u64::try_from(row.integer(column)?).map_err(|_| odd(column));
        Ok(Self {
            id: text("id")?,
            event_type: text("type")?,
            position: number("position")?,
            revision: number("revision")?,
            recorded_at: text("recorded_at")?,
            effective_at: text("effective_at")?,
            actor: row.text_or_null("actor")?.map(str::to_owned),
            command_id: text("command_id")?,
            data: serde_json::from_str(row.text("data")?).map_err(|_| odd("data"))?,
        })
    }
}
