//! How far the logs have come.

use crate::{ledger::enter, program::ledger};

#[test]
fn heads_and_sizes_of_all_logs_are_told() {
    let dir = tempfile::tempdir().unwrap();
    enter(dir.path(), "bank", 1..=3);
    let logs = ledger(dir.path(), "log --json --data DIR").json();
    let events = &logs[0]["events"];
    assert_eq!((&logs[0]["service"], &events["position"]), (&"bank".into(), &3.into()), "{logs:#}");
    assert!(events["bytes"].as_u64().unwrap() > 100, "{logs:#}");
    let people = ledger(dir.path(), "log --data DIR").done();
    let rows: Vec<_> = people.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(rows[0], ["SERVICE", "LOG", "HEAD", "COMMITS", "BYTES"]);
    assert_eq!(
        (&rows[1][..4], &rows[2][..3]),
        (&["bank", "events", "3", "3"][..], &["bank", "commands", "0"][..])
    );
}
