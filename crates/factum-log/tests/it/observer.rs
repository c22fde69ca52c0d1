//! Who observes a log hears what was stored, in how many groups, and what it took.

use crate::{
    sim::{Fault, Operation, Sim},
    support::{options, simple},
};
use factum_log::{Log, Options};
use factum_store::{AppendObserver, GroupMeasure, Monotonic};
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Its stopwatch goes on by one millisecond whenever it is read.
#[derive(Debug, Default)]
struct Heard {
    read: AtomicU64,
    groups: Mutex<Vec<GroupMeasure>>,
    appends: Mutex<Vec<Duration>>,
    warnings: Mutex<Vec<String>>,
    maintained: Mutex<Vec<Option<String>>>,
}

impl Monotonic for Heard {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.read.fetch_add(1, Ordering::SeqCst))
    }
}

impl AppendObserver for Heard {
    fn appended(&self, took: Duration) {
        self.appends.lock().unwrap().push(took);
    }

    fn group(&self, group: &GroupMeasure) {
        self.groups.lock().unwrap().push(*group);
    }

    fn warned(&self, what: &str) {
        self.warnings.lock().unwrap().push(what.to_owned());
    }

    fn maintained(&self, trouble: Option<&str>) {
        self.maintained.lock().unwrap().push(trouble.map(str::to_owned));
    }
}

fn observed(sim: &Sim, group_commits: usize) -> (Log, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let options = Options { observer: Some(heard.clone()), group_commits, ..options(1) };
    (Log::open_on(sim.storage(), options).unwrap().0, heard)
}

#[test]
fn an_observer_hears_of_every_group_and_every_append() {
    let sim = Sim::default();
    let (log, heard) = observed(&sim, 2);
    let verdicts = log.append(vec![simple(1), simple(2), simple(3)]);
    assert!(verdicts.iter().all(Result::is_ok));
    let groups = heard.groups.lock().unwrap().clone();
    assert_eq!(groups.iter().map(|group| group.commits).collect::<Vec<_>>(), [2, 1]);
    assert!(groups[0].bytes > groups[1].bytes && groups[1].bytes > 0, "{groups:?}");
    let millisecond = Duration::from_millis(1);
    assert!(groups.iter().all(|group| (group.wrote, group.synced) == (millisecond, millisecond)));
    // Handed in at 0, three readings a group, and one at the end.
    assert_eq!(*heard.appends.lock().unwrap(), [Duration::from_millis(7)]);
}

#[test]
fn what_is_refused_is_not_measured() {
    let sim = Sim::default();
    let (log, heard) = observed(&sim, 64);
    assert!(log.append(vec![simple(1)])[0].is_ok());
    assert!(log.append(vec![simple(1)])[0].is_err(), "the command is decided");
    assert_eq!((heard.groups.lock().unwrap().len(), heard.appends.lock().unwrap().len()), (1, 1));
}

#[test]
fn an_observer_is_warned_once_of_a_seal_that_fails_and_hears_of_every_try_and_of_the_end() {
    let sim = Sim::default();
    let heard = Arc::new(Heard::default());
    let options = Options { observer: Some(heard.clone()), segment_bytes: 400, ..options(1) };
    let (log, _) = Log::open_on(sim.storage(), options).unwrap();
    let (operation, name, error) = (Operation::Create, ".idx.next", io::ErrorKind::StorageFull);
    sim.fail(Fault { operation, name, after: 0, times: 3, error, written: 0, drops: false });
    let verdicts = (1..30).map(|n| log.append(vec![simple(n)]).pop().unwrap());
    assert!(verdicts.into_iter().all(|verdict| verdict.is_ok()));
    let warnings = heard.warnings.lock().unwrap().clone();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("cannot seal or index a segment"), "{warnings:?}");
    assert_eq!(log.maintenance().trouble, None, "it was tried again");
    let told = heard.maintained.lock().unwrap().clone();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[..3].iter().flatten().all(|trouble| warnings[0].starts_with(trouble)), "{told:?}");
    assert!(told[..3].iter().all(Option::is_some) && told[3].is_none(), "{told:?}");
}
