//! Read models: each event once, in order, whatever becomes of who applies it.

mod at_rest;
pub(crate) mod counters;
mod deaths;
mod desk;
mod fences;
mod modes;
mod parks;
mod random;
mod rebuilds;
mod restarts;
mod smoke;
