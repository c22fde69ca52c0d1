//! Room ahead of the log: zeros written before the frames that come to stand there. A write into them changes
//! no length and takes no block from the file system, so that a sync writes the data alone, and not the inode
//! and the map of blocks with it: 1.4 times as many small appends, twice as many large ones.
//!
//! The active segment gets room in steps, with groups that are small beside such a step. Of the next segment
//! the whole file is filled while the active one is written, by a thread of its own that never runs ahead of
//! twice the appends. Room is never needed: where there is none, or none in time, a segment grows.

use crate::{
    format::NEXT_SEGMENT_FILE,
    limits::{ROOM_AHEAD_BYTES_MAX, ROOM_CHUNK_BYTES, ROOM_GROUP_BYTES_MAX},
    segment::Segment,
    storage::{Storage, StorageFile, ZEROS},
};
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

/// What a file system reads and writes at once, or a part of it, in bytes.
const BLOCK_BYTES: u64 = 4096;

/// Writes zeros after `end`, where a group of `group` bytes ends that is about to be synced; up to where there
/// is room then. Nothing hangs on it: what cannot be written is left out.
pub(crate) fn extend(segment: &Segment, end: u64, group: usize, segment_bytes: u64) -> u64 {
    if group > ROOM_GROUP_BYTES_MAX {
        return end;
    }
    let whole_blocks = (end + ROOM_AHEAD_BYTES_MAX as u64) / BLOCK_BYTES * BLOCK_BYTES;
    let to = whole_blocks.min(segment_bytes);
    match usize::try_from(to.saturating_sub(end)).unwrap_or(0) {
        0 => end,
        bytes => match segment.file.write_at(&ZEROS[..bytes], end) {
            Ok(()) => to,
            Err(_) => {
                // A part of them may be there, and are zeros all the same.
                let _ = segment.file.set_len(end);
                end
            }
        },
    }
}

/// How many bytes of room follow `end` in its block.
pub(crate) fn block_left(end: u64, room: u64) -> usize {
    let block = end.next_multiple_of(BLOCK_BYTES).min(room);
    usize::try_from(block.saturating_sub(end)).expect("a block is small")
}

/// The file of the next segment while it is filled.
#[derive(Debug)]
pub(crate) struct Ahead {
    storage: Arc<dyn Storage>,
    segment_bytes: u64,
    /// So much of the next segment should be filled by now.
    wanted: AtomicU64,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    file: Option<Arc<dyn StorageFile>>,
    filled: u64,
    ready: bool,
    /// Not tried again before the next segment.
    failed: bool,
    closing: bool,
}

impl Ahead {
    pub(crate) fn new(storage: Arc<dyn Storage>, segment_bytes: u64) -> Arc<Self> {
        let (wanted, state, wake) = (AtomicU64::new(0), Mutex::default(), Condvar::new());
        Arc::new(Self { storage, segment_bytes, wanted, state, wake })
    }

    /// Starts the thread that fills.
    pub(crate) fn run(self: &Arc<Self>) -> io::Result<JoinHandle<()>> {
        let this = Arc::clone(self);
        thread::Builder::new().name("factum-log-room".to_owned()).spawn(move || while this.step() {})
    }

    /// The active segment reaches to `end` now. From its second quarter on the next one is filled, at twice
    /// the rate.
    pub(crate) fn reached(&self, end: u64) {
        let wanted = end.saturating_sub(self.segment_bytes / 4).saturating_mul(2).min(self.segment_bytes);
        let before = self.wanted.load(Ordering::Relaxed);
        if wanted >= before + ROOM_CHUNK_BYTES as u64 || (wanted > before && wanted == self.segment_bytes) {
            let state = self.lock();
            self.wanted.store(wanted, Ordering::Relaxed);
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Whether the file [`NEXT_SEGMENT_FILE`] is full of zeros, durable, and the caller's from now on.
    pub(crate) fn take(&self) -> bool {
        let mut state = self.lock();
        self.wanted.store(0, Ordering::Relaxed);
        state.failed = false;
        let ready = std::mem::take(&mut state.ready);
        if ready {
            state.filled = 0;
        }
        ready
    }

    /// The thread ends after what it writes now.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }

    /// Waits until there is something to fill, and fills one chunk. False once the log closes.
    fn step(&self) -> bool {
        let mut state = self.lock();
        while !state.closing
            && (state.ready || state.failed || state.filled >= self.wanted.load(Ordering::Relaxed))
        {
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closing {
            state.file = None;
            // What is left of it is removed at the next open.
            let _ = self.storage.remove(NEXT_SEGMENT_FILE);
            return false;
        }
        let (file, filled) = (state.file.clone(), state.filled);
        drop(state);
        let stepped = self.fill(file, filled);
        let mut state = self.lock();
        match stepped {
            Ok(Some((file, filled))) => {
                state.ready = filled >= self.segment_bytes;
                (state.file, state.filled) = if state.ready { (None, filled) } else { (Some(file), filled) };
            }
            Ok(None) | Err(_) => {
                (state.file, state.filled, state.failed) = (None, 0, true);
                let _ = self.storage.remove(NEXT_SEGMENT_FILE);
            }
        }
        true
    }

    fn fill(
        &self,
        file: Option<Arc<dyn StorageFile>>,
        filled: u64,
    ) -> io::Result<Option<(Arc<dyn StorageFile>, u64)>> {
        let Some(file) =
            file.map_or_else(|| self.storage.reserve(NEXT_SEGMENT_FILE), |file| Ok(Some(file)))?
        else {
            return Ok(None);
        };
        file.write_at(&ZEROS[..ROOM_CHUNK_BYTES], filled)?;
        let filled = filled + ROOM_CHUNK_BYTES as u64;
        if filled >= self.segment_bytes {
            file.sync()?;
        }
        Ok(Some((file, filled)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
