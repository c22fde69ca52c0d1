//! What the compiler says to a newcomer. `TRYBUILD=overwrite cargo test -p factum ui` writes it down
//! again: read it as if for the first time before keeping it.
//!
//! Compilers differ in how they frame our words, so the texts are compared under one of them only; that one
//! is what the gate runs.

use std::process::Command;

/// The compiler whose messages are written down.
const RUSTC: &str = "rustc 1.95.";

#[test]
fn a_compile_error_says_what_to_do() {
    let told = Command::new("rustc").arg("--version").output().expect("cargo runs where rustc is");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    if told.starts_with(RUSTC) {
        trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
    } else {
        assert!(std::env::var_os("CI").is_none(), "the gate runs {RUSTC}x, and this is {told}");
        eprintln!("NOT COMPARED: the messages written down are those of {RUSTC}x, and this is {told}");
    }
}
