//! See `factum_log_fuzz::index_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_log_fuzz::index_file(bytes));
