//! The same writes by hand: the documents of each page as the view left them, one transaction a page, with the
//! checkpoint. What is written is made beforehand, so that only writing is measured.

use super::{
    Options,
    balances::{AccountId, Balance, payment},
};
use crate::{Failure, machine};
use factum::{ProjectionBounds, View};
use rusqlite::{Connection, params};
use std::{collections::BTreeMap, path::Path};

/// A page's documents: key, body, the last event in it.
type Page = Vec<(String, Vec<u8>, i64)>;

/// What a view writes, page by page.
pub(super) fn pages(options: &Options) -> Result<Vec<Page>, Failure> {
    let mut balances: BTreeMap<String, Balance> = BTreeMap::new();
    let mut pages = Vec::new();
    let ProjectionBounds { page_events, ahead_pages, .. } = ProjectionBounds::default();
    let events_per_transaction = u64::try_from(page_events * ahead_pages)?;
    let mut position = 0;
    while position < options.events {
        let mut touched: BTreeMap<String, i64> = BTreeMap::new();
        for _ in 0..events_per_transaction.min(options.events - position) {
            let event = payment(position, options.documents);
            position += 1;
            let key: AccountId = Balance::keys(&event).remove(0);
            balances.entry(key.to_string()).or_default().apply(&key, &event);
            touched.insert(key.to_string(), i64::try_from(position)?);
        }
        let page: Result<Page, Failure> = touched
            .into_iter()
            .map(|(key, at)| {
                let body = serde_json::to_vec(&balances[&key])?;
                Ok((key, body, at))
            })
            .collect();
        pages.push(page?);
    }
    Ok(pages)
}

/// Writes them, and tells how many nanoseconds that took.
pub(super) fn write(file: &Path, pages: &[Page]) -> Result<u64, Failure> {
    let mut connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.execute_batch(
        "create table documents (key text primary key, body blob not null, changed_at integer not null) strict;
         create table checkpoint (position integer not null, fence integer not null) strict;
         insert into checkpoint values (0, 1);",
    )?;
    let began = machine::now();
    let mut position = 0_i64;
    for page in pages {
        let tx = connection.transaction()?;
        {
            let mut put = tx.prepare_cached(
                "insert into documents values (?1, ?2, ?3)
                 on conflict (key) do update set body = excluded.body, changed_at = excluded.changed_at",
            )?;
            for (key, body, at) in page {
                put.execute(params![key, body, at])?;
                position = position.max(*at);
            }
            let mut checkpoint = tx.prepare_cached("update checkpoint set position = ?1 where fence = 1")?;
            checkpoint.execute([position])?;
        }
        tx.commit()?;
    }
    Ok(machine::now() - began)
}
