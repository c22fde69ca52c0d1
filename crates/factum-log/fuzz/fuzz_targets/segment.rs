//! See `factum_log_fuzz::segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| factum_log_fuzz::segment(bytes));
