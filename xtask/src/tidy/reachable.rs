//! No Rust file lies in a package without being compiled: each is a target's root, or reached from one by
//! `mod`, `#[path]` or `include!`, or is an input of a compile-fail test that names it.
//!
//! A module declared inside an inline `mod a { mod b; }` is not followed: its file is reported, not missed.

use super::{code::code_of, tree::Tree, violation::Violation};
use std::collections::BTreeSet;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let reached = reached(tree);
    tree.rust()
        .filter(|(path, _)| !reached.contains(*path))
        .map(|(path, _)| {
            Violation::at(path, 1, "no `mod` reaches this file, declare it in its parent or delete it")
        })
        .collect()
}

/// Every file that is compiled as part of a target, or of a compile-fail test.
fn reached(tree: &Tree) -> BTreeSet<String> {
    let roots = tree.packages.iter().flat_map(|package| package.targets.iter().cloned());
    let inputs = tree.rust().map(|(path, _)| path).filter(|path| is_named_by_a_test(tree, path));
    let mut waiting: Vec<(String, bool)> = roots
        .chain(named_by_manifests(tree))
        .chain(inputs.map(|path| path.to_string()))
        .map(|root| (root, true))
        .collect();
    let mut reached = BTreeSet::new();
    while let Some((path, is_root)) = waiting.pop() {
        let Some(text) = tree.text(&path) else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        waiting.extend(children(tree, &path, is_root, text));
    }
    reached
}

/// The root files that manifests name, also those of a workspace of its own, such as the fuzz targets.
fn named_by_manifests(tree: &Tree) -> impl Iterator<Item = String> {
    let manifests =
        tree.ending("toml").filter_map(|(path, text)| Some((path.strip_suffix("Cargo.toml")?, text)));
    manifests.flat_map(|(folder, text)| {
        let named = text.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix(".rs\""));
        named.map(move |stem| join(folder, &format!("{stem}.rs")))
    })
}

/// The files that `path` brings in, and whether each looks for its own modules beside itself, as a root does.
fn children(tree: &Tree, path: &str, is_root: bool, text: &str) -> Vec<(String, bool)> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let below = match path.strip_suffix(".rs") {
        Some(stem) if !is_root && !path.ends_with("/mod.rs") => stem,
        _ => folder,
    };
    let mut children = Vec::new();
    let code = code_of(text);
    for (line, original) in code.lines().zip(text.lines()) {
        if let Some(name) = declared_module(line) {
            let places = [format!("{below}/{name}.rs"), format!("{below}/{name}/mod.rs")];
            let there = places.into_iter().filter(|place| tree.text(place).is_some());
            children.extend(there.map(|place| (place, false)));
        }
        if (line.contains("#[path") || line.contains("include!"))
            && let Some(named) = original.split('"').nth(1)
        {
            children.push((join(folder, named), true));
        }
    }
    children
}

/// The name in `mod name;`, with any visibility.
fn declared_module(line: &str) -> Option<&str> {
    let before = line.trim().strip_suffix(';')?;
    let mut words = before.split_whitespace().rev();
    let name = words.next()?;
    let is_module = words.next() == Some("mod");
    is_module.then(|| name.trim_start_matches("r#"))
}

/// `named` as seen from `folder`, with `..` resolved.
pub(crate) fn join(folder: &str, named: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in named.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a test of the file's package names it in a string such as `"tests/ui/*.rs"`.
fn is_named_by_a_test(tree: &Tree, path: &str) -> bool {
    tree.packages.iter().any(|package| {
        let Some(named) = path.strip_prefix(&*format!("{}/", package.folder)) else { return false };
        let tests = format!("{}/tests/", package.folder);
        named.starts_with("tests/")
            && tree.rust().filter(|(test, _)| test.starts_with(&tests) && *test != path).any(|(_, text)| {
                text.split('"').any(|string| string.starts_with("tests/") && matches(string, named))
            })
    })
}

/// Whether `name` is as `pattern`, in which one `*` stands for any part of a file's name.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            let middle = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            middle.is_some_and(|middle| !middle.contains('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{tidy::violation::printed, workspace::Package};

    fn violations(files: &[(&str, &str)]) -> Vec<String> {
        let targets = ["crates/a/src/lib.rs", "crates/a/tests/it/main.rs"].map(str::to_owned).to_vec();
        let package = Package { folder: "crates/a".to_owned(), targets, ..Package::default() };
        printed(&check(&Tree::of(files).with(package)))
    }

    #[test]
    fn declared_files_are_reached_at_any_depth() {
        let files = [
            ("crates/a/src/lib.rs", "pub(crate) mod b;\n#[cfg(test)]\nmod tests;\n"),
            ("crates/a/src/b.rs", "#[path = \"b/other.rs\"]\nmod c;\nmod d;\n"),
            ("crates/a/src/b/other.rs", "mod e;\n"),
            ("crates/a/src/b/d.rs", ""),
            ("crates/a/src/b/e.rs", ""),
            ("crates/a/fuzz/Cargo.toml", "[[bin]]\npath = \"fuzz_targets/f.rs\"\n"),
            ("crates/a/fuzz/fuzz_targets/f.rs", ""),
            ("crates/a/src/tests.rs", ""),
            ("crates/a/tests/it/main.rs", "mod claims;\n"),
            ("crates/a/tests/it/claims.rs", "t.compile_fail(\"tests/ui/*.rs\");"),
            ("crates/a/tests/ui/wrong.rs", "#[path = \"shared/given.rs\"]\nmod given;\n"),
            ("crates/a/tests/ui/shared/given.rs", ""),
        ];
        assert_eq!(violations(&files).len(), 0);
    }

    #[test]
    fn a_file_that_nothing_declares_is_caught() {
        let files = [
            ("crates/a/src/lib.rs", "// mod b;\nuse b::c;\n"),
            ("crates/a/src/b.rs", "mod c;\n"),
            ("crates/a/src/b/c.rs", ""),
            ("crates/a/tests/ui/wrong.rs", ""),
        ];
        assert_eq!(violations(&files).len(), 3);
        assert_eq!(
            violations(&files)[0],
            "crates/a/src/b.rs:1: no `mod` reaches this file, declare it in its parent or delete it"
        );
    }
}
