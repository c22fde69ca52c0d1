//! A disk in memory that can fail any operation, and that loses at a crash what was not synced: all of it,
//! or any part of it in any order.

use crate::support::Rng;
use factum_log::{OpenMode, Storage, StorageFile, StorageLock};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

/// A disk. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sim(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    /// What running programs see, and what has been made durable, by name.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    files: Vec<Contents>,
    faults: Vec<Fault>,
    /// Goes up at each crash: handles of before are dead.
    life: u64,
    locked: bool,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Since the last sync.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { bytes: Vec<u8>, offset: usize },
    SetLen(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Write,
    Sync,
    SetLen,
    Create,
}

/// An operation that will fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) operation: Operation,
    /// On files whose name ends so.
    pub(crate) name: &'static str,
    /// After so many that do not fail.
    pub(crate) after: usize,
    /// How often it fails.
    pub(crate) times: usize,
    pub(crate) error: io::ErrorKind,
    /// Of a write, how many bytes still reach the file.
    pub(crate) written: usize,
}

/// What a crash takes.
#[derive(Clone, Debug)]
pub(crate) enum Crash {
    /// The process dies; the page cache lives.
    Process,
    /// Nothing unsynced survives.
    Power,
    /// Any part of what is unsynced survives, whole sectors in any order.
    PowerAnyOrder(Rng),
}

const SECTOR: usize = 512;

impl Sim {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    /// The directory as a program that starts now sees it.
    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(SimStorage { sim: self.clone(), life: self.disk().life })
    }

    pub(crate) fn crash(&self, crash: Crash) {
        let mut disk = self.disk();
        disk.life += 1;
        disk.locked = false;
        disk.faults.clear();
        let mut rng = match crash {
            Crash::Process => return,
            Crash::Power => None,
            Crash::PowerAnyOrder(rng) => Some(rng),
        };
        disk.names = disk.durable_names.clone();
        for contents in &mut disk.files {
            let changes = std::mem::take(&mut contents.unsynced);
            if let Some(rng) = &mut rng {
                for change in changes {
                    contents.survive(change, rng);
                }
            }
            contents.live = contents.durable.clone();
        }
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.disk().faults.push(fault);
    }

    pub(crate) fn heal(&self) {
        self.disk().faults.clear();
    }

    /// A disk with the same contents, all of it durable.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::default();
        {
            let (disk, mut other) = (self.disk(), copy.disk());
            for (name, file) in &disk.names {
                let bytes = disk.files[*file].live.clone();
                let index = other.files.len();
                other.files.push(Contents { live: bytes.clone(), durable: bytes, unsynced: Vec::new() });
                other.names.insert(name.clone(), index);
                other.durable_names.insert(name.clone(), index);
            }
        }
        copy
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.disk().names.keys().cloned().collect()
    }

    pub(crate) fn segments(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| name.ends_with(".seg")).collect()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let disk = self.disk();
        disk.files[disk.names[name]].live.clone()
    }

    /// Replaces a file, durably, behind the back of every program.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut disk = self.disk();
        let file = match disk.names.get(name) {
            Some(file) => *file,
            None => {
                disk.files.push(Contents::default());
                let file = disk.files.len() - 1;
                disk.names.insert(name.to_owned(), file);
                disk.durable_names.insert(name.to_owned(), file);
                file
            }
        };
        disk.files[file] = Contents { live: bytes.clone(), durable: bytes, unsynced: Vec::new() };
    }

    pub(crate) fn take_away(&self, name: &str) {
        let mut disk = self.disk();
        disk.names.remove(name);
        disk.durable_names.remove(name);
    }
}

impl Contents {
    fn survive(&mut self, change: Change, rng: &mut Rng) {
        match change {
            Change::SetLen(bytes) if rng.one_in(2) => self.durable.resize(bytes, 0),
            Change::SetLen(_) => {}
            Change::Write { bytes, offset } => {
                let mut from = 0;
                while from < bytes.len() {
                    let sector_end = (offset + from) / SECTOR * SECTOR + SECTOR;
                    let to = bytes.len().min(sector_end - offset);
                    if rng.one_in(2) {
                        put(&mut self.durable, &bytes[from..to], offset + from);
                    }
                    from = to;
                }
            }
        }
    }
}

fn put(into: &mut Vec<u8>, bytes: &[u8], offset: usize) {
    if into.len() < offset + bytes.len() {
        into.resize(offset + bytes.len(), 0);
    }
    into[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl Disk {
    /// The fault that is due, if any.
    fn fault(&mut self, operation: Operation, name: &str) -> Option<Fault> {
        let due = |fault: &&mut Fault| fault.operation == operation && name.ends_with(fault.name);
        let fault = self.faults.iter_mut().find(due)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times = fault.times.checked_sub(1)?;
        Some(*fault)
    }
}

#[derive(Debug)]
struct SimStorage {
    sim: Sim,
    life: u64,
}

#[derive(Debug)]
struct SimFile {
    sim: Sim,
    life: u64,
    name: String,
    file: usize,
}

#[derive(Debug)]
struct SimLock {
    sim: Sim,
    life: u64,
}

impl StorageLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut disk = self.sim.disk();
        if disk.life == self.life {
            disk.locked = false;
        }
    }
}

fn alive(sim: &Sim, life: u64) -> io::Result<MutexGuard<'_, Disk>> {
    let disk = sim.disk();
    if disk.life == life { Ok(disk) } else { Err(io::Error::other("the process is dead")) }
}

impl Storage for SimStorage {
    fn describe(&self) -> String {
        "sim".to_owned()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        let mut disk = alive(&self.sim, self.life)?;
        if std::mem::replace(&mut disk.locked, true) {
            return Ok(None);
        }
        Ok(Some(Box::new(SimLock { sim: self.sim.clone(), life: self.life })))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(alive(&self.sim, self.life)?.names.keys().cloned().collect())
    }

    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        let mut disk = alive(&self.sim, self.life)?;
        if mode == OpenMode::Create {
            if let Some(fault) = disk.fault(Operation::Create, name) {
                return Err(fault.error.into());
            }
            disk.files.push(Contents::default());
            let file = disk.files.len() - 1;
            disk.names.insert(name.to_owned(), file);
        }
        let file = *disk.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { sim: self.sim.clone(), life: self.life, name: name.to_owned(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        let file = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        disk.names.remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        disk.durable_names = disk.names.clone();
        Ok(())
    }
}

impl StorageFile for SimFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = alive(&self.sim, self.life)?;
        let bytes = &disk.files[self.file].live;
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        let length = into.len().min(bytes.len() - from);
        into[..length].copy_from_slice(&bytes[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        let fault = disk.fault(Operation::Write, &self.name);
        let bytes = fault.map_or(bytes, |fault| &bytes[..fault.written.min(bytes.len())]);
        let offset = usize::try_from(offset).unwrap();
        let contents = &mut disk.files[self.file];
        if !bytes.is_empty() {
            put(&mut contents.live, bytes, offset);
            contents.unsynced.push(Change::Write { bytes: bytes.to_vec(), offset });
        }
        fault.map_or(Ok(()), |fault| Err(fault.error.into()))
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        if let Some(fault) = disk.fault(Operation::Sync, &self.name) {
            return Err(fault.error.into());
        }
        let contents = &mut disk.files[self.file];
        contents.durable = contents.live.clone();
        contents.unsynced.clear();
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        if let Some(fault) = disk.fault(Operation::SetLen, &self.name) {
            return Err(fault.error.into());
        }
        let bytes = usize::try_from(bytes).unwrap();
        let contents = &mut disk.files[self.file];
        contents.live.resize(bytes, 0);
        contents.unsynced.push(Change::SetLen(bytes));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(alive(&self.sim, self.life)?.files[self.file].live.len() as u64)
    }
}
