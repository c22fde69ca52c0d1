//! A served application as an operator watches it: its health, its traces, its measures.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod health;
mod metrics;
mod notes;
mod tracing;
