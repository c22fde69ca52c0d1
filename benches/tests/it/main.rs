//! Runs the measurement small, so that it cannot rot. Asserts what was counted, never how long it took.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod growth;
mod log;

use std::process::Command;

/// The cells of the rows of the table that a run prints.
fn measure(arguments: &[&str]) -> Vec<Vec<String>> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let run =
        Command::new(env!("CARGO_BIN_EXE_factum-bench")).args(arguments).arg(dir.path()).output().unwrap();
    let (printed, told) = (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap());
    assert!(run.status.success(), "{printed}{told}");
    assert!(printed.contains("durability: fdatasync"), "{printed}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "its logs are removed");
    let rows = printed.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn every_command_of_every_load_is_accepted_and_decided() {
    let small =
        "logged --rounds 1 --warm-up 0 --seconds 60 --commands 300 --connections 8 --keys 20 --rate 2000";
    let mut arguments: Vec<_> = small.split(' ').collect();
    arguments.extend(["--hot", "40", "--dir"]);
    let rows = measure(&arguments);
    let counted: Vec<_> = rows.iter().map(|row| [&*row[0], &*row[1], &*row[2]]).collect();
    assert_eq!(
        counted,
        [
            ["bare", "as fast as answers come", "300"],
            ["direct", "as fast as answers come", "300"],
            ["logged", "as fast as answers come", "300"],
            ["bare", "2000/s", "300"],
            ["direct", "2000/s", "300"],
            ["logged", "2000/s", "300"],
            ["logged", "half of what was reached", "300"],
            ["logged", "40 to one value", "40"],
        ]
    );
}
