//! Opening the log at a size: after it was closed in order, and as a kill leaves it; page cache warm and empty.

use super::{figure::Figures, home::Home};
use crate::{
    Failure,
    log::{
        engine::Engine,
        factum::Factum,
        medium::{drop_caches, keeps_caches},
    },
    machine::{now, seconds},
};
use std::fs;

/// How often each is done; the one in the middle is shown.
const TIMES: usize = 5;

/// Measures them, of a log that is closed and as it was `killed` before; both hold `events`.
pub(crate) fn opens(home: &Home, killed: &Home, events: u64, figures: &mut Figures) -> Result<(), Failure> {
    let is_root = keeps_caches().is_none();
    for (closed, measure, cold) in [
        (true, "opening after an orderly close, page cache warm", false),
        (true, "opening after an orderly close, page cache empty", true),
        (false, "opening after a kill, page cache warm", false),
        (false, "opening after a kill, page cache empty", true),
    ] {
        if cold && !is_root {
            continue;
        }
        let mut took = Vec::new();
        for _ in 0..TIMES {
            let copy = home.0.with_extension("copy");
            let opened = if closed { home.clone() } else { killed.as_killed(copy.clone())? };
            rustix::fs::sync();
            if cold {
                drop_caches()?;
            }
            took.push(open(&opened, events)?);
            if !closed {
                fs::remove_dir_all(copy)?;
            }
        }
        took.sort_unstable();
        figures.number(measure, "ms", seconds(took[TIMES / 2]) * 1e3);
    }
    Ok(())
}

/// Nanoseconds that opening takes; closing it again is not timed.
fn open(home: &Home, events: u64) -> Result<u64, Failure> {
    let began = now();
    let factum = Factum::open(&home.0)?;
    let took = now() - began;
    let held = factum.log.published().position.get();
    factum.close()?;
    if held == events {
        Ok(took)
    } else {
        Err(format!("{held} events are there when it is opened, not {events}").into())
    }
}
