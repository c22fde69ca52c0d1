//! What is half made, or no data at all, is run on by no verb; and what a backup looks at, in which order.

use crate::{
    ledger::enter,
    program::{Ended, ledger},
};
use std::{fs, path::Path};

/// Every verb that opens, copies or restores data.
const VERBS: [&str; 7] = [
    "serve --data DIR/again --listen 127.0.0.1:0",
    "log --data DIR/again",
    "projections list --data DIR/again",
    "projections pause bank/counts --data DIR/again",
    "commands parked --data DIR/again",
    "backup DIR/again DIR/other",
    "restore DIR/again --data DIR/other",
];

/// What is there, whole, at `again`.
fn whole(root: &Path) {
    enter(&root.join("data"), "bank", 1..=3);
    ledger(root, "backup DIR/data DIR/backup").done();
    ledger(root, "restore DIR/backup --data DIR/again").done();
}

#[test]
fn on_what_a_restore_left_half_made_no_verb_runs() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    whole(root);
    let staging = root.join("again/.restoring");
    fs::create_dir_all(staging.join("shop")).unwrap();
    for line in VERBS.into_iter().chain(["restore DIR/backup --data DIR/again"]) {
        let told = ledger(root, line).refused();
        let advice = "again/.restoring: move that folder away or remove it, and restore again";
        assert!(told.contains(advice), "{line}: {told}");
        assert!(!root.join("other").exists(), "{line}: nothing was begun");
    }
    // Where there is nothing else yet, too.
    fs::create_dir_all(root.join("fresh/.restoring/bank")).unwrap();
    let told = ledger(root, "restore DIR/backup --data DIR/fresh").refused();
    assert!(told.contains("fresh/.restoring: move that folder away or remove it"), "{told}");
    fs::rename(root.join("fresh/.restoring"), root.join("aside")).unwrap();
    ledger(root, "restore DIR/backup --data DIR/fresh").done();
    fs::remove_dir_all(staging).unwrap();
    ledger(root, "log --data DIR/again").done();
}

#[test]
fn on_a_backup_no_verb_runs_but_to_restore_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    whole(root);
    fs::copy(root.join("backup/backup.json"), root.join("again/backup.json")).unwrap();
    for line in VERBS.into_iter().filter(|line| !line.starts_with("restore")) {
        let told = ledger(root, line).refused();
        assert!(told.contains("again is a backup: `restore` makes data of it"), "{line}: {told}");
        assert!(!root.join("other").exists(), "{line}: nothing was begun");
    }
}

/// By what is told of when all of it is damaged: the first that is looked at.
#[test]
fn a_backup_looks_at_all_notes_then_all_events_then_all_commands() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    for service in ["bank", "shop"] {
        enter(&data, service, 1..=3);
        ledger(root, &format!("projections pause {service}/sums --data DIR/data")).done();
    }
    let damage = |file: &str| fs::write(data.join(file), "it was something else once".repeat(200)).unwrap();
    let told = || {
        let Ended { code, err, .. } = ledger(root, "backup DIR/data DIR/backup");
        assert_eq!(code, 1, "{err}");
        err
    };
    damage("bank/commands/meta");
    assert!(told().contains("bank/commands"), "{}", told());
    damage("shop/events/meta");
    assert!(told().contains("shop/events"), "{}", told());
    damage("shop/views/projections.sqlite");
    assert!(told().contains("shop/views"), "{}", told());
    assert!(!root.join("backup").exists());
}
