//! The verbs of an application, as an operator meets them: run as a process of its own, on data and beside a
//! service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backups;
mod commands;
mod full;
mod ledger;
mod log;
mod names;
mod parked;
mod program;
mod rebuilding;
mod served;
mod standing;
mod unfinished;
