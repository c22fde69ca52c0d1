//! What a crate must never depend on, whatever else it may. Its tests and benches may.

use super::{tree::Tree, violation::Violation};

/// Asynchronous runtimes and transports.
const RUNTIMES: &[&str] = &["tokio", "axum", "hyper", "tower-http"];
/// Transports.
const TRANSPORTS: &[&str] = &["axum", "hyper", "tower-http"];

/// A crate, what it never sees, and why.
const NEVER: &[(&str, &[&str], &str)] = &[
    ("factum-event", RUNTIMES, "it is plain data"),
    ("factum-domain", RUNTIMES, "a decision is pure and sync"),
    ("factum-store", RUNTIMES, "the port is runtime-free"),
    ("factum-log", RUNTIMES, "the engine is embeddable in any runtime or none"),
    ("factum-runtime", TRANSPORTS, "HTTP stays out of the runtime"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &tree.packages {
        for (_, never, why) in NEVER.iter().filter(|(name, ..)| *name == package.name) {
            let seen = package.edges().filter(|edge| never.contains(edge));
            violations.extend(seen.map(|edge| {
                let what = format!("`{}` depends on `{edge}`, take it out: {why}", package.name);
                Violation::at(package.manifest(), 1, what)
            }));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tidy::violation::printed,
        workspace::{Dependency, Package},
    };

    fn log_with(name: &str, dev: bool) -> Tree {
        let dependencies = vec![Dependency { name: name.to_owned(), dev }];
        let folder = "crates/factum-log".to_owned();
        Tree::default().with(Package {
            name: "factum-log".to_owned(),
            folder,
            dependencies,
            ..Package::default()
        })
    }

    #[test]
    fn a_runtime_in_the_engine_is_caught() {
        assert_eq!(
            printed(&check(&log_with("tokio", false))),
            [
                "crates/factum-log/Cargo.toml:1: `factum-log` depends on `tokio`, take it out: the engine is embeddable in any runtime or none"
            ]
        );
    }

    #[test]
    fn benches_and_other_crates_are_free() {
        assert_eq!(check(&log_with("tokio", true)), []);
        assert_eq!(check(&log_with("bytes", false)), []);
    }
}
