//! A server as its callers meet it, over a service made for it: who is let in, what they may do, how much
//! is taken on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod limits;
mod memos;
mod permissions;
mod senders;
mod served;
