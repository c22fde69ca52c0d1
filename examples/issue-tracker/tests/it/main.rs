//! The service over an app in this process, where what the demo leaves to chance is held still.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod listing;
mod openapi;
mod reading;
mod rebuilding;
mod served;
mod stale;
mod waiting;
