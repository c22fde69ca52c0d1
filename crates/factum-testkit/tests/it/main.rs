//! The published cases, on the reference and on the embedded log.

use factum::App;
use factum_testkit::dcb;

/// 27 published as data, 14 of the product price, 2 of ours.
const CASES: usize = 43;

#[test]
fn every_published_case_holds_in_memory() {
    assert_eq!(dcb::run(|clock| App::in_memory().clock(clock).start()), CASES);
}

#[test]
fn every_published_case_holds_on_the_embedded_log() {
    let dir = tempfile::tempdir().unwrap();
    let next = std::cell::Cell::new(0);
    let cases = dcb::run(|clock| {
        next.set(next.get() + 1);
        App::embedded(dir.path().join(next.get().to_string())).clock(clock).start().unwrap()
    });
    assert_eq!(cases, CASES);
}
