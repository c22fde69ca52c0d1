//! What `crate::sync` is to the engine, played through.

pub(crate) use loom::{
    sync::{Condvar, Mutex, MutexGuard},
    thread::{self, Thread},
};
pub(crate) use std::sync::PoisonError;
