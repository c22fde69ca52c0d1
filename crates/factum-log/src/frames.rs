//! Walks the frames of one segment in order, through a buffer or where a map shows them. Verifies each; never
//! decides what a flaw means.
//!
//! What may be damaged is read: a medium that cannot give a page back fails a read, but ends a process that
//! looks at it in a map.

use crate::{
    format::{FRAME_HEADER_BYTES, FRAME_MAGIC, Flaw, Record, footer_length, record_at},
    limits::SCAN_BYTES,
    storage::{FileMap, StorageFile, read_full},
    view::CommitView,
};
use std::io;

/// Stands at a place in a segment.
#[derive(Debug)]
pub(crate) struct Frames<'a> {
    file: &'a dyn StorageFile,
    salt: u32,
    /// Bytes of the file from `start` on, the first `filled` of them read.
    buffer: Vec<u8>,
    filled: usize,
    start: u64,
    /// The place of the next frame.
    at: u64,
    /// Nothing is read from here on.
    end: u64,
    shown: Option<Shown<'a>>,
}

/// The file as memory.
#[derive(Debug)]
struct Shown<'a> {
    map: &'a dyn FileMap,
    /// From the start of the file up to the end of the walk.
    bytes: &'a [u8],
    /// Up to here it has been asked for.
    fetched: u64,
}

/// What stood at a place.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    Commit {
        offset: u64,
        view: CommitView<'a>,
    },
    /// The bytes end here, or a footer does.
    End,
    Flawed(Flaw),
}

impl<'a> Frames<'a> {
    /// Walks from `at`, the start of a frame, up to `end` or to where the file ends now.
    pub(crate) fn new(file: &'a dyn StorageFile, salt: u32, at: u64, end: u64) -> io::Result<Self> {
        let end = end.min(file.len()?);
        Ok(Self { file, salt, buffer: Vec::new(), filled: 0, start: at, at, end, shown: None })
    }

    /// As [`Self::new`], of commits that were published, without copying them. `map` is that of the file, up
    /// to `end` at least.
    pub(crate) fn mapped(
        file: &'a dyn StorageFile,
        map: &'a dyn FileMap,
        salt: u32,
        at: u64,
        end: u64,
    ) -> io::Result<Self> {
        let mut frames = Self::new(file, salt, at, end)?;
        let shown = |bytes| Shown { map, bytes, fetched: at };
        frames.shown = map.slice(0..frames.end).map(shown);
        Ok(frames)
    }

    /// Where the next frame is due.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next frame. After a flaw the place stays.
    #[inline(always)]
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        let salt = self.salt;
        let mut window = self.window(FRAME_HEADER_BYTES)?;
        if window.is_empty() {
            return Ok(Step::End);
        }
        if let Some(length) = footer_length(window) {
            window = self.window(length)?;
        }
        let header = match record_at(window, salt) {
            Ok(Record::Frame(header)) => header,
            Ok(Record::Footer { .. }) => return Ok(Step::End),
            Err(flaw) => return Ok(Step::Flawed(flaw)),
        };
        let offset = self.at;
        self.window(header.length())?;
        let bytes = match &self.shown {
            Some(shown) => part(shown.bytes, self.at),
            None => part(&self.buffer[..self.filled], self.at - self.start),
        };
        match CommitView::read(header, bytes) {
            Ok(view) => {
                self.at += header.length() as u64;
                Ok(Step::Commit { offset, view })
            }
            Err(flaw) => Ok(Step::Flawed(flaw)),
        }
    }

    /// At least `want` bytes from the place on, or what there is.
    #[inline]
    fn window(&mut self, want: usize) -> io::Result<&[u8]> {
        if let Some(shown) = &mut self.shown {
            shown.fetch(self.at + want as u64);
            return Ok(part(shown.bytes, self.at));
        }
        let from = usize::try_from(self.at - self.start).expect("the place is within the buffer");
        if self.filled < from + want {
            self.buffer.copy_within(from..self.filled, 0);
            (self.filled, self.start) = (self.filled - from, self.at);
            let next = self.at + self.filled as u64;
            let left = usize::try_from(self.end.saturating_sub(next)).unwrap_or(usize::MAX);
            let full = self.filled + left.min(want.max(SCAN_BYTES));
            if self.buffer.len() < full {
                self.buffer.resize(full, 0);
            }
            self.filled += read_full(self.file, &mut self.buffer[self.filled..full], next)?;
        }
        Ok(part(&self.buffer[..self.filled], self.at - self.start))
    }
}

impl Shown<'_> {
    /// Asks for what follows `at`, so that it is there when the walk is.
    #[inline]
    fn fetch(&mut self, at: u64) {
        while self.fetched < at + SCAN_BYTES as u64 && self.fetched < self.bytes.len() as u64 {
            let next = self.fetched + SCAN_BYTES as u64;
            self.map.will_need(&[self.fetched..next]);
            self.fetched = next;
        }
    }
}

/// The bytes from here on; none beyond the end.
#[inline]
fn part(bytes: &[u8], from: u64) -> &[u8] {
    usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default()
}

/// A frame that starts after `from`, whose header is whole and for which `wanted` holds. Its body may not be.
pub(crate) fn find_header(
    file: &dyn StorageFile,
    salt: u32,
    from: u64,
    wanted: impl Fn(&crate::format::FrameHeader) -> bool,
) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; SCAN_BYTES];
    let mut start = from + 1;
    loop {
        let read = read_full(file, &mut buffer, start)?;
        let bytes = &buffer[..read];
        for (index, _) in
            bytes.windows(FRAME_MAGIC.len()).enumerate().filter(|(_, four)| **four == FRAME_MAGIC)
        {
            if let Ok(Record::Frame(header)) = record_at(&bytes[index..], salt)
                && wanted(&header)
            {
                return Ok(Some(start + index as u64));
            }
        }
        if read < buffer.len() {
            return Ok(None);
        }
        // A header that the buffer cut off is seen whole in the next one.
        start += (read - FRAME_HEADER_BYTES) as u64;
    }
}
