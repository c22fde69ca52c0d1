//! A log that is verified while a writer seals it.

use crate::sealing::{FOOTER_BYTES, written};
use factum_log::{OpenMode, Storage, StorageFile, StorageLock, verify_on};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The footer of `segment` is not there before the one after it was opened.
#[derive(Debug)]
struct Meanwhile {
    storage: Arc<dyn Storage>,
    segment: String,
    next: String,
    sealed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct MeanwhileFile {
    file: Arc<dyn StorageFile>,
    sealed: Arc<AtomicBool>,
}

impl Storage for Meanwhile {
    fn describe(&self) -> String {
        self.storage.describe()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        self.storage.lock()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        // Nothing is merged or indexed yet.
        let names = self.storage.list()?;
        Ok(names.into_iter().filter(|name| !name.ends_with(".idx")).collect())
    }

    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.storage.open(name, mode)?;
        if name == self.segment {
            return Ok(Arc::new(MeanwhileFile { file, sealed: Arc::clone(&self.sealed) }));
        }
        if name == self.next {
            self.sealed.store(true, Ordering::SeqCst);
        }
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.storage.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.storage.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.storage.sync_dir()
    }
}

impl StorageFile for MeanwhileFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.len()?.saturating_sub(offset)).unwrap();
        let wanted = into.len().min(left);
        self.file.read_at(&mut into[..wanted], offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        let cut = if self.sealed.load(Ordering::SeqCst) { 0 } else { FOOTER_BYTES as u64 };
        Ok(self.file.len()? - cut)
    }
}

/// Found by a writer that was killed at random while its log was verified.
#[test]
fn a_segment_that_is_sealed_while_it_is_verified_is_not_called_damaged() {
    let whole = written(9);
    let expected = verify_on(&*whole.storage()).unwrap();
    let segments = whole.segments();
    for pair in segments[..segments.len() - 1].windows(2) {
        let [segment, next] = pair else { unreachable!() };
        let (storage, sealed) = (whole.storage(), Arc::default());
        let storage = Meanwhile { storage, segment: segment.clone(), next: next.clone(), sealed };
        let verified = verify_on(&storage).unwrap();
        assert_eq!((verified.head, &verified.digest), (expected.head, &expected.digest), "{segment}");
    }
}
