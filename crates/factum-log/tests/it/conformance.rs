//! The embedded log passes the suite that every store passes.

use factum_event::LogIdentity;
use factum_log::{Log, Options};
use factum_store::{
    Clock, Store,
    conformance::{Subject, assert_conforms},
};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;

/// Logs in directories of their own; a durable one is found again by its identity.
struct Embedded {
    dir: TempDir,
    places: Mutex<HashMap<LogIdentity, PathBuf>>,
    /// Small segments, so that rolling is part of every check.
    segment_bytes: u64,
}

impl Embedded {
    fn new(segment_bytes: u64) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), places: Mutex::default(), segment_bytes }
    }

    fn log(&self, place: PathBuf, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let options = Options { segment_bytes: self.segment_bytes, clock, ..Options::default() };
        let (log, _) = Log::open(&place, options).unwrap();
        self.places.lock().unwrap().insert(log.identity(), place);
        Arc::new(log)
    }
}

impl Subject for Embedded {
    fn name(&self) -> &str {
        "the embedded log"
    }

    fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let number = self.places.lock().unwrap().len();
        self.log(self.dir.path().join(number.to_string()), clock)
    }

    fn reopen(&self, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Option<Arc<dyn Store>> {
        let place = self.places.lock().unwrap()[&store.identity()].clone();
        drop(store);
        Some(self.log(place, clock))
    }
}

#[test]
fn the_embedded_log_conforms() {
    assert_conforms(&Embedded::new(Options::default().segment_bytes));
}

#[test]
fn the_embedded_log_conforms_whatever_its_segments() {
    assert_conforms(&Embedded::new(2048));
}
