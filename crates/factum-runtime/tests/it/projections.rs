//! Read models: each event once, in order, whatever becomes of who applies it.

mod at_rest;
pub(crate) mod counters;
mod deaths;
mod desk;
mod fences;
mod parks;
mod restarts;
mod smoke;
