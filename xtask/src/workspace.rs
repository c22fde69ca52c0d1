//! What cargo knows of the two workspaces, the main one and that of the benches: their packages, their edges, their targets.

use crate::{
    Failure,
    cargo::{cargo, cargo_in_benches},
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The folder that holds the workspace: that of the cargo that started us, since a target folder that
/// several checkouts share may hold the binary of another.
pub(crate) fn root() -> PathBuf {
    let started_in = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = started_in.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().expect("xtask is a folder of the workspace").to_path_buf()
}

/// The folder of the benches: a workspace of its own, so that what they measure beside stays out of the lock
/// file of the main one. The rules hold for both.
pub(crate) const BENCHES: &str = "benches";

/// A package of a workspace. Paths are relative to its root, with `/`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: String,
    pub(crate) description: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// The root files of its targets.
    pub(crate) targets: Vec<String>,
}

/// What a package names in a dependency section.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only its tests, examples and benches see it.
    pub(crate) dev: bool,
}

impl Package {
    /// Its manifest.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    /// What it cannot be built without, or may be built with.
    pub(crate) fn edges(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().filter(|dependency| !dependency.dev).map(|dependency| &*dependency.name)
    }
}

/// The packages of the main workspace and of the benches, by name.
pub(crate) fn packages() -> Result<Vec<Package>, Failure> {
    const METADATA: &[&str] = &["metadata", "--no-deps", "--format-version", "1"];
    let main = metadata(&mut cargo(METADATA))?;
    let benches = metadata(&mut cargo_in_benches(METADATA))?;
    let root = main["workspace_root"].as_str().ok_or("cargo metadata names no workspace root")?;
    let both = [&main, &benches].into_iter().flat_map(|metadata| list(metadata, "packages"));
    let mut packages: Vec<_> = both.map(|value| package(value, Path::new(root))).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn metadata(command: &mut Command) -> Result<Value, Failure> {
    let output = command.output().map_err(|cause| format!("cannot run cargo metadata: {cause}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|cause| format!("cargo metadata is no JSON: {cause}"))
}

fn package(value: &Value, root: &Path) -> Package {
    let manifest = relative(root, text(value, "manifest_path"));
    Package {
        name: text(value, "name"),
        folder: manifest.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned(),
        description: value["description"].as_str().map(str::to_owned),
        dependencies: list(value, "dependencies")
            .iter()
            .map(|dependency| Dependency { name: text(dependency, "name"), dev: dependency["kind"] == "dev" })
            .collect(),
        targets: list(value, "targets")
            .iter()
            .map(|target| relative(root, text(target, "src_path")))
            .collect(),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// `path` below `root`, with `/` on every system.
pub(crate) fn relative(root: &Path, path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_knows_itself() {
        let packages = packages().unwrap();
        let this = packages.iter().find(|package| package.name == "xtask").unwrap();
        assert_eq!(this.folder, "xtask");
        assert_eq!(this.targets, ["xtask/src/main.rs"]);
        assert_eq!(this.edges().collect::<Vec<_>>(), ["serde_json"]);
        let benches = packages.iter().find(|package| package.folder == BENCHES).unwrap();
        assert_eq!(benches.name, "factum-bench");
    }
}
