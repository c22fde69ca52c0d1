//! Direct commands over a store, through the public API.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bank;
mod idempotency;
mod loading;
mod observed;
mod outcomes;
mod races;
mod unknown;
