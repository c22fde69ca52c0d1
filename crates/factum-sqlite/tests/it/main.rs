//! Files of SQLite beside a log, through the ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod read_models;
mod snapshots;
