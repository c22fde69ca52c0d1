//! Each promise that the store port makes is held by a conformance check, and broken by a store that the
//! suite must catch. That the suite does catch it is tested there; this rule sees that none is forgotten.

use super::{code::code_of, tree::Tree, violation::Violation};
use std::collections::BTreeSet;

/// Where the promises are made, a line each: `//! - **L1** ...`.
const MADE: &str = "crates/factum-store/src/lib.rs";
/// Where they must be cited (a file and the folder beside it), and by what.
const CITED: &[(&str, &str)] = &[
    ("crates/factum-store/src/conformance/checks", "a conformance check"),
    ("crates/factum-store/src/conformance/broken", "a broken store"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let made = promises(tree.text(MADE).unwrap_or_default());
    if made.is_empty() {
        return vec![Violation::at(MADE, 1, "no promise found, number them `//! - **L1** ...` from 1")];
    }
    let gap = made.iter().zip(1u32..).find(|((_, number), expected)| number != expected);
    let mut violations: Vec<_> = gap
        .map(|((line, number), expected)| {
            let what =
                format!("promise L{number} follows where L{expected} is due, number them without gaps");
            Violation::at(MADE, *line, what)
        })
        .into_iter()
        .collect();
    for (place, by) in CITED {
        let cited = citations(tree, place);
        if cited.is_empty() {
            violations.push(Violation::at(*place, 1, format!("no promise is cited here, each needs {by}")));
            continue;
        }
        let missing = made.iter().filter(|(_, number)| !cited.contains(number));
        violations.extend(missing.map(|(line, number)| {
            Violation::at(
                MADE,
                *line,
                format!("promise L{number} is not cited by {by}, write one in {place}"),
            )
        }));
    }
    violations
}

/// The line and the number of each promise made.
fn promises(text: &str) -> Vec<(usize, u32)> {
    let number = |line: &str| line.strip_prefix("//! - **L")?.split_once("**")?.0.parse().ok();
    text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, number(line)?))).collect()
}

/// The numbers that the code in `place.rs` and below `place/` names, as `L1` or `Promise::L1`.
fn citations(tree: &Tree, place: &str) -> BTreeSet<u32> {
    let (file, folder) = (format!("{place}.rs"), format!("{place}/"));
    let sources = tree.rust().filter(|(path, _)| *path == file || path.starts_with(&folder));
    sources.flat_map(|(_, text)| numbers(&code_of(text))).collect()
}

fn numbers(code: &str) -> Vec<u32> {
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter_map(|word| word.strip_prefix('L')?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::printed;

    const LIB: &str = "//! The port.\n//! - **L1** One.\n//! - **L2** Two.\n";
    const CHECKS: &str = "crates/factum-store/src/conformance/checks/order.rs";
    const BROKEN: &str = "crates/factum-store/src/conformance/broken.rs";

    fn violations(lib: &str, checks: &str, broken: &str) -> Vec<String> {
        printed(&check(&Tree::of(&[(MADE, lib), (CHECKS, checks), (BROKEN, broken)])))
    }

    #[test]
    fn every_promise_is_held_and_broken() {
        assert_eq!(violations(LIB, "promises: &[L1, L2]", "breaks: Promise::L1; breaks: L2").len(), 0);
    }

    #[test]
    fn a_promise_that_no_check_holds_is_caught() {
        let place = "crates/factum-store/src/conformance/checks";
        assert_eq!(
            violations(LIB, "promises: &[L1] // L2, \"L2\"", "L1 L2"),
            [format!("{MADE}:3: promise L2 is not cited by a conformance check, write one in {place}")]
        );
    }

    #[test]
    fn a_promise_that_no_store_breaks_is_caught() {
        let found = violations(LIB, "L1 L2", "L2 XL1 L1x");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with(&format!("{MADE}:2: promise L1 is not cited by a broken store")));
    }

    #[test]
    fn a_missing_suite_and_missing_promises_are_caught() {
        assert_eq!(check(&Tree::of(&[(MADE, LIB)])).len(), 2);
        assert_eq!(check(&Tree::default()).len(), 1);
    }

    #[test]
    fn a_gap_in_the_numbers_is_caught() {
        let found = violations("//! - **L1** One.\n//! - **L3** Three.\n", "L1 L3", "L1 L3");
        assert_eq!(
            found,
            [format!("{MADE}:2: promise L3 follows where L2 is due, number them without gaps")]
        );
    }
}
