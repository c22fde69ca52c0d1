//! Read models: each event once, in order, whatever becomes of who applies it.

mod at_rest;
pub(crate) mod counters;
mod smoke;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

static POISON: AtomicBool = AtomicBool::new(false);

/// Whether poisoned events cannot be applied at the moment.
pub(crate) fn poisonous() -> bool {
    POISON.load(Ordering::SeqCst)
}
