//! Every Rust file opens with a `//!` paragraph: what it owns, what it never does, what holds here.
//! Inputs of compile-fail tests (`tests/ui/`) open as a user's file would.

use super::{tree::Tree, violation::Violation};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|(path, text)| !path.contains("/tests/ui/") && !opens_with_a_paragraph(text))
        .map(|(path, _)| Violation::at(path, 1, "no `//!` paragraph, open the file with what it owns"))
        .collect()
}

fn opens_with_a_paragraph(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > "//! ".len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::printed;

    #[test]
    fn a_file_without_a_paragraph_is_caught() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! Owns a.\nmod b;\n"),
            ("crates/a/src/b.rs", "use c;\n"),
            ("crates/a/src/c.rs", ""),
            ("crates/a/tests/ui/wrong.rs", "fn main() {}\n"),
        ]);
        assert_eq!(
            printed(&check(&tree)),
            [
                "crates/a/src/b.rs:1: no `//!` paragraph, open the file with what it owns",
                "crates/a/src/c.rs:1: no `//!` paragraph, open the file with what it owns",
            ]
        );
    }
}
