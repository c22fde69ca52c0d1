//! The control: a file that grows. Each commit is encoded, summed, written and synced, and nothing is kept of
//! what is in it.

use super::{
    engine::Engine,
    events::{Digest, EVENT_TYPE, Event},
    work::Durability,
};
use crate::Failure;
use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Length of the record and checksum over the rest of it, four bytes each.
const HEAD_BYTES: usize = 8;
/// Bytes of the lengths of the texts and of the payload.
const LENGTHS_BYTES: usize = 8;
/// How much is read at once.
const READ_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Raw {
    path: PathBuf,
    /// The file, its length, and what the next write is put together in.
    writer: Mutex<(File, u64, Vec<u8>)>,
}

impl Engine for Raw {
    const DURABILITY: Durability = Durability::Fdatasync;

    fn open(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("raw");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        let length = file.metadata()?.len();
        Ok(Self { path, writer: Mutex::new((file, length, Vec::new())) })
    }

    fn append(&self, events: Vec<Event<'_>>) -> Result<(), Failure> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, end, bytes) = &mut *writer;
        bytes.clear();
        for event in &events {
            encode(event, bytes)?;
        }
        file.write_all_at(bytes, *end)?;
        file.sync_data()?;
        *end += bytes.len() as u64;
        Ok(())
    }

    fn replay(&self, read: &mut Digest) -> Result<(), Failure> {
        let mut file = File::open(&self.path)?;
        let (mut bytes, mut held) = (vec![0; READ_BYTES], 0);
        loop {
            let got = file.read(&mut bytes[held..])?;
            held += got;
            let mut at = 0;
            while let Some(length) = record(&bytes[at..held], read)? {
                at += length;
            }
            if got == 0 {
                return if at == held { Ok(()) } else { Err("the raw file ends within a record".into()) };
            }
            bytes.copy_within(at..held, 0);
            held -= at;
        }
    }

    fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}

fn encode(event: &Event<'_>, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; HEAD_BYTES]);
    let texts = [&*event.account.stream, EVENT_TYPE, &*event.account.tag];
    for length in texts.map(str::len).into_iter().chain([event.payload.len()]) {
        bytes.extend_from_slice(&u16::try_from(length)?.to_le_bytes());
    }
    texts.iter().for_each(|text| bytes.extend_from_slice(text.as_bytes()));
    bytes.extend_from_slice(&event.payload);
    let length = u32::try_from(bytes.len() - start)?;
    bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32fast::hash(&bytes[start + HEAD_BYTES..]);
    bytes[start + 4..start + HEAD_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// Verifies the record that begins here and takes it in; its length, if it is there whole.
fn record(bytes: &[u8], read: &mut Digest) -> Result<Option<usize>, Failure> {
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let Some((length, checksum)) = word(0).zip(word(4)) else { return Ok(None) };
    let Some(body) = bytes.get(HEAD_BYTES..length as usize) else { return Ok(None) };
    if crc32fast::hash(body) != checksum {
        return Err("a record of the raw file does not match its checksum".into());
    }
    let lengths = body.get(..LENGTHS_BYTES).ok_or("a record of the raw file is too short")?;
    let texts = lengths[..LENGTHS_BYTES - 2].chunks_exact(2);
    let texts: usize = texts.map(|length| usize::from(u16::from_le_bytes([length[0], length[1]]))).sum();
    read.take(body.get(LENGTHS_BYTES + texts..).ok_or("a record of the raw file is too short")?);
    Ok(Some(length as usize))
}
