//! The changelog always has a place for what is not released yet.

use super::{tree::Tree, violation::Violation};

const CHANGELOG: &str = "CHANGELOG.md";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let text = tree.text(CHANGELOG).unwrap_or_default();
    if text.lines().any(|line| line.trim() == "## [Unreleased]") {
        return Vec::new();
    }
    vec![Violation::at(CHANGELOG, 1, "no section `## [Unreleased]`, add it above the last release")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changelog_without_a_place_for_the_unreleased_is_caught() {
        assert_eq!(check(&Tree::of(&[(CHANGELOG, "# Changelog\n\n## [Unreleased]\n")])), []);
        assert_eq!(check(&Tree::of(&[(CHANGELOG, "# Changelog\n\n## [0.1.0]\n")])).len(), 1);
        assert_eq!(check(&Tree::default()).len(), 1);
    }
}
