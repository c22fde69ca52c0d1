//! What an open log does beside its appends: seals segments that ended, merges index files. Never fails an append: what cannot be done is told, and tried again.
//!
//! Lock order: as in `engine`; nothing is read or written while the index is locked.

use crate::{
    engine::Engine,
    index::{Covered, Part, Sealed, Sink, write_active, write_merged},
    integrity::CHAIN_START,
    limits::{MERGE_FAN_IN, MERGED_INDEX_BYTES_MAX},
    seal::{footer, write_footer, write_index},
    segment::Segment,
};
use std::{
    io,
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long the thread waits before it tries again what failed, if no segment ends meanwhile.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How the work beside the appends stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintenance {
    /// Segments that ended and are not sealed yet.
    pub unsealed: usize,
    /// Index files in use.
    pub index_files: usize,
    /// Why something could not be done. It is tried again at the next segment and every half minute; until
    /// then the log works as it did, and its index takes memory.
    pub trouble: Option<String>,
}

/// What is asked of the work, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Care {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: bool,
    closing: bool,
    trouble: Option<String>,
}

impl Care {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the thread after the step it is at.
    pub(crate) fn close(&self) {
        self.state().closing = true;
        self.bell.notify_all();
    }

    fn ask(&self) {
        self.state().asked = true;
        self.bell.notify_all();
    }

    /// Waits until there may be work; false once the log closes.
    fn wait(&self) -> bool {
        let mut state = self.state();
        loop {
            if state.closing {
                return false;
            }
            if std::mem::take(&mut state.asked) {
                return true;
            }
            state = if state.trouble.is_some() {
                let (state, waited) =
                    self.bell.wait_timeout(state, TRY_AGAIN_AFTER).unwrap_or_else(PoisonError::into_inner);
                if waited.timed_out() {
                    return !state.closing;
                }
                state
            } else {
                self.bell.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }
}

impl Engine {
    /// The thread of the work, until the log closes.
    pub(crate) fn care(&self) {
        give_way();
        while self.care.wait() {
            if panic::catch_unwind(AssertUnwindSafe(|| self.maintain())).is_err() {
                self.maintained(Some("sealing panicked".to_owned()));
            }
        }
    }

    /// A segment ended, or the log was opened. Nobody has the index locked.
    pub(crate) fn segment_ended(&self) {
        if self.options.background {
            self.care.ask();
        } else {
            self.maintain();
        }
    }

    pub(crate) fn maintenance(&self) -> Maintenance {
        let (unsealed, index_files) = {
            let index = self.index();
            let files = index.files().count();
            let parts = index.parts().iter().filter(|part| saved(part).is_none());
            (parts.map(|part| index.segments_of(part.get().sequences()).len()).sum(), files)
        };
        Maintenance { unsealed, index_files, trouble: self.care.state().trouble.clone() }
    }

    /// Does all that is due.
    fn maintain(&self) {
        let trouble =
            self.seal_and_merge().err().map(|error| format!("cannot seal or index a segment: {error}"));
        // A log that is being closed ends what it is at by an error.
        if trouble.is_none() || !self.care.state().closing {
            self.maintained(trouble);
        }
    }

    /// Notes what went wrong, or that nothing did, and tells of it.
    fn maintained(&self, trouble: Option<String>) {
        let before = std::mem::replace(&mut self.care.state().trouble, trouble.clone());
        let Some(observer) = &self.options.observer else { return };
        if trouble.is_some() || before.is_some() {
            observer.maintained(trouble.as_deref());
        }
        if let Some(trouble) = trouble.filter(|trouble| before.as_ref() != Some(trouble)) {
            observer
                .warned(&format!("{trouble}. The log works on, with its index in memory; it is tried again"));
        }
    }

    fn seal_and_merge(&self) -> io::Result<()> {
        while !self.care.state().closing && (self.seal_next()? || self.merge_next()?) {}
        Ok(())
    }

    /// Seals the oldest part that has no file yet. Whether there was one.
    fn seal_next(&self) -> io::Result<bool> {
        let next = {
            let index = self.index();
            let part = index.parts().iter().find(|part| saved(part).is_none()).cloned();
            part.map(|part| {
                let numbers = index.segments_of(part.get().sequences());
                let before = numbers.start.checked_sub(1).map(|before| index.segment(before).clone());
                let segments: Vec<(Segment, Covered)> =
                    numbers.map(|number| (index.segment(number).clone(), index.covered(number))).collect();
                (part, before, segments)
            })
        };
        let Some((part, before, segments)) = next else { return Ok(false) };
        let mut chain = match before {
            None => CHAIN_START,
            Some(before) => match footer(&before)? {
                Some(footer) => footer.chain,
                None => return Err(io::Error::other(format!("{} has lost its footer", before.name))),
            },
        };
        for (segment, covered) in &segments {
            let written = match footer(segment)?.filter(|footer| footer.end == covered.end) {
                Some(footer) => footer,
                None => write_footer(segment, covered.end, &chain)?,
            };
            chain = written.chain;
        }
        let Some((last, _)) = segments.last() else { return Ok(false) };
        let covered: Vec<_> = segments.iter().map(|(_, covered)| *covered).collect();
        let sealed = write_index(&*self.storage, part.get().sequences(), |sink| {
            let mut sink = self.closable(sink);
            match &part {
                Part::Memory(active) => write_active(active, last.header.identity, &covered, &mut sink),
                Part::Sealed(packed) => packed.write(&mut sink),
            }
        })?;
        self.replace(sealed)?;
        Ok(true)
    }

    /// Merges the first parts of a size that follow each other. Whether there were enough.
    fn merge_next(&self) -> io::Result<bool> {
        let Some(parts) = mergeable(self.index().parts()) else { return Ok(false) };
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Ok(false) };
        let commits: Range<u64> = first.header.base_sequence.get()
            ..last.header.base_sequence.get() + u64::from(last.header.commits);
        let identity = last.header.identity;
        let sealed = write_index(&*self.storage, commits, |sink| {
            write_merged(&parts, identity, &mut self.closable(sink))
        })?;
        self.replace(sealed)?;
        for file in parts.iter().filter_map(|part| part.file.as_deref()) {
            // What cannot be removed now is not used, and is removed at the next open.
            let _ = self.storage.remove(file);
        }
        Ok(true)
    }

    /// Puts a part in the place of those that it covers. Without such it would be made over and over.
    fn replace(&self, sealed: Arc<Sealed>) -> io::Result<()> {
        if self.index_mut().replace(vec![Part::Sealed(sealed)]) {
            return Ok(());
        }
        Err(io::Error::other("the index has no parts that end where the index file does"))
    }

    fn closable<'a>(&'a self, sink: &'a mut dyn Sink) -> Closable<'a> {
        Closable { care: &self.care, sink }
    }
}

/// Stops writing once the log closes: what is not finished is done after the next open.
struct Closable<'a> {
    care: &'a Care,
    sink: &'a mut dyn Sink,
}

impl Sink for Closable<'_> {
    fn put(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        if self.care.state().closing {
            return Err(io::Error::other("the log is being closed"));
        }
        self.sink.put(bytes, at)
    }
}

/// The part, if it has a file.
fn saved(part: &Part) -> Option<&Arc<Sealed>> {
    match part {
        Part::Sealed(sealed) if sealed.file.is_some() => Some(sealed),
        _ => None,
    }
}

/// The first parts with a file that are of a size, follow each other, and may become one.
fn mergeable(parts: &[Part]) -> Option<Vec<Arc<Sealed>>> {
    let size = |part: &Part| saved(part).map(|sealed| level(sealed.header.segments));
    parts.windows(MERGE_FAN_IN).find_map(|window| {
        let level = size(&window[0])?;
        let parts: Vec<_> =
            window.iter().filter(|part| size(part) == Some(level)).filter_map(saved).cloned().collect();
        let bytes: u64 = parts.iter().map(|part| part.header.length).sum();
        (parts.len() == MERGE_FAN_IN && bytes <= MERGED_INDEX_BYTES_MAX).then_some(parts)
    })
}

/// How often a part was merged, by how many segments it covers.
fn level(segments: u32) -> u32 {
    let fan_in = u32::try_from(MERGE_FAN_IN).expect("it is small");
    segments.max(1).ilog(fan_in)
}

/// The calling thread gets a core after those who append.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        // One that may not give way shares.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_counts_as_merged_by_the_segments_it_covers() {
        assert_eq!([1, 7, 8, 63, 64, 512].map(level), [0, 0, 1, 1, 2, 3]);
    }
}
