//! The store port from outside.

mod conformance;
mod snapshots;
mod subjects;
