//! The durable-head watermark: the file `head`, two slots overwritten in turn after each sync of the log
//! and before what was synced is acknowledged.
//!
//! It never leads: a slot names only what a sync has made durable. It is not synced itself but at open, roll
//! and close, so after power loss it may lag; after the death of the process alone it does not, for the page
//! cache outlives a process. So it tells a corrupt acknowledged tail from a torn one always after a crash of
//! the process, and after power loss up to where the medium had taken it.

use crate::{
    format::{
        WATERMARK_BYTES, WATERMARK_FILE, WATERMARK_RECORD_BYTES, WATERMARK_SLOT_BYTES, WatermarkRecord,
    },
    storage::{OpenMode, Storage, StorageFile, read_full},
};
use std::{io, sync::Arc};

/// The file, open for writing.
#[derive(Debug)]
pub(crate) struct Watermark {
    file: Arc<dyn StorageFile>,
    next: usize,
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatermarkState {
    Known(WatermarkRecord),
    /// No slot is whole, or the file is not there.
    Lost,
}

impl Watermark {
    /// Makes the file anew, both slots saying `record`, and syncs it.
    pub(crate) fn create(storage: &dyn Storage, record: &WatermarkRecord) -> io::Result<Self> {
        let file = storage.open(WATERMARK_FILE, OpenMode::Create)?;
        file.write_at(&[0; WATERMARK_BYTES], 0)?;
        let mut watermark = Self { file, next: 0 };
        watermark.settle(record)?;
        Ok(watermark)
    }

    /// Takes the file up where it is, and settles it at `record`.
    pub(crate) fn resume(storage: &dyn Storage, record: &WatermarkRecord) -> io::Result<Self> {
        let mut watermark = match storage.open(WATERMARK_FILE, OpenMode::Write) {
            Ok(file) => Self { file, next: 0 },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::create(storage, record),
            Err(error) => return Err(error),
        };
        watermark.settle(record)?;
        Ok(watermark)
    }

    /// What the file says; a slot of another life of the log says nothing.
    pub(crate) fn read(storage: &dyn Storage) -> io::Result<WatermarkState> {
        let file = match storage.open(WATERMARK_FILE, OpenMode::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(WatermarkState::Lost),
            Err(error) => return Err(error),
        };
        let mut bytes = [0; WATERMARK_BYTES];
        let read = read_full(&*file, &mut bytes, 0)?;
        let slots = bytes[..read].chunks(WATERMARK_SLOT_BYTES);
        let known = slots.filter_map(|slot| WatermarkRecord::decode(slot).ok());
        Ok(known
            .max_by_key(|record| (record.identity.generation, record.sequence))
            .map_or(WatermarkState::Lost, WatermarkState::Known))
    }

    /// Overwrites the older slot. Not synced: see the module.
    pub(crate) fn write(&mut self, record: &WatermarkRecord) -> io::Result<()> {
        let bytes: [u8; WATERMARK_RECORD_BYTES] = record.encode();
        self.file.write_at(&bytes, (self.next * WATERMARK_SLOT_BYTES) as u64)?;
        self.next = 1 - self.next;
        Ok(())
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// Both slots, one after the other, each synced: a torn write leaves the other whole.
    fn settle(&mut self, record: &WatermarkRecord) -> io::Result<()> {
        for _ in 0..2 {
            self.write(record)?;
            self.sync()?;
        }
        Ok(())
    }
}
