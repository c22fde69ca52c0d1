//! The binary as its users meet it: started, asked over HTTP, killed, started again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod attacks;
mod backups;
mod bank;
mod connections;
mod crash;
mod data;
mod described;
mod following;
mod full_disk;
mod issues;
mod openapi;
mod refusals;
mod server;
mod stopping;
mod watching;
mod who_is_asking;
