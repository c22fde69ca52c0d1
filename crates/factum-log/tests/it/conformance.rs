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
    background: bool,
}

impl Embedded {
    fn new(segment_bytes: u64, background: bool) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), places: Mutex::default(), segment_bytes, background }
    }

    /// How many index files there are, and how many of them are of several segments.
    fn index_files(&self) -> (usize, usize) {
        let places = self.places.lock().unwrap();
        let files = places.values().map(|place| factum_log::verify(place).unwrap());
        let files: Vec<_> = files.map(|log| (log.index_files, log.segments)).collect();
        let made = files.iter().map(|(files, _)| *files as usize).sum();
        (made, files.iter().filter(|(files, segments)| *files > 0 && files + 1 < *segments).count())
    }

    fn log(&self, place: PathBuf, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let Self { segment_bytes, background, .. } = *self;
        let options = Options { segment_bytes, background, clock, ..Options::default() };
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
    assert_conforms(&Embedded::new(Options::default().segment_bytes, true));
}

#[test]
fn the_embedded_log_conforms_where_segments_are_sealed_and_merged_between_appends() {
    let embedded = Embedded::new(1000, false);
    assert_conforms(&embedded);
    let (files, merged) = embedded.index_files();
    assert!(files > 20 && merged > 5, "{files} index files, merged in {merged} logs");
}

#[test]
fn the_embedded_log_conforms_where_segments_are_sealed_and_merged_beside_appends() {
    assert_conforms(&Embedded::new(1000, true));
}
