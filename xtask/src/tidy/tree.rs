//! The files that the rules look at, held as text, and the packages they belong to. Rules read this and
//! never the disk, so that each can be tested on a few lines.

use crate::{
    Failure,
    workspace::{self, Package, relative},
};
use std::{collections::BTreeMap, fs, path::Path};

/// Folders that hold nothing of ours.
const LEFT_OUT: &[&str] = &["target", ".git", "book", "factum-data", "node_modules"];
/// Ends of the names of files that are read; of others only the name is known.
const READ: &[&str] = &["rs", "md", "toml"];

/// The workspace's files, by path relative to its root, and its packages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
    pub(crate) packages: Vec<Package>,
}

impl Tree {
    /// The tree on disk.
    pub(crate) fn load() -> Result<Self, Failure> {
        let root = workspace::root();
        let mut files = BTreeMap::new();
        walk(&root, &root, &mut files)
            .map_err(|cause| format!("cannot read the files below {}: {cause}", root.display()))?;
        Ok(Self { files, packages: workspace::packages()? })
    }

    /// Every path.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The text of `path`, empty for a file that is not read as text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is such a file, or a folder with files.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.contains_key(path) || self.paths().any(|file| file.starts_with(&folder))
    }

    /// Paths and texts of the files whose name ends in `.end`.
    pub(crate) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.rsplit_once('.').is_some_and(|(_, its)| its == end))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Paths and texts of the Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending("rs")
    }
}

fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(root, &path, files)?;
            continue;
        }
        let is_text = path.extension().is_some_and(|end| READ.iter().any(|read| end == *read));
        let text = if is_text { fs::read_to_string(&path)? } else { String::new() };
        files.insert(relative(root, &path), text);
    }
    Ok(())
}

#[cfg(test)]
impl Tree {
    /// A tree of these files, without packages.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, packages: Vec::new() }
    }

    /// With this package too.
    pub(crate) fn with(mut self, package: Package) -> Self {
        self.packages.push(package);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_on_disk_has_this_file_and_no_build_output() {
        let tree = Tree::load().unwrap();
        assert!(tree.text("xtask/src/tidy/tree.rs").unwrap().starts_with("//! The files"));
        assert!(tree.exists("xtask/src"));
        assert!(!tree.exists("target") && !tree.exists("xtask/sr"));
    }
}
