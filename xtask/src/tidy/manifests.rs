//! Every package says what it is and takes the lints of its workspace, and the lints of both are the same.

use super::{tree::Tree, violation::Violation};
use crate::workspace::BENCHES;

/// The manifest of a workspace.
const MAIN: &str = "Cargo.toml";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &tree.packages {
        let manifest = package.manifest();
        if package.description.as_deref().is_none_or(|text| text.trim().is_empty()) {
            violations.push(Violation::at(&*manifest, 1, "no `description`, say in one line what it is"));
        }
        if !takes_workspace_lints(tree.text(&manifest).unwrap_or_default()) {
            let what = "the workspace's lints are not taken, add `[lints]` with `workspace = true`";
            violations.push(Violation::at(&*manifest, 1, what));
        }
    }
    let benches = format!("{BENCHES}/{MAIN}");
    if tree.text(&benches).is_some_and(|text| lints(text) != lints(tree.text(MAIN).unwrap_or_default())) {
        let what = "the lints are not those of the main workspace, copy them from its Cargo.toml";
        violations.push(Violation::at(benches, 1, what));
    }
    violations
}

/// The lines of `[workspace.lints.*]`, without comments and empty ones.
fn lints(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter(|line| {
            if line.starts_with('[') {
                inside = line.starts_with("[workspace.lints");
            }
            inside
        })
        .collect()
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let mut section = "";
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let assignment: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        (section == "[lints]" && assignment == "workspace=true") || assignment == "lints.workspace=true"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tidy::violation::printed, workspace::Package};

    fn violations(description: Option<&str>, manifest: &str) -> Vec<String> {
        let package = Package {
            name: "a".to_owned(),
            folder: "crates/a".to_owned(),
            description: description.map(str::to_owned),
            ..Package::default()
        };
        printed(&check(&Tree::of(&[("crates/a/Cargo.toml", manifest)]).with(package)))
    }

    #[test]
    fn a_package_without_description_or_lints_is_caught() {
        assert_eq!(violations(Some("A."), "[lints]\nworkspace = true\n").len(), 0);
        assert_eq!(
            violations(None, "[lints]\nworkspace = true\n"),
            ["crates/a/Cargo.toml:1: no `description`, say in one line what it is"]
        );
        let elsewhere = "[lints]\n[dependencies]\nworkspace = true\n";
        assert!(violations(Some("A."), elsewhere)[0].contains("lints are not taken"));
    }

    #[test]
    fn benches_with_other_lints_are_caught() {
        let main = "[workspace.lints.rust]\na = \"warn\"\n\n[profile.dev]\n";
        let of = |benches| printed(&check(&Tree::of(&[(MAIN, main), ("benches/Cargo.toml", benches)])));
        assert_eq!(of("[workspace]\n# Why.\n[workspace.lints.rust]\na = \"warn\"\n").len(), 0);
        assert_eq!(
            of("[workspace.lints.rust]\na = \"allow\"\n"),
            [
                "benches/Cargo.toml:1: the lints are not those of the main workspace, copy them from its Cargo.toml"
            ]
        );
    }
}
