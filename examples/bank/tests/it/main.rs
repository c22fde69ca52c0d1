//! The service over an app in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod openapi;
