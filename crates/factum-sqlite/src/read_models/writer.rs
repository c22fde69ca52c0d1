//! The one connection that a build is written by. Who takes it has it alone; others wait, in order.

use super::{connection::Conn, lock, place::Place};
use crate::database::BUSY;
use factum_store::{ErrorKind, StoreError};
use futures_channel::oneshot;
use rusqlite::ErrorCode;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

/// So many wait for the connection at the most; a further one is refused.
const WAITING_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Writer {
    place: Arc<Place>,
    slot: Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    taken: bool,
    /// Opened by who takes it, if there is none.
    idle: Option<Conn>,
    waiting: VecDeque<oneshot::Sender<Writing>>,
}

/// The connection, given back when this is dropped; what was not committed by then is not kept.
#[derive(Debug)]
pub(super) struct Writing {
    conn: Option<Conn>,
    /// None: it was given back already.
    writer: Option<Arc<Writer>>,
}

impl Writer {
    pub(super) fn of(place: Arc<Place>, conn: Conn) -> Arc<Self> {
        let slot = Slot { idle: Some(conn), ..Slot::default() };
        Arc::new(Self { place, slot: Mutex::new(slot) })
    }

    /// The connection, once nobody else has it.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Writing, StoreError> {
        let waiting = {
            let mut slot = lock(&self.slot);
            if !slot.taken {
                slot.taken = true;
                return Ok(Writing { conn: slot.idle.take(), writer: Some(Arc::clone(self)) });
            }
            slot.waiting.retain(|waiting| !waiting.is_canceled());
            if slot.waiting.len() == WAITING_MAX {
                let what = format!("write build {}: {WAITING_MAX} others wait to do so", self.place.build);
                return Err(StoreError::new(ErrorKind::Retry, what));
            }
            let (give, given) = oneshot::channel();
            slot.waiting.push_back(give);
            given
        };
        waiting.await.map_err(|_| {
            let what = format!("write build {}: the connection was not given back", self.place.build);
            StoreError::new(ErrorKind::ReportBug, what)
        })
    }

    fn give_back(self: &Arc<Self>, mut conn: Option<Conn>) {
        loop {
            let next = {
                let mut slot = lock(&self.slot);
                match slot.waiting.pop_front() {
                    Some(next) => next,
                    None => {
                        slot.taken = false;
                        slot.idle = conn;
                        return;
                    }
                }
            };
            let Err(mut refused) = next.send(Writing { conn, writer: Some(Arc::clone(self)) }) else {
                return;
            };
            // Given to the next one here, not by its drop.
            refused.writer = None;
            conn = refused.conn.take();
        }
    }
}

impl Writing {
    /// Begins to write; false if another process does at the moment, and still did after so long.
    pub(super) fn begin(&mut self, wait: Duration) -> Result<bool, StoreError> {
        let writer = self.writer.as_ref().expect("it is given back when it is dropped");
        let place = &writer.place;
        place.check()?;
        let failed = |cause: rusqlite::Error| place.about().failed("write", &cause);
        let conn = match &mut self.conn {
            Some(conn) => conn,
            none => none.insert(Conn::writer(&place.file, place.synchronous, false).map_err(failed)?),
        };
        match conn.begin(wait) {
            Ok(()) => Ok(true),
            Err(cause) if wait < BUSY && cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                Ok(false)
            }
            Err(cause) => Err(failed(cause)),
        }
    }

    /// The connection, in the transaction that was begun. Refused when a failure ended that: what followed
    /// would be kept at once.
    pub(super) fn conn(&self) -> Result<&Conn, StoreError> {
        match (&self.conn, &self.writer) {
            (Some(conn), Some(_)) if conn.is_writing() => Ok(conn),
            (_, writer) => {
                let build = writer.as_ref().map(|writer| writer.place.build.to_string()).unwrap_or_default();
                let what = format!(
                    "write build {build}: a failure has ended the transaction, nothing of it is kept: begin again"
                );
                Err(StoreError::new(ErrorKind::Retry, what))
            }
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(writer) = self.writer.take() else { return };
        let mut conn = self.conn.take();
        if let Some(had) = &conn
            && let Err(cause) = had.roll_back()
        {
            tracing::warn!(%cause, build = %writer.place.build, "a connection is closed and opened again");
            conn = None;
        }
        writer.give_back(conn);
    }
}
