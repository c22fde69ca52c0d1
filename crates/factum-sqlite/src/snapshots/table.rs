//! The table of snapshots: every statement about it stands here.

use crate::database::Layout;
use factum_event::{EventId, Position};
use factum_store::{SnapshotKey, StoredSnapshot};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use uuid::Uuid;

/// Numbers that may use all 64 bits are stored as the signed number of the same bits; versions are below 2^32.
pub(super) const LAYOUT: Layout = Layout {
    number: 1,
    schema: "create table snapshots (
        log blob not null,
        model text not null,
        scope text not null,
        generation integer not null,
        version integer not null,
        shape integer not null,
        event blob not null,
        position integer not null,
        events integer not null,
        state blob not null,
        checksum integer not null,
        primary key (log, model, scope)
    ) strict;",
};

const GET: &str = "select generation, version, shape, event, position, events, state, checksum
    from snapshots where log = ?1 and model = ?2 and scope = ?3";

/// The last clause is `StoredSnapshot::comes_too_soon_after`, turned round.
const PUT: &str = "insert into snapshots values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    on conflict (log, model, scope) do update set
        generation = excluded.generation, version = excluded.version, shape = excluded.shape,
        event = excluded.event, position = excluded.position, events = excluded.events,
        state = excluded.state, checksum = excluded.checksum
    where generation <> excluded.generation or version <> excluded.version or shape <> excluded.shape
        or excluded.events >= events + ?12";

const FORGET: &str = "delete from snapshots where log = ?1 and model = ?2 and scope = ?3";

pub(super) fn get(
    connection: &Connection,
    key: &SnapshotKey,
) -> Result<Option<StoredSnapshot>, rusqlite::Error> {
    let mut get = connection.prepare_cached(GET)?;
    get.query_row(params![key.log.get().as_bytes(), &*key.model, &*key.scope], snapshot).optional()
}

fn snapshot(row: &Row<'_>) -> Result<StoredSnapshot, rusqlite::Error> {
    let event: Vec<u8> = row.get(3)?;
    let event = Uuid::from_slice(&event)
        .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(3, Type::Blob, Box::new(cause)))?;
    let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(StoredSnapshot {
        generation: row.get(0)?,
        version: row.get(1)?,
        shape: number(2)?,
        event: EventId::new(event),
        position: Position::new(number(4)?),
        events: number(5)?,
        state: row.get::<_, Vec<u8>>(6)?.into(),
        checksum: number(7)?,
    })
}

pub(super) fn put(
    connection: &Connection,
    key: &SnapshotKey,
    snapshot: &StoredSnapshot,
    every: u64,
) -> Result<(), rusqlite::Error> {
    let mut put = connection.prepare_cached(PUT)?;
    put.execute(params![
        key.log.get().as_bytes(),
        &*key.model,
        &*key.scope,
        snapshot.generation,
        snapshot.version,
        snapshot.shape.cast_signed(),
        snapshot.event.get().as_bytes(),
        snapshot.position.get().cast_signed(),
        snapshot.events.cast_signed(),
        &*snapshot.state,
        snapshot.checksum.cast_signed(),
        every.cast_signed(),
    ])?;
    Ok(())
}

pub(super) fn forget(connection: &Connection, key: &SnapshotKey) -> Result<(), rusqlite::Error> {
    let mut forget = connection.prepare_cached(FORGET)?;
    forget.execute(params![key.log.get().as_bytes(), &*key.model, &*key.scope])?;
    Ok(())
}
