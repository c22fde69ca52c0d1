//! Direct commands over a store, through the public API.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bank;
mod caching;
mod caching_soak;
mod crashes;
mod guards;
mod idempotency;
mod lanes;
mod loading;
mod observed;
mod outcomes;
mod parking;
mod races;
mod snapshots;
mod unknown;
