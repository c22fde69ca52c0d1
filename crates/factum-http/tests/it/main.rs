//! A served application as those meet it who ask it, whether they may or not, and those who watch it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod admin;
mod boxes;
mod connections;
mod feeds;
mod health;
mod limits;
mod lists;
mod memos;
mod metrics;
mod notes;
mod operators;
mod permissions;
mod reading;
mod senders;
mod sending;
mod served;
mod tracing;
