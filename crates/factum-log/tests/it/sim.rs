//! A disk in memory that can fail any operation, in which a process can die before and after any, and that
//! loses at a crash what was not synced: all of it, or any part of it in any order.

mod disk;
mod faults;

pub(crate) use faults::{Crash, Fault, Operation, Side};

use disk::{Disk, dead};
use factum_log::{Medium, OpenMode, Storage, StorageFile, StorageLock};
use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
};

/// A disk. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sim(Arc<Mutex<Disk>>);

impl Sim {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    /// The directory as a program that starts now sees it.
    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(SimStorage { sim: self.clone(), life: self.disk().life })
    }

    /// Ends every program, and heals the disk.
    pub(crate) fn crash(&self, crash: Crash) {
        self.disk().crash(crash);
    }

    /// The process dies at its operation number `step`, from 0 in this life.
    pub(crate) fn die_at(&self, step: usize, side: Side) {
        self.disk().death = Some((step, side));
    }

    /// Whether it did.
    pub(crate) fn has_died(&self) -> bool {
        let disk = self.disk();
        disk.death.is_some_and(|(step, _)| disk.steps.len() > step)
    }

    /// The operations with these numbers fail, whatever they are.
    pub(crate) fn fail_at(&self, steps: Range<usize>, fault: Fault) {
        self.disk().refused = Some((steps, fault));
    }

    /// What this life has asked of the disk that changes it.
    pub(crate) fn steps(&self) -> Vec<Operation> {
        self.disk().steps.clone()
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.disk().faults.push(fault);
    }

    pub(crate) fn heal(&self) {
        let mut disk = self.disk();
        disk.faults.clear();
        disk.refused = None;
    }

    /// What the system says that the directory stands on.
    pub(crate) fn stand_on(&self, medium: Medium) {
        self.disk().medium = medium;
    }

    /// No read gives more than so many bytes at once.
    pub(crate) fn read_at_most(&self, bytes: usize) {
        self.disk().read_at_most = bytes;
    }

    /// Another disk in the same state, with the same not yet synced.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.disk().clone())))
    }

    /// A disk with the same contents, all of it durable.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::default();
        self.names().iter().for_each(|name| copy.put(name, self.bytes(name)));
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

    /// Where each write to a file stood, in order.
    pub(crate) fn writes(&self, name: &str) -> Vec<Range<usize>> {
        let disk = self.disk();
        disk.files[disk.names[name]].writes.clone()
    }

    /// Replaces a file, durably, behind the back of every program.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.disk().put(name, bytes);
    }

    pub(crate) fn take_away(&self, name: &str) {
        self.disk().take_away(name);
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

impl StorageLock for SimLock {
    fn is_in_place(&self) -> io::Result<bool> {
        Ok(alive(&self.sim, self.life)?.fault(Operation::IsInPlace, "").is_none())
    }
}

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
    if disk.life == life { Ok(disk) } else { Err(dead()) }
}

impl SimStorage {
    /// Does one thing that changes the directory.
    fn change(
        &self,
        operation: Operation,
        name: &str,
        act: impl FnOnce(&mut Disk) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        let result = match disk.begin(operation, name)? {
            Some(fault) => Err(fault.error.into()),
            None => act(&mut disk),
        };
        disk.end(result)
    }
}

impl Storage for SimStorage {
    fn describe(&self) -> String {
        "sim".to_owned()
    }

    fn medium(&self) -> io::Result<Medium> {
        Ok(alive(&self.sim, self.life)?.medium.clone())
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
        if mode == OpenMode::Create {
            self.change(Operation::Create, name, |disk| {
                disk.create(name);
                Ok(())
            })?;
        }
        let disk = alive(&self.sim, self.life)?;
        let file = *disk.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { sim: self.sim.clone(), life: self.life, name: name.to_owned(), file }))
    }

    fn reserve(&self, name: &str) -> io::Result<Option<Arc<dyn StorageFile>>> {
        self.open(name, OpenMode::Create).map(Some)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(Operation::Rename, to, |disk| disk.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.change(Operation::Remove, name, |disk| disk.remove(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.change(Operation::SyncDir, "", |disk| {
            disk.sync_names();
            Ok(())
        })
    }
}

impl StorageFile for SimFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = alive(&self.sim, self.life)?;
        if let Some(fault) = disk.fault(Operation::Read, &self.name) {
            return Err(fault.error.into());
        }
        let bytes = &disk.files[self.file].live;
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        let asked = if disk.read_at_most == 0 { into.len() } else { into.len().min(disk.read_at_most) };
        let length = asked.min(bytes.len() - from);
        into[..length].copy_from_slice(&bytes[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        let fault = disk.begin(Operation::Write, &self.name)?;
        let bytes = fault.map_or(bytes, |fault| &bytes[..fault.written.min(bytes.len())]);
        disk.files[self.file].write(bytes, usize::try_from(offset).unwrap());
        disk.end(fault.map_or(Ok(()), |fault| Err(fault.error.into())))
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        let fault = disk.begin(Operation::Sync, &self.name)?;
        let result = disk.files[self.file].sync(fault);
        disk.end(result)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut disk = alive(&self.sim, self.life)?;
        let result = match disk.begin(Operation::SetLen, &self.name)? {
            Some(fault) => Err(fault.error.into()),
            None => {
                disk.files[self.file].set_len(usize::try_from(bytes).unwrap());
                Ok(())
            }
        };
        disk.end(result)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(alive(&self.sim, self.life)?.files[self.file].live.len() as u64)
    }

    fn is_linked(&self) -> io::Result<bool> {
        let mut disk = alive(&self.sim, self.life)?;
        let is_named = disk.names.values().any(|file| *file == self.file);
        Ok(is_named && disk.fault(Operation::IsLinked, &self.name).is_none())
    }
}
