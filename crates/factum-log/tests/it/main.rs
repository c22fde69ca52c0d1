//! What the log engine holds, shown through its public surface.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests of small logs")]

mod between_segments;
mod completions;
mod conformance;
mod copying;
mod corpus;
mod crash_points;
mod envelope;
mod faults;
mod filled;
mod fixture;
mod following;
mod index_files;
mod inspection;
mod kill;
mod ledger;
mod medium;
mod model;
mod observer;
mod pages;
#[cfg(unix)]
mod place;
mod reads;
mod recovery;
mod refusals;
mod room;
mod script;
mod sealed_fixture;
mod sealing;
mod select;
mod sim;
mod support;
mod unsynced;
mod verification;
mod watermark;
mod writers;
