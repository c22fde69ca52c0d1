//! Who may know whom: the edges between the workspace's packages are those that ARCHITECTURE.md declares,
//! no more and no fewer. Dev-dependencies are free.

use super::{tree::Tree, violation::Violation};
use std::collections::{BTreeMap, BTreeSet};

/// Where the edges are declared, in a fenced block marked `edges`: `a -> b c`, or `a ->` for none.
const MAP: &str = "ARCHITECTURE.md";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let Some(declared) = tree.text(MAP).and_then(declared) else {
        return vec![Violation::at(MAP, 1, "no block fenced as ```edges, declare who may know whom there")];
    };
    let names: BTreeSet<&str> = tree.packages.iter().map(|package| &*package.name).collect();
    let mut violations = Vec::new();
    for package in &tree.packages {
        let actual: BTreeSet<&str> = package.edges().filter(|edge| names.contains(edge)).collect();
        let Some((line, allowed)) = declared.get(&*package.name) else {
            let what = format!("`{}` is not in the edges block, add `{0} -> ...`", package.name);
            violations.push(Violation::at(MAP, 1, what));
            continue;
        };
        violations.extend(actual.difference(allowed).map(|edge| {
            let what =
                format!("`{}` depends on `{edge}`, which {MAP} does not allow: remove it", package.name);
            Violation::at(package.manifest(), 1, what)
        }));
        violations.extend(allowed.difference(&actual).map(|edge| {
            let what = format!("`{}` does not depend on `{edge}`, remove the edge", package.name);
            Violation::at(MAP, *line, what)
        }));
    }
    violations.extend(declared.iter().filter(|(name, _)| !names.contains(*name)).map(|(name, (line, _))| {
        Violation::at(MAP, *line, format!("`{name}` is no package of the workspace, remove the line"))
    }));
    violations
}

/// For each package the line of its declaration and the packages it may know.
fn declared(text: &str) -> Option<BTreeMap<&str, (usize, BTreeSet<&str>)>> {
    let lines = text.lines().enumerate().skip_while(|(_, line)| line.trim() != "```edges");
    let block: Vec<_> = lines.skip(1).take_while(|(_, line)| !line.starts_with("```")).collect();
    if block.is_empty() {
        return None;
    }
    let edges = block.iter().filter_map(|(index, line)| {
        let (from, to) = line.split_once("->")?;
        Some((from.trim(), (index + 1, to.split_whitespace().collect())))
    });
    Some(edges.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tidy::violation::printed,
        workspace::{Dependency, Package},
    };

    /// `a` depends on `b` and, in its tests, on `c`.
    fn violations(map: &str) -> Vec<String> {
        let package = |name: &str, dependencies: &[(&str, bool)]| Package {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            dependencies: dependencies
                .iter()
                .map(|(name, dev)| Dependency { name: (*name).to_owned(), dev: *dev })
                .collect(),
            ..Package::default()
        };
        let tree = Tree::of(&[(MAP, map)])
            .with(package("a", &[("b", false), ("c", true), ("serde", false)]))
            .with(package("b", &[]))
            .with(package("c", &[]));
        printed(&check(&tree))
    }

    #[test]
    fn declared_edges_pass() {
        assert_eq!(violations("# Map\n```edges\na -> b\nb ->\nc ->\n```\n").len(), 0);
    }

    #[test]
    fn an_edge_that_is_not_declared_is_caught() {
        assert_eq!(
            violations("```edges\na ->\nb ->\nc ->\n```\n"),
            ["crates/a/Cargo.toml:1: `a` depends on `b`, which ARCHITECTURE.md does not allow: remove it"]
        );
    }

    #[test]
    fn a_declaration_that_is_not_true_is_caught() {
        assert_eq!(
            violations("```edges\na -> b c\nb ->\nc ->\nd ->\n```\n"),
            [
                "ARCHITECTURE.md:2: `a` does not depend on `c`, remove the edge",
                "ARCHITECTURE.md:5: `d` is no package of the workspace, remove the line",
            ]
        );
    }

    #[test]
    fn a_package_or_a_block_that_is_missing_is_caught() {
        assert_eq!(
            violations("```edges\na -> b\nb ->\n```\n"),
            ["ARCHITECTURE.md:1: `c` is not in the edges block, add `c -> ...`"]
        );
        assert_eq!(violations("# Map\n").len(), 1);
    }
}
