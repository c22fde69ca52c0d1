//! A log that grows, in the smallest sizes: every measure is there at every size, every read finds what was written,
//! every opening as many events as there were.

use serde_json::Value;
use std::{collections::BTreeSet, fs, process::Command};

/// Measures that take an empty page cache, and so root.
const COLD: [&str; 2] =
    ["opening after an orderly close, page cache empty", "opening after a kill, page cache empty"];
const MEASURES: [&str; 25] = [
    "raw, 1 event",
    "append-1",
    "append-1, fresh: nothing new with a tag that the log has",
    "append-1, absent: a tag that the log has not",
    "raw, 100 events",
    "append-100",
    "a stream within a million events",
    "a stream spread over the whole log",
    "`Store::read`, a page of 100 by tag",
    "memory of its own, log open",
    "of that before the log was opened",
    "memory that is mapped files, log open",
    "closing",
    "opening after an orderly close, page cache warm",
    "opening after a kill, page cache warm",
    "events in the log when it is opened",
    "events in its last segment, which is not sealed",
    "segments",
    "index files",
    "segments, of an event",
    "index files, of an event that is sealed",
    "filling since the size before, 1000 in a commit",
    "segments that waited to be sealed, at most",
    "part of the time that some waited",
    "sealing and merging after the last append",
];

#[test]
fn every_measure_is_there_at_every_size() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (json, markdown, files) =
        (dir.path().join("figures.json"), dir.path().join("report.md"), dir.path().join("files"));
    fs::create_dir(&files).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_factum-bench"))
        .args(["growth", "--unit", "10000", "--to", "1,2"])
        .args(["--json".as_ref(), json.as_os_str(), "--markdown".as_ref(), markdown.as_os_str()])
        .args(["--dir".as_ref(), files.as_os_str()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(fs::read_dir(&files).unwrap().count(), 0, "its files are removed");
    let report = fs::read_to_string(&markdown).unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), report);
    assert!(
        report.contains("| measure | 10000 | 20000 | beside raw, 10000 | beside raw, 20000 |"),
        "{report}"
    );
    let figures: Vec<Value> = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    for events in [10_000, 20_000] {
        let of_size = figures.iter().filter(|figure| figure["events"] == events);
        let found: BTreeSet<_> = of_size.map(|figure| figure["measure"].as_str().unwrap()).collect();
        let cold: BTreeSet<_> = COLD.into_iter().filter(|measure| found.contains(measure)).collect();
        assert!(cold.is_empty() == report.contains("NOT MEASURED"), "{report}");
        assert_eq!(found.difference(&cold).copied().collect::<BTreeSet<_>>(), MEASURES.into_iter().collect());
    }
    for figure in &figures {
        let is_beside_raw = figure["beside_raw"].as_f64().is_some_and(|ratio| ratio > 0.0);
        assert_eq!(is_beside_raw, figure["measure"].as_str().unwrap().starts_with("append"), "{figure}");
    }
}

#[test]
fn sizes_that_do_not_rise_are_refused() {
    let run =
        Command::new(env!("CARGO_BIN_EXE_factum-bench")).args(["growth", "--to", "5,1"]).output().unwrap();
    assert!(String::from_utf8_lossy(&run.stderr).contains("sizes that rise"));
    assert!(!run.status.success());
}
