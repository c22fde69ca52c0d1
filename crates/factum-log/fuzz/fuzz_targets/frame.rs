//! See `factum_log_fuzz::frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_log_fuzz::frame(bytes));
