//! The guide keeps up: its summary lists every page, and it lists every problem type that HTTP answers with.

use super::{tree::Tree, violation::Violation};
use std::collections::BTreeSet;

const PAGES: &str = "docs/guide/src/";
const SUMMARY: &str = "docs/guide/src/SUMMARY.md";
/// Where problem types are made, and where a reader looks them up.
const PROBLEMS_MADE: &str = "crates/factum-http/src/problem.rs";
const PROBLEMS_LISTED: &str = "docs/guide/src/calculator-http.md";
/// How the URI of each begins.
const PROBLEM: &str = "urn:factum:problem:";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let summary = tree.text(SUMMARY).unwrap_or_default();
    let pages = tree.ending("md").filter_map(|(path, _)| path.strip_prefix(PAGES));
    let unlisted = pages
        .filter(|page| *page != "SUMMARY.md" && !summary.contains(&format!("]({page})")))
        .map(|page| Violation::at(SUMMARY, 1, format!("the page `{page}` is not listed, add it")));
    let made = problem_types(tree.text(PROBLEMS_MADE).unwrap_or_default());
    let listed = problem_types(tree.text(PROBLEMS_LISTED).unwrap_or_default());
    let missing = made.difference(&listed).map(|uri| {
        Violation::at(PROBLEMS_LISTED, 1, format!("`{PROBLEM}{uri}` is not explained, add a row"))
    });
    let stale = listed.difference(&made).map(|uri| {
        Violation::at(PROBLEMS_LISTED, 1, format!("`{PROBLEM}{uri}` is never answered, remove its row"))
    });
    unlisted.chain(missing).chain(stale).collect()
}

fn problem_types(text: &str) -> BTreeSet<&str> {
    let after = text.split(PROBLEM).skip(1);
    let uris = after.filter_map(|rest| rest.split(|c: char| c != '-' && !c.is_ascii_alphanumeric()).next());
    uris.filter(|uri| !uri.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::printed;

    #[test]
    fn a_page_that_the_summary_leaves_out_is_caught() {
        let tree =
            Tree::of(&[(SUMMARY, "- [A](a.md)\n"), ("docs/guide/src/a.md", ""), ("docs/guide/src/b.md", "")]);
        assert_eq!(
            printed(&check(&tree)),
            ["docs/guide/src/SUMMARY.md:1: the page `b.md` is not listed, add it"]
        );
    }

    #[test]
    fn problem_types_and_their_rows_are_the_same() {
        let violations = |listed: &str| {
            let made = r#"A => "urn:factum:problem:shape", B => "urn:factum:problem:not-found","#;
            let summary = (SUMMARY, "[H](calculator-http.md)");
            printed(&check(&Tree::of(&[(PROBLEMS_MADE, made), (PROBLEMS_LISTED, listed), summary])))
        };
        let both = "| `urn:factum:problem:shape` |\n| `urn:factum:problem:not-found` |\n";
        assert_eq!(violations(both).len(), 0);
        assert!(
            violations("`urn:factum:problem:shape`")[0]
                .contains("`urn:factum:problem:not-found` is not explained")
        );
        assert!(
            violations(&format!("{both}`urn:factum:problem:moon`"))[0].contains("moon` is never answered")
        );
    }
}
