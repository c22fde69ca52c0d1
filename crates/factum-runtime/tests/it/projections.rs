//! Read models: each event once, in order, whatever becomes of who applies it.

mod at_rest;
mod broken;
pub(crate) mod counters;
mod deaths;
mod desk;
mod each_once;
mod fences;
mod killed;
mod modes;
mod older;
mod parks;
mod random;
mod rebuilds;
mod restarts;
mod smoke;
mod starting;
