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
    storage::{OpenMode, Storage, StorageFile, of_file, read_full},
};
use factum_event::LogIdentity;
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
    /// A slot is of another log: the file was not left here by this log.
    Foreign(LogIdentity),
    /// No slot is whole, or the file is not there.
    Lost,
}

impl Watermark {
    /// Makes the file anew, both slots saying `record`, and syncs it and its name.
    pub(crate) fn create(storage: &dyn Storage, record: &WatermarkRecord) -> io::Result<Self> {
        let file = storage.open(WATERMARK_FILE, OpenMode::Create).map_err(of_file(WATERMARK_FILE))?;
        file.write_at(&[0; WATERMARK_BYTES], 0)?;
        let mut watermark = Self { file, next: 0 };
        watermark.settle(record)?;
        storage.sync_dir()?;
        Ok(watermark)
    }

    /// Takes the file up where it is, and settles it at `record`.
    pub(crate) fn resume(storage: &dyn Storage, record: &WatermarkRecord) -> io::Result<Self> {
        let mut watermark = match storage.open(WATERMARK_FILE, OpenMode::Write) {
            Ok(file) => Self { file, next: 0 },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::create(storage, record),
            Err(error) => return Err(of_file(WATERMARK_FILE)(error)),
        };
        watermark.settle(record)?;
        Ok(watermark)
    }

    /// What the file says to this log. A slot of another of its generations is known, and not believed.
    pub(crate) fn read(storage: &dyn Storage, identity: LogIdentity) -> io::Result<WatermarkState> {
        let slots = Self::slots(storage)?;
        if let Some(foreign) = slots.iter().find(|record| record.identity.log != identity.log) {
            return Ok(WatermarkState::Foreign(foreign.identity));
        }
        Ok(slots
            .into_iter()
            .max_by_key(|record| (record.identity.generation, record.sequence))
            .map_or(WatermarkState::Lost, WatermarkState::Known))
    }

    /// The slots that are whole; none if the file is not there.
    pub(crate) fn slots(storage: &dyn Storage) -> io::Result<Vec<WatermarkRecord>> {
        let file = match storage.open(WATERMARK_FILE, OpenMode::Read) {
            Ok(file) => file,
            // A link to nothing has a name: what it leads to is out of reach, not lost.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if storage.list()?.iter().any(|name| name == WATERMARK_FILE) {
                    Err(of_file(WATERMARK_FILE)(error))
                } else {
                    Ok(Vec::new())
                };
            }
            Err(error) => return Err(of_file(WATERMARK_FILE)(error)),
        };
        let mut bytes = [0; WATERMARK_BYTES];
        let read = read_full(&*file, &mut bytes, 0).map_err(of_file(WATERMARK_FILE))?;
        let slots = bytes[..read].chunks(WATERMARK_SLOT_BYTES);
        Ok(slots.filter_map(|slot| WatermarkRecord::decode(slot).ok()).collect())
    }

    /// Overwrites the older slot. Not synced: see the module. Fails if nobody will find the file again.
    pub(crate) fn write(&mut self, record: &WatermarkRecord) -> io::Result<()> {
        let bytes: [u8; WATERMARK_RECORD_BYTES] = record.encode();
        self.file.write_at(&bytes, (self.next * WATERMARK_SLOT_BYTES) as u64)?;
        self.next = 1 - self.next;
        if self.file.is_linked()? {
            Ok(())
        } else {
            Err(of_file(WATERMARK_FILE)(io::ErrorKind::NotFound.into()))
        }
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
