//! One segment file: its name, its header, its frames. Never decides what damage means; `scan` does.

use crate::{
    format::{Flaw, SEGMENT_HEADER_BYTES, SegmentHeader, segment_name},
    storage::{OpenMode, Storage, StorageFile, of_file, read_full},
};
use std::{io, sync::Arc};

/// An open segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) name: Arc<str>,
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn StorageFile>,
}

impl Segment {
    /// Makes the file, its header and its name durable. A file left half-made is removed again.
    pub(crate) fn create(storage: &dyn Storage, header: SegmentHeader) -> io::Result<Self> {
        let name = segment_name(header.base_sequence.get());
        let made = Self::make(storage, &name, header);
        if made.is_err() {
            // What cannot be removed now is a torn creation, which the next open removes.
            let _ = storage.remove(&name);
        }
        made
    }

    /// As [`Self::create`], from the file `filled`, which is full of zeros.
    pub(crate) fn take_over(storage: &dyn Storage, filled: &str, header: SegmentHeader) -> io::Result<Self> {
        let name = segment_name(header.base_sequence.get());
        let file = storage.open(filled, OpenMode::Write)?;
        file.write_at(&header.encode(), 0)?;
        file.sync()?;
        storage.rename(filled, &name)?;
        storage.sync_dir()?;
        Ok(Self { name: name.into(), header, file })
    }

    fn make(storage: &dyn Storage, name: &str, header: SegmentHeader) -> io::Result<Self> {
        let file = storage.open(name, OpenMode::Create)?;
        file.write_at(&header.encode(), 0)?;
        file.sync()?;
        storage.sync_dir()?;
        Ok(Self { name: name.into(), header, file })
    }

    /// Opens an existing file and reads its header.
    pub(crate) fn open(storage: &dyn Storage, name: &str, mode: OpenMode) -> io::Result<Result<Self, Flaw>> {
        let file = storage.open(name, mode).map_err(of_file(name))?;
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let read = read_full(&*file, &mut bytes, 0).map_err(of_file(name))?;
        Ok(SegmentHeader::decode(&bytes[..read]).map(|header| Self { name: name.into(), header, file }))
    }
}
