//! The log beside its peers, in the smallest size: every row is there, of the right form, and every run has found
//! what it wrote, else it would be no row.

use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Runs it; the rows, and the report.
fn measure(dir: &Path, arguments: &[&str]) -> (Vec<Value>, String) {
    let (json, markdown, files) = (dir.join("rows.json"), dir.join("report.md"), dir.join("files"));
    fs::create_dir(&files).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_factum-bench"))
        .args(["--smoke", "--rounds", "1"])
        .args(arguments)
        .args(["--json".as_ref(), json.as_os_str(), "--markdown".as_ref(), markdown.as_os_str()])
        .args(["--dir".as_ref(), files.as_os_str()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(fs::read_dir(&files).unwrap().count(), 0, "its files are removed");
    let report = fs::read_to_string(&markdown).unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), report, "nothing but the report is printed");
    (serde_json::from_slice(&fs::read(&json).unwrap()).unwrap(), report)
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap()
}

#[test]
fn every_work_of_every_system_is_a_row() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (rows, report) = measure(dir.path(), &[]);
    let found: BTreeSet<_> =
        rows.iter().map(|row| format!("{} {}", text(row, "work"), text(row, "system"))).collect();
    let of = |works: &'static [&str], systems: &'static [&str]| {
        works.iter().flat_map(|work| systems.iter().map(move |system| format!("{work} {system}")))
    };
    let expected: BTreeSet<_> = of(
        &["append-1", "append-100", "append-1000", "replay"],
        &["raw", "factum", "tephra", "umadb", "sqlite"],
    )
    .chain(of(&["writers-64", "writers-256"], &["factum", "tephra", "umadb"]))
    .chain(of(
        &["threads-64", "threads-256", "streams", "cold-select"],
        &["factum", "tephra", "umadb", "sqlite"],
    ))
    .collect();
    assert_eq!(found, expected);
    assert_eq!(rows.len(), expected.len(), "once each");
    for row in &rows {
        let fields: BTreeSet<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let named =
            ["work", "system", "durability", "per_second", "p50_us", "p99_us", "bytes_per_event"].into();
        assert_eq!(fields, named);
        let synced = if row["system"] == "sqlite" { "fsync" } else { "fdatasync" };
        assert_eq!(row["durability"], synced, "{row}");
        assert!(row["per_second"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["p99_us"].as_f64().unwrap() >= row["p50_us"].as_f64().unwrap(), "{row}");
        let filled = ["replay", "streams", "cold-select"].contains(&text(row, "work"));
        match row["bytes_per_event"].as_f64() {
            Some(bytes) => assert!(filled && bytes > 256.0, "a payload has 256 bytes: {row}"),
            None => assert!(!filled && row["bytes_per_event"].is_null(), "few events say nothing: {row}"),
        }
    }
    for line in
        ["- machine: ", "- versions: factum ", "- durability: ", "| append-1 | ", "| cold-select | - | "]
    {
        assert!(report.contains(line), "no {line:?} in {report}");
    }
}

#[test]
fn works_and_systems_can_be_chosen() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (rows, _) = measure(dir.path(), &["--only", "append-100,replay", "--systems", "factum,raw"]);
    let found: Vec<_> = rows.iter().map(|row| (text(row, "work"), text(row, "system"))).collect();
    assert_eq!(
        found,
        [("append-100", "raw"), ("append-100", "factum"), ("replay", "raw"), ("replay", "factum")]
    );
}
