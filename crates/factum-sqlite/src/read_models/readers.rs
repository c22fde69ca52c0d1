//! The connections that a build is read by: as many as read at once, of which a few are kept. There is always
//! one, so that who has a build open can read on in it after its file was taken away.

use super::{connection::Conn, lock, place::Place};
use rusqlite::{Error, ErrorCode};
use std::{
    ops::Deref,
    sync::{Condvar, Mutex, PoisonError},
};

/// So many are kept while nobody reads.
const IDLE_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Readers {
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<Conn>,
}

/// A connection to read by, given back when this is dropped.
pub(super) struct Reading<'a> {
    readers: &'a Readers,
    conn: Option<Conn>,
}

impl Readers {
    /// With one connection.
    pub(super) fn of(place: &Place) -> Result<Self, Error> {
        let first = Conn::reader(&place.file)?;
        // The file may be taken away before the first read.
        super::tables::layout(&first)?;
        Ok(Self { state: Mutex::new(State { idle: vec![first] }), given_back: Condvar::new() })
    }

    /// A connection. Waits for another reader only if the file was taken away.
    pub(super) fn take(&self, place: &Place) -> Result<Reading<'_>, Error> {
        let mut state = lock(&self.state);
        if let Some(conn) = state.idle.pop() {
            return Ok(Reading { readers: self, conn: Some(conn) });
        }
        drop(state);
        let opened = if place.is_there() { Conn::reader(&place.file).map(Some) } else { Ok(None) };
        let opened = match opened {
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::CannotOpen) && !place.is_there() => {
                None
            }
            opened => opened?,
        };
        state = lock(&self.state);
        let conn = match opened {
            Some(conn) => conn,
            None => loop {
                match state.idle.pop() {
                    Some(conn) => break conn,
                    None => {
                        state = self.given_back.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            },
        };
        Ok(Reading { readers: self, conn: Some(conn) })
    }
}

impl Deref for Reading<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // A panic may have left it in the middle of a read.
        let conn = self.conn.take().filter(|conn| conn.roll_back().is_ok());
        let mut state = lock(&self.readers.state);
        if state.idle.len() < IDLE_MAX {
            state.idle.extend(conn);
        }
        drop(state);
        self.readers.given_back.notify_one();
    }
}
