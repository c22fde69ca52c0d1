//! The bookkeeping tables of a build: every statement about them stands here, but the listing of documents.

use super::{
    connection::{Conn, OURS},
    statement::{Bound, given},
};
use bytes::Bytes;
use factum_event::{LogId, LogIdentity, Position, Timestamp, Value};
use factum_store::{
    Checkpoint, Tables,
    read_models::{Body, Claim, Document, Parked, ParkedQuery},
};
use rusqlite::{Error, Row, ToSql, params, types::Type};
use std::sync::Arc;
use uuid::Uuid;

/// Which tables a file has: a file of another number is refused.
pub(super) const LAYOUT: i64 = 1;

/// Numbers that may use all 64 bits are stored as the signed number of the same bits.
const SCHEMA: &str = "
    create table factum_made_for (
        one integer primary key check (one = 1), kind text not null, detail text not null
    ) strict;
    create table factum_indexes (number integer primary key, name text not null) strict;
    create table factum_checkpoint (
        one integer primary key check (one = 1), log blob, generation integer, position integer,
        fence integer not null
    ) strict;
    insert into factum_checkpoint (one, fence) values (1, 0);
    create table factum_parked (
        position integer not null, key text not null, cause text, attempts integer not null, at integer not null,
        primary key (position, key)
    ) strict, without rowid;
    create index factum_parked_by_key on factum_parked (key, position);";

/// What a build was made for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MadeFor {
    kind: String,
    detail: String,
    indexes: Vec<String>,
}

impl MadeFor {
    pub(super) fn of(tables: &Tables) -> Self {
        let (kind, detail, indexes) = match tables {
            Tables::Documents { indexes, form } => ("documents", form.as_str(), *indexes),
            Tables::Sql { schema } => ("sql", *schema, [].as_slice()),
        };
        let indexes = indexes.iter().map(|&name| name.to_owned()).collect();
        Self { kind: kind.to_owned(), detail: detail.to_owned(), indexes }
    }

    /// How many indexes documents have.
    pub(super) fn indexes(&self) -> usize {
        self.indexes.len()
    }
}

/// The number of the layout; none of a file without tables.
pub(super) fn layout(conn: &Conn) -> Result<Option<i64>, Error> {
    let of_file =
        "/*factum*/ select user_version, (select count(*) from sqlite_schema) from pragma_user_version";
    conn.ours(of_file)?.query_row([], |row| {
        let (number, tables): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((number != 0 || tables != 0).then_some(number))
    })
}

/// Makes our tables, in a transaction that is under way.
pub(super) fn make(conn: &Conn, made_for: &MadeFor) -> Result<(), Error> {
    conn.batch(SCHEMA)?;
    let columns: String = (0..made_for.indexes()).map(|number| format!(", i{number} any")).collect();
    conn.batch(&format!(
        "create table factum_documents (
            key text primary key not null, body blob not null, changed_at integer not null{columns}
        ) strict"
    ))?;
    for (number, name) in made_for.indexes.iter().enumerate() {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        conn.ours("/*factum*/ insert into factum_indexes values (?1, ?2)")?.execute(params![number, name])?;
        conn.batch(&format!(
            "create index factum_documents_by_{number} on factum_documents (i{number}, key)"
        ))?;
    }
    conn.ours("/*factum*/ insert into factum_made_for values (1, ?1, ?2)")?
        .execute(params![made_for.kind, made_for.detail])?;
    conn.batch(&format!("pragma user_version = {LAYOUT}"))
}

pub(super) fn made_for(conn: &Conn) -> Result<MadeFor, Error> {
    let mut names = conn.ours("/*factum*/ select name from factum_indexes order by number")?;
    let indexes = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    conn.ours("/*factum*/ select kind, detail from factum_made_for")?
        .query_row([], |row| Ok(MadeFor { kind: row.get(0)?, detail: row.get(1)?, indexes }))
}

/// Raises the fence, in a transaction that is under way.
pub(super) fn claim(conn: &Conn) -> Result<Claim, Error> {
    conn.ours("/*factum*/ update factum_checkpoint set fence = fence + 1")?.execute([])?;
    Ok(Claim { fence: fence(conn)?, checkpoint: checkpoint(conn)? })
}

pub(super) fn fence(conn: &Conn) -> Result<u64, Error> {
    conn.ours("/*factum*/ select fence from factum_checkpoint")?
        .query_row([], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))
}

pub(super) fn checkpoint(conn: &Conn) -> Result<Option<Checkpoint>, Error> {
    conn.ours("/*factum*/ select log, generation, position from factum_checkpoint")?
        .query_row([], |row| checkpoint_in(row, 0))
}

/// The checkpoint that stands from this column on.
fn checkpoint_in(row: &Row<'_>, column: usize) -> Result<Option<Checkpoint>, Error> {
    let Some(log) = row.get::<_, Option<Vec<u8>>>(column)? else { return Ok(None) };
    let log = Uuid::from_slice(&log)
        .map_err(|cause| Error::FromSqlConversionFailure(column, Type::Blob, Box::new(cause)))?;
    Ok(Some(Checkpoint {
        log: LogIdentity { log: LogId::new(log), generation: row.get(column + 1)? },
        position: position_in(row, column + 2)?,
    }))
}

fn position_in(row: &Row<'_>, column: usize) -> Result<Position, Error> {
    Ok(Position::new(row.get::<_, i64>(column)?.cast_unsigned()))
}

/// Whether the fence is still this one; if so, the checkpoint is set.
pub(super) fn set_checkpoint(conn: &Conn, fence: u64, checkpoint: Option<Checkpoint>) -> Result<bool, Error> {
    let changed = match checkpoint {
        Some(Checkpoint { log, position }) => conn
            .ours("/*factum*/ update factum_checkpoint set log = ?1, generation = ?2, position = ?3 where fence = ?4")?
            .execute(params![
                log.log.get().as_bytes(),
                log.generation,
                position.get().cast_signed(),
                fence.cast_signed()
            ])?,
        None => return Ok(self::fence(conn)? == fence),
    };
    Ok(changed == 1)
}

/// The statements about documents, which name the columns of the indexes.
#[derive(Debug)]
pub(super) struct Documents {
    pub(super) indexes: usize,
    /// The columns that [`document_in`] reads.
    pub(super) columns: String,
    get: String,
    put: String,
}

impl Documents {
    pub(super) fn with(indexes: usize) -> Self {
        let names =
            |before: &str| -> String { (0..indexes).map(|number| format!(", {before}i{number}")).collect() };
        let parameters: String = (0..indexes).map(|number| format!(", ?{}", number + 4)).collect();
        let set: String = (0..indexes).map(|number| format!(", i{number} = excluded.i{number}")).collect();
        let columns = format!("d.key, d.body, d.changed_at{}", names("d."));
        let get = format!(
            "{OURS} select {columns}, c.log, c.generation, c.position
             from factum_checkpoint c left join factum_documents d on d.key = ?1"
        );
        let put = format!(
            "{OURS} insert into factum_documents (key, body, changed_at{}) values (?1, ?2, ?3{parameters})
             on conflict (key) do update set body = excluded.body, changed_at = excluded.changed_at{set}",
            names("")
        );
        Self { indexes, columns, get, put }
    }

    pub(super) fn get(
        &self,
        conn: &Conn,
        key: &str,
    ) -> Result<(Option<Document>, Option<Checkpoint>), Error> {
        conn.ours(&self.get)?.query_row([key], |row| {
            let found = row.get_ref(0)? != rusqlite::types::ValueRef::Null;
            let document = if found { Some(self.document_in(row)?) } else { None };
            Ok((document, checkpoint_in(row, 3 + self.indexes)?))
        })
    }

    pub(super) fn document_in(&self, row: &Row<'_>) -> Result<Document, Error> {
        let indexed = (3..3 + self.indexes).map(|column| {
            given(row.get_ref(column)?)
                .map_err(|cause| Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause)))
        });
        Ok(Document {
            key: row.get_ref(0)?.as_str()?.into(),
            body: Body::Stored(Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?)),
            changed_at: position_in(row, 2)?,
            indexed: indexed.collect::<Result<_, Error>>()?,
        })
    }

    /// What puts documents, to put many with it.
    pub(super) fn putting<'a>(
        &self,
        conn: &'a Conn,
    ) -> Result<impl FnMut(&Document, &[u8]) -> Result<(), Error> + 'a, Error> {
        let mut put = conn.ours(&self.put)?;
        Ok(move |document: &Document, body: &[u8]| {
            put.raw_bind_parameter(1, &*document.key)?;
            put.raw_bind_parameter(2, body)?;
            put.raw_bind_parameter(3, document.changed_at.get().cast_signed())?;
            for (number, value) in document.indexed.iter().enumerate() {
                put.raw_bind_parameter(number + 4, Bound(value))?;
            }
            put.raw_execute().map(drop)
        })
    }
}

pub(super) fn remove<'a>(conn: &Conn, keys: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let mut remove = conn.ours("/*factum*/ delete from factum_documents where key = ?1")?;
    for key in keys {
        remove.execute([key])?;
    }
    Ok(())
}

pub(super) fn park(conn: &Conn, parked: &[Parked]) -> Result<(), Error> {
    let mut park =
        conn.ours("/*factum*/ insert or replace into factum_parked values (?1, ?2, ?3, ?4, ?5)")?;
    for parked in parked {
        park.execute(params![
            parked.position.get().cast_signed(),
            &*parked.key,
            parked.cause,
            parked.attempts,
            parked.at.as_micros()
        ])?;
    }
    Ok(())
}

pub(super) fn unpark(conn: &Conn, position: Position, key: &str) -> Result<(), Error> {
    conn.ours("/*factum*/ delete from factum_parked where position = ?1 and key = ?2")?
        .execute(params![position.get().cast_signed(), key])
        .map(drop)
}

pub(super) fn parked(conn: &Conn, query: &ParkedQuery) -> Result<Vec<Parked>, Error> {
    let mut sql =
        "/*factum*/ select position, key, cause, attempts, at from factum_parked where true".to_owned();
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    if let Some(key) = &query.key {
        sql.push_str(" and key = ?");
        values.push(Box::new(key.to_string()));
    }
    if query.failed_only {
        sql.push_str(" and cause is not null");
    }
    if let Some((position, key)) = &query.after {
        sql.push_str(" and (position, key) > (?, ?)");
        values.push(Box::new(position.get().cast_signed()));
        values.push(Box::new(key.to_string()));
    }
    sql.push_str(" order by position, key limit ?");
    values.push(Box::new(limit(query.limit)));
    let mut select = conn.ours(&sql)?;
    let found = select.query_map(rusqlite::params_from_iter(values), |row| {
        Ok(Parked {
            position: position_in(row, 0)?,
            key: row.get_ref(1)?.as_str()?.into(),
            cause: row.get(2)?,
            attempts: row.get(3)?,
            at: Timestamp::from_micros(row.get(4)?),
        })
    })?;
    found.collect()
}

pub(super) fn parked_counts(conn: &Conn) -> Result<(u64, u64), Error> {
    conn.ours("/*factum*/ select count(cause), count(*) - count(cause) from factum_parked")?
        .query_row([], |row| {
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned()))
        })
}

pub(super) fn parked_keys(conn: &Conn, most: usize) -> Result<Vec<Arc<str>>, Error> {
    let mut select = conn.ours("/*factum*/ select distinct key from factum_parked order by key limit ?1")?;
    let found = select.query_map([limit(most)], |row| Ok(row.get_ref(0)?.as_str()?.into()))?;
    found.collect()
}

/// A limit as SQLite takes it.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Whether SQLite cannot keep this value as it is.
pub(super) fn is_no_number(value: &Value) -> bool {
    matches!(value, Value::Real(number) if number.is_nan())
}
