//! A file that nobody can read in one sitting hides things: 500 lines is the end.

use super::{tree::Tree, violation::Violation};

/// Most lines of a file.
const LINES_MAX: usize = 500;
/// Files that may be longer, and why. One that has become shorter is taken off this list.
const EXCEPTIONS: &[(&str, &str)] = &[];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    check_with(tree, EXCEPTIONS)
}

fn check_with(tree: &Tree, exceptions: &[(&str, &str)]) -> Vec<Violation> {
    let excepted = |path: &str| exceptions.iter().any(|(excepted, _)| *excepted == path);
    let lines = |text: &str| text.lines().count();
    let too_long =
        tree.rust().filter(|(path, text)| lines(text) > LINES_MAX && !excepted(path)).map(|(path, text)| {
            let what =
                format!("{} lines, split it by the nouns it owns ({LINES_MAX} is the most)", lines(text));
            Violation::at(path, LINES_MAX + 1, what)
        });
    let needless = exceptions
        .iter()
        .filter(|(path, _)| tree.text(path).is_none_or(|text| lines(text) <= LINES_MAX))
        .map(|(path, _)| {
            Violation::at(*path, 1, "needs no exception any more, remove it from tidy/file_length.rs")
        });
    too_long.chain(needless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::violation::printed;

    #[test]
    fn a_long_file_is_caught_unless_excepted() {
        let (long, fits) = ("x\n".repeat(501), "x\n".repeat(500));
        let tree = Tree::of(&[("crates/a/src/long.rs", &long), ("crates/a/src/fits.rs", &fits)]);
        assert_eq!(
            printed(&check_with(&tree, &[])),
            ["crates/a/src/long.rs:501: 501 lines, split it by the nouns it owns (500 is the most)"]
        );
        assert_eq!(check_with(&tree, &[("crates/a/src/long.rs", "a table")]), []);
        assert_eq!(check(&tree), check_with(&tree, EXCEPTIONS));
        assert_eq!(check(&tree).len(), 1);
    }

    #[test]
    fn an_exception_without_need_is_caught() {
        let tree = Tree::of(&[("crates/a/src/fits.rs", "x\n")]);
        assert_eq!(check_with(&tree, &[("crates/a/src/fits.rs", "a table")]).len(), 1);
        assert_eq!(check_with(&tree, &[("crates/a/src/gone.rs", "a table")]).len(), 1);
    }
}
