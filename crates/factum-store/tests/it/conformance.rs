//! The suite itself: the reference passes it, and neither of its lists can rot.

use crate::subjects::InMemory;
use factum_store::conformance::{self, Promise};

#[test]
fn the_reference_conforms() {
    conformance::assert_conforms(&InMemory);
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
