//! Whether somebody still waits for what is read: a query that nobody waits for any more is ended, so that it does
//! not keep a thread from others.

use super::{connection::Conn, lock};
use factum_store::{ErrorKind, StoreError};
use rusqlite::InterruptHandle;
use std::{
    fmt,
    sync::{Arc, Mutex},
};

#[derive(Default)]
enum State {
    #[default]
    Waits,
    Reads(InterruptHandle),
    Left,
}

/// Held by who waits; ends the query when it is dropped.
#[derive(Default)]
pub(super) struct Asking(Arc<Mutex<State>>);

/// Held by who reads.
pub(super) struct Asked(Arc<Mutex<State>>);

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asked")
    }
}

impl Asking {
    pub(super) fn asked(&self) -> Asked {
        Asked(Arc::clone(&self.0))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        if let State::Reads(running) = &*state {
            running.interrupt();
        }
        *state = State::Left;
    }
}

impl Asked {
    /// Reads with this connection for as long as somebody waits for it.
    pub(super) fn reading<T>(
        &self,
        conn: &Conn,
        read: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        {
            let mut state = lock(&self.0);
            if matches!(*state, State::Left) {
                return Err(StoreError::new(ErrorKind::Retry, "read a model: nobody waits for it any more"));
            }
            *state = State::Reads(conn.interrupt_handle());
        }
        let read = read();
        // The connection is another's from here on.
        let mut state = lock(&self.0);
        if let State::Reads(_) = *state {
            *state = State::Waits;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::{super::connection::Synchronous, *};

    #[test]
    fn what_nobody_waits_for_is_not_begun() {
        let dir = tempfile::tempdir().unwrap();
        let conn = Conn::writer(&dir.path().join("a.sqlite"), Synchronous::Off, true).unwrap();
        let asking = Asking::default();
        let asked = asking.asked();
        assert_eq!(asked.reading(&conn, || Ok(1)), Ok(1));
        drop(asking);
        let read = asked.reading(&conn, || -> Result<u8, _> { panic!("it was begun") });
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Retry);
    }
}
