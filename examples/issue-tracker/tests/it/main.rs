//! The service over an app in memory, where what the demo leaves to chance is held still.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod openapi;
mod waiting;
