//! What the hand-over of the lead stands on. `tests/handover` compiles `queue` with other ones, which play every
//! interleaving; so it takes these from here and not from `std`.

pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, Thread},
};
