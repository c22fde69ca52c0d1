//! The service over an app in memory, asked over HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod concurrency;
mod openapi;
mod reading;
mod served;
