//! See `factum_log_fuzz::directory`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_log_fuzz::directory(bytes));
