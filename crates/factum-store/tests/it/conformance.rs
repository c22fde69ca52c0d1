//! The suite itself: the reference passes it, every broken store is caught, and neither list can rot.

use crate::subjects::InMemory;
use factum_store::conformance::{
    self, Promise,
    broken::{self, Broken},
};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

#[test]
fn the_reference_conforms() {
    conformance::assert_conforms(&InMemory);
}

#[test]
fn the_engine_of_the_broken_stores_conforms_without_a_fault() {
    let report = conformance::run(&broken::sound());
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "every check must be tried on a store that is sound");
}

#[test]
fn what_a_store_does_not_claim_is_skipped_and_told() {
    let report = conformance::run(&InMemory);
    let skipped: HashSet<_> = report.skipped().map(|(_, family)| format!("{family:?}")).collect();
    assert_eq!(skipped, HashSet::from(["Durable".to_owned()]));
}

#[test]
fn each_broken_store_is_caught() {
    let rows: Vec<_> = in_parallel(broken::ALL, caught_by);
    for (broken, caught) in broken::ALL.iter().zip(&rows) {
        println!("{:32} | {:4} | {}", broken.name, broken.breaks, caught.all.join(" "));
    }
    let missed: Vec<_> = broken::ALL.iter().zip(&rows).filter(|(_, caught)| !caught.cited).collect();
    assert!(missed.is_empty(), "not caught by a check that cites the promise: {missed:#?}");
}

/// What became of a broken store.
#[derive(Debug)]
struct Caught {
    /// A check that cites the promise failed, and laid the failure to that promise.
    cited: bool,
    /// Every check that failed, and to which promise it laid the failure.
    all: Vec<String>,
}

fn caught_by(broken: &Broken) -> Caught {
    let report = conformance::run(&broken.subject());
    let cited = report
        .failed()
        .any(|(check, failure)| check.promises.contains(&broken.breaks) && failure.promise == broken.breaks);
    let all =
        report.failed().map(|(check, failure)| format!("{}({})", check.name, failure.promise)).collect();
    Caught { cited, all }
}

/// A few at a time: most of what a broken store does is to wait.
fn in_parallel<T: Sync, R: Send>(of: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const THREADS: usize = 4;
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = std::iter::repeat_with(|| next.fetch_add(1, Ordering::SeqCst));
        taken.map_while(|nth| Some((nth, run(of.get(nth)?)))).collect::<Vec<_>>()
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a panic is part of a report")).collect()
    });
    done.sort_by_key(|(nth, _)| *nth);
    done.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn every_promise_is_checked_and_broken() {
    for promise in Promise::ALL {
        let cited = conformance::checks().any(|check| check.promises.contains(promise));
        assert!(cited, "{promise} is cited by no check");
        let broken = broken::ALL.iter().any(|broken| broken.breaks == *promise);
        assert!(broken, "{promise} is broken by no store");
    }
}

#[test]
fn names_are_unique() {
    let mut names = HashSet::new();
    for name in conformance::checks().map(|check| check.name).chain(broken::ALL.iter().map(|b| b.name)) {
        assert!(names.insert(name), "{name} stands twice");
    }
}

#[test]
fn promises_are_those_of_the_documentation() {
    let documented: Vec<_> = include_str!("../../src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! - **")?.split_once("** "))
        .map(|(number, sentence)| (number.to_owned(), sentence.to_owned()))
        .collect();
    let known: Vec<_> =
        Promise::ALL.iter().map(|promise| (promise.to_string(), promise.sentence().to_owned())).collect();
    assert_eq!(documented, known);
    let in_order: Vec<_> = (1..=known.len()).map(|number| format!("L{number}")).collect();
    assert_eq!(known.into_iter().map(|(number, _)| number).collect::<Vec<_>>(), in_order);
}
