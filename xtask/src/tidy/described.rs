//! Every package has its paragraph in ARCHITECTURE.md, opening with its name: ``**`name`** what it is``.

use super::{tree::Tree, violation::Violation};

/// Where the paragraphs stand.
const MAP: &str = "ARCHITECTURE.md";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let text = tree.text(MAP).unwrap_or_default();
    let opening = |name: &str| format!("**`{name}`** ");
    let missing = tree
        .packages
        .iter()
        .filter(|package| !text.lines().any(|line| line.starts_with(&opening(&package.name))))
        .map(|package| {
            let start = opening(&package.name);
            Violation::at(
                MAP,
                1,
                format!("no paragraph on `{}`, write one that begins `{start}`", package.name),
            )
        });
    let stale = text.lines().enumerate().filter_map(|(index, line)| {
        let name = line.strip_prefix("**`")?.split_once("`** ")?.0;
        let known = tree.packages.iter().any(|package| package.name == name);
        let what = format!("a paragraph on `{name}`, which is no package: remove it or correct the name");
        (!known).then(|| Violation::at(MAP, index + 1, what))
    });
    missing.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tidy::violation::printed, workspace::Package};

    fn violations(map: &str) -> Vec<String> {
        let package = Package { name: "factum-log".to_owned(), ..Package::default() };
        printed(&check(&Tree::of(&[(MAP, map)]).with(package)))
    }

    #[test]
    fn a_package_without_a_paragraph_is_caught() {
        assert_eq!(violations("# Map\n\n**`factum-log`** The engine.\n").len(), 0);
        assert_eq!(
            violations("# Map\n\nThe `factum-log` crate.\n"),
            ["ARCHITECTURE.md:1: no paragraph on `factum-log`, write one that begins `**`factum-log`** `"]
        );
    }

    #[test]
    fn a_paragraph_on_no_package_is_caught() {
        let found = violations("**`factum-log`** The engine.\n**`factum-moon`** The moon.\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("ARCHITECTURE.md:2: a paragraph on `factum-moon`"));
    }
}
