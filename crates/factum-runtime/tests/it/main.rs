//! Direct commands over a store, through the public API.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apart;
mod bank;
mod caching;
mod caching_soak;
mod crashes;
mod desk;
mod expected;
mod feeds;
mod full;
mod guards;
mod idempotency;
mod interleavings;
mod kill;
mod lanes;
mod load;
mod loading;
mod observed;
mod outcomes;
mod parking;
mod projections;
mod races;
mod releasing;
mod restored;
mod snapshots;
mod two_logs;
mod unknown;
