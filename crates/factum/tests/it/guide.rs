//! The code that the guide shows, compiled and run: each page includes it from here by its anchors.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "it is written as an application's own module would be, and is a test all the same"
)]

mod decisions;
mod events;
mod models;
mod parked;
mod read_models;
mod rebuilding;
mod speed;
mod testing;

use std::{collections::BTreeSet, fs, path::Path};

/// What the guide includes, as (file, anchor).
fn includes(page: &str) -> Vec<(&str, &str)> {
    let after = page.split("{{#include ../../../").skip(1);
    let inside = after.filter_map(|rest| rest.split_once("}}").map(|(inside, _)| inside));
    inside.filter_map(|inside| inside.split_once(':')).collect()
}

#[test]
fn every_anchor_that_the_guide_includes_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = BTreeSet::new();
    for page in fs::read_dir(root.join("docs/guide/src")).unwrap() {
        let page = page.unwrap().path();
        let text = fs::read_to_string(&page).unwrap();
        for (file, anchor) in includes(&text) {
            let source = fs::read_to_string(root.join(file)).unwrap();
            for end in [format!("ANCHOR: {anchor}\n"), format!("ANCHOR_END: {anchor}\n")] {
                assert!(source.contains(&end), "{}: {file} has no `{end}`", page.display());
            }
            files.insert(file.to_owned());
        }
    }
    assert!(files.len() > 3, "the guide includes {files:?}");
}
