//! What the log engine holds, shown through its public surface.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests of small logs")]

mod conformance;
mod envelope;
mod faults;
mod fixture;
mod inspection;
mod kill;
mod model;
mod observer;
mod pages;
#[cfg(unix)]
mod place;
mod recovery;
mod sealing;
mod sim;
mod support;
mod verification;
mod watermark;
mod writers;
