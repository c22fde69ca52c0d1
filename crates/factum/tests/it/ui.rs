//! What the compiler says to a newcomer. `TRYBUILD=overwrite cargo test -p factum ui` writes it down
//! again: read it as if for the first time before keeping it.

#[test]
fn a_compile_error_says_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
