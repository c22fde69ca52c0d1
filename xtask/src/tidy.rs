//! The house rules, one a file below. Each is a function from the tree to violations, and has a test that
//! shows what it catches. Nothing here changes a file.

mod boundaries;
mod changelog;
mod code;
mod decisions;
mod described;
mod edges;
mod file_length;
mod forbidden;
mod guide;
mod links;
mod manifests;
mod module_opening;
mod openapi;
mod promises;
mod reachable;
mod readme;
mod tree;
mod violation;

use crate::Failure;
use tree::Tree;
use violation::Violation;

/// Every rule.
const RULES: &[fn(&Tree) -> Vec<Violation>] = &[
    boundaries::check,
    changelog::check,
    decisions::check,
    described::check,
    edges::check,
    file_length::check,
    forbidden::check,
    guide::check,
    links::check,
    manifests::check,
    module_opening::check,
    openapi::check,
    promises::check,
    reachable::check,
    readme::check,
];

/// Prints each violation on a line of its own; whether there is none.
pub(crate) fn run() -> Result<bool, Failure> {
    let tree = Tree::load()?;
    let mut violations: Vec<_> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    violations.sort();
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => println!("tidy: {} files, no violation", tree.paths().count()),
        1 => println!("tidy: 1 violation"),
        many => println!("tidy: {many} violations"),
    }
    Ok(violations.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_asked() {
        let tree = Tree::load().unwrap();
        let rules = tree.rust().filter(|(path, text)| {
            path.starts_with("xtask/src/tidy/") && text.contains("\npub(crate) fn check(tree: &Tree)")
        });
        assert_eq!(rules.count(), RULES.len());
    }
}
