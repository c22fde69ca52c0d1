//! The store port from outside.

mod conformance;
mod subjects;
