//! The log that grows: it is filled, and then left alone until what is done beside its appends is done.

use super::{
    home::Home,
    numbered::{Numbered, events},
};
use crate::{
    Failure,
    log::{engine::Engine, factum::Factum},
    machine::now,
};
use std::{fs, path::Path, thread, time::Duration};

/// Events in a commit, while it is filled.
const FILL_EVENTS: u64 = 1000;
/// How often it is asked whether all is sealed.
const ASKED_EVERY: Duration = Duration::from_millis(5);
/// So often in a row it must look done: between two steps no file is under way.
const DONE_IN_A_ROW: u32 = 4;
/// Nobody waits longer, in nanoseconds.
const WAITED_MAX: u64 = 300 * 1_000_000_000;
/// So many events the last segment holds when the log is closed or killed: about half of the default segment.
const LAST_SEGMENT_EVENTS: std::ops::Range<u64> = 80_000..100_000;

/// How filling went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filled {
    pub(crate) events: u64,
    pub(crate) nanos: u64,
    /// Most segments that had ended and were not sealed.
    pub(crate) unsealed_max: usize,
    /// How long any such were there, while it was filled.
    pub(crate) behind: u64,
    /// How long sealing and merging went on after the last append.
    pub(crate) caught_up: u64,
}

/// Appends the events from `from` to `to`, and waits until all that ended is sealed and merged.
pub(crate) fn fill(
    factum: &Factum,
    home: &Home,
    numbered: &Numbered,
    from: u64,
    to: u64,
) -> Result<Filled, Failure> {
    let mut filled = Filled { events: to - from, ..Filled::default() };
    let (mut next, began) = (from, now());
    let mut last = began;
    while next < to {
        let numbers = next..to.min(next + FILL_EVENTS);
        next = numbers.end;
        let accounts: Vec<_> = numbers.clone().map(|number| numbered.whose(number).account()).collect();
        factum.append(events(&accounts, numbers))?;
        let unsealed = factum.log.maintenance().unsealed;
        filled.unsealed_max = filled.unsealed_max.max(unsealed);
        let at = now();
        filled.behind += if unsealed > 0 { at - last } else { 0 };
        last = at;
    }
    filled.nanos = last - began;
    filled.caught_up = settle(factum, home)?;
    Ok(filled)
}

/// Appends on until the last segment is about half full, so that every size opens the same of it; how many events
/// there are then. Where one segment holds all, it is left as it is.
pub(crate) fn half_fill_last(
    factum: &Factum,
    home: &Home,
    numbered: &Numbered,
    filled: u64,
) -> Result<u64, Failure> {
    let mut filled = filled;
    while in_last_segment(factum, home)?.is_some_and(|events| !LAST_SEGMENT_EVENTS.contains(&events)) {
        fill(factum, home, numbered, filled, filled + FILL_EVENTS)?;
        filled += FILL_EVENTS;
    }
    settle(factum, home)?;
    Ok(filled)
}

/// How many events the last of several segments holds.
pub(crate) fn in_last_segment(factum: &Factum, home: &Home) -> Result<Option<u64>, Failure> {
    let segments = home.segments()?;
    let Some(last) = segments.last().filter(|_| segments.len() > 1) else { return Ok(None) };
    Ok(Some(factum.log.published().position.get() + 1 - base_position(last)?))
}

/// The position of a segment's first event, as its header says it (`docs/internals/log-format.md`).
fn base_position(segment: &Path) -> Result<u64, Failure> {
    let mut header = [0; 64];
    std::io::Read::read_exact(&mut fs::File::open(segment)?, &mut header)?;
    let position = header.get(40..48).and_then(|bytes| bytes.try_into().ok());
    Ok(position.map(u64::from_le_bytes).ok_or("a header without a position")?)
}

/// Waits until all that ended is sealed and merged; nanoseconds until then.
fn settle(factum: &Factum, home: &Home) -> Result<u64, Failure> {
    let began = now();
    let (mut done, mut in_a_row) = (began, 0);
    while in_a_row < DONE_IN_A_ROW {
        let maintenance = factum.log.maintenance();
        if let Some(trouble) = maintenance.trouble {
            return Err(trouble.into());
        }
        if maintenance.unsealed == 0 && !home.is_under_way()? {
            in_a_row += 1;
        } else {
            (done, in_a_row) = (now(), 0);
        }
        if now() - began > WAITED_MAX {
            return Err("segments are still not sealed after five minutes".into());
        }
        thread::sleep(ASKED_EVERY);
    }
    Ok(done - began)
}
