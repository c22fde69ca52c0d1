//! Stores that each break one promise by one fault, as stores do: a check outside the lock, an index
//! behind the log, a bound off by one. No other code is meant to use them: they prove that the suite can fail.

mod distort;
mod engine;
mod fault;
mod judge;
mod matching;
mod reading;
mod state;
mod table;

use crate::{
    Clock, Store,
    conformance::{Promise, Subject},
};
use engine::{Disk, Engine};
use factum_event::LogIdentity;
use fault::Fault;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use table::ALL;

/// A store with one fault.
#[derive(Debug)]
pub struct Broken {
    /// What to call it.
    pub name: &'static str,
    /// The promise it breaks.
    pub breaks: Promise,
    /// What is wrong with it.
    pub fault: &'static str,
    switch: Fault,
}

impl Broken {
    /// The suite's view of it.
    pub fn subject(&self) -> impl Subject + use<> {
        Engines { name: self.name, fault: Some(self.switch), disks: Mutex::default() }
    }
}

/// The engine of the broken stores without a fault: it keeps every promise.
pub fn sound() -> impl Subject {
    Engines { name: "sound engine", fault: None, disks: Mutex::default() }
}

struct Engines {
    name: &'static str,
    fault: Option<Fault>,
    disks: Mutex<HashMap<LogIdentity, Arc<Disk>>>,
}

impl Engines {
    fn start(&self, disk: Arc<Disk>, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let engine = Engine::start(self.fault, Arc::clone(&disk), clock);
        let mut disks = self.disks.lock().unwrap_or_else(PoisonError::into_inner);
        disks.insert(engine.identity(), disk);
        Arc::new(engine)
    }
}

impl Subject for Engines {
    fn name(&self) -> &str {
        self.name
    }

    fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        self.start(Arc::default(), clock)
    }

    fn reopen(&self, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Option<Arc<dyn Store>> {
        let disks = self.disks.lock().unwrap_or_else(PoisonError::into_inner);
        let disk = Arc::clone(disks.get(&store.identity())?);
        drop((disks, store));
        Some(self.start(disk, clock))
    }

    fn patience(&self) -> Duration {
        match self.fault {
            Some(_) => Duration::from_millis(400),
            None => Duration::from_secs(10),
        }
    }
}
