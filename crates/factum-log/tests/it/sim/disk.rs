//! What lies on the simulated disk: what running programs see, what the medium has, and what becomes of the
//! difference when power is lost.

use super::faults::{Crash, Fault, Operation, Side};
use crate::support::Rng;
use factum_log::Medium;
use std::{collections::BTreeMap, io, ops::Range};

/// What the medium writes whole, unless power is lost while it does.
const SECTOR: usize = 512;

/// One directory of files.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    /// What running programs see, and what has been made durable, by name.
    pub(super) names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Since the last sync of the directory.
    unsynced_names: Vec<Renaming>,
    pub(super) files: Vec<Contents>,
    pub(super) faults: Vec<Fault>,
    /// Goes up at each crash: handles of before are dead.
    pub(super) life: u64,
    pub(super) locked: bool,
    pub(super) medium: Medium,
    /// Every operation that changed the disk, or would have, in this life.
    pub(super) steps: Vec<Operation>,
    pub(super) death: Option<(usize, Side)>,
    /// The steps that fail, and how.
    pub(super) refused: Option<(Range<usize>, Fault)>,
    /// Most bytes that one read gives; 0: as many as are asked for.
    pub(super) read_at_most: usize,
}

#[derive(Clone, Debug)]
enum Renaming {
    Named(String, usize),
    Renamed(String, String, usize),
    Removed(String),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    pub(super) live: Vec<u8>,
    durable: Vec<u8>,
    /// Since the last sync.
    unsynced: Vec<Change>,
    /// Where each write stood, in order.
    pub(super) writes: Vec<Range<usize>>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { bytes: Vec<u8>, offset: usize },
    SetLen(usize),
}

impl Disk {
    /// Begins an operation that changes the disk; an error if the process dies before it, or if a fault is
    /// due that lets nothing of it happen.
    pub(super) fn begin(&mut self, operation: Operation, name: &str) -> io::Result<Option<Fault>> {
        let step = self.steps.len();
        self.steps.push(operation);
        if self.death == Some((step, Side::Before)) {
            self.life += 1;
            return Err(dead());
        }
        let refused =
            self.refused.as_ref().filter(|(steps, _)| steps.contains(&step)).map(|(_, fault)| *fault);
        Ok(refused.or_else(|| self.fault(operation, name)))
    }

    /// Ends it: the process dies after it, if it is to.
    pub(super) fn end(&mut self, result: io::Result<()>) -> io::Result<()> {
        if self.death == Some((self.steps.len() - 1, Side::After)) {
            self.life += 1;
            return Err(dead());
        }
        result
    }

    /// The fault that is due, if any.
    pub(super) fn fault(&mut self, operation: Operation, name: &str) -> Option<Fault> {
        let due = |fault: &&mut Fault| {
            fault.operation == operation && fault.times > 0 && name.ends_with(fault.name)
        };
        let fault = self.faults.iter_mut().find(due)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        Some(*fault)
    }

    pub(super) fn create(&mut self, name: &str) {
        self.files.push(Contents::default());
        let file = self.files.len() - 1;
        self.names.insert(name.to_owned(), file);
        self.unsynced_names.push(Renaming::Named(name.to_owned(), file));
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let file = self.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.names.insert(to.to_owned(), file);
        self.unsynced_names.push(Renaming::Renamed(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        self.unsynced_names.push(Renaming::Removed(name.to_owned()));
        Ok(())
    }

    pub(super) fn sync_names(&mut self) {
        std::mem::take(&mut self.unsynced_names).into_iter().for_each(|one| self.settle(one));
    }

    fn settle(&mut self, renaming: Renaming) {
        match renaming {
            Renaming::Named(name, file) => drop(self.durable_names.insert(name, file)),
            Renaming::Removed(name) => drop(self.durable_names.remove(&name)),
            Renaming::Renamed(from, to, file) => {
                self.durable_names.remove(&from);
                self.durable_names.insert(to, file);
            }
        }
    }

    pub(super) fn crash(&mut self, crash: Crash) {
        self.life += 1;
        self.locked = false;
        self.faults.clear();
        self.steps.clear();
        (self.death, self.refused) = (None, None);
        let mut rng = match crash {
            Crash::Process => return,
            Crash::Power => None,
            Crash::PowerAnyOrder(rng) => Some(rng),
        };
        for renaming in std::mem::take(&mut self.unsynced_names) {
            if rng.as_mut().is_some_and(|rng| rng.one_in(2)) {
                self.settle(renaming);
            }
        }
        self.names = self.durable_names.clone();
        let mut tears = true;
        self.files.iter_mut().for_each(|contents| contents.lose(rng.as_mut(), &mut tears));
    }

    /// Puts a file there, durably.
    pub(super) fn put(&mut self, name: &str, bytes: Vec<u8>) {
        let file = match self.names.get(name) {
            Some(file) => *file,
            None => {
                self.create(name);
                let file = self.names[name];
                self.durable_names.insert(name.to_owned(), file);
                file
            }
        };
        self.files[file] = Contents { live: bytes.clone(), durable: bytes, ..Contents::default() };
    }

    pub(super) fn take_away(&mut self, name: &str) {
        self.names.remove(name);
        self.durable_names.remove(name);
    }
}

impl Contents {
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        if !bytes.is_empty() {
            put(&mut self.live, bytes, offset);
            self.writes.push(offset..offset + bytes.len());
            self.unsynced.push(Change::Write { bytes: bytes.to_vec(), offset });
        }
    }

    pub(super) fn set_len(&mut self, bytes: usize) {
        self.live.resize(bytes, 0);
        self.unsynced.push(Change::SetLen(bytes));
    }

    /// Makes what was written durable. If it fails, `drops` says whether it is taken for clean all the same:
    /// programs go on seeing what was written, and no later sync makes it durable. Lengths are kept by the
    /// file system among its own records, which it does not forget.
    pub(super) fn sync(&mut self, failed: Option<Fault>) -> io::Result<()> {
        match failed {
            None => std::mem::take(&mut self.unsynced).into_iter().for_each(|one| self.settle(one)),
            Some(fault) if fault.drops => self.unsynced.retain(|change| matches!(change, Change::SetLen(_))),
            Some(_) => {}
        }
        failed.map_or(Ok(()), |fault| Err(fault.error.into()))
    }

    fn settle(&mut self, change: Change) {
        match change {
            Change::Write { bytes, offset } => put(&mut self.durable, &bytes, offset),
            Change::SetLen(bytes) => self.durable.resize(bytes, 0),
        }
    }

    /// Power is lost. Of what was not synced nothing survives, or any part: whole sectors, and one that was just
    /// being written and is torn.
    fn lose(&mut self, rng: Option<&mut Rng>, tears: &mut bool) {
        let changes = std::mem::take(&mut self.unsynced);
        if let Some(rng) = rng {
            let grows = !changes.is_empty() && self.live.len() > self.durable.len();
            for change in changes {
                self.survive(change, rng, tears);
            }
            // The length of a file may survive what stood in it.
            if grows && rng.one_in(4) && self.live.len() > self.durable.len() {
                self.durable.resize(self.live.len(), 0);
            }
        }
        self.live = self.durable.clone();
    }

    fn survive(&mut self, change: Change, rng: &mut Rng, tears: &mut bool) {
        let Change::Write { bytes, offset } = change else {
            if rng.one_in(2) {
                self.settle(change);
            }
            return;
        };
        let mut from = 0;
        while from < bytes.len() {
            let sector_end = (offset + from) / SECTOR * SECTOR + SECTOR;
            let to = bytes.len().min(sector_end - offset);
            let torn = from + rng.below(to - from + 1);
            let kept = match rng.below(16) {
                0 if *tears => from..torn,
                1 if *tears => torn..to,
                0..8 => from..to,
                _ => from..from,
            };
            *tears &= kept == (from..to) || kept.is_empty();
            if !kept.is_empty() {
                put(&mut self.durable, &bytes[kept.clone()], offset + kept.start);
            }
            from = to;
        }
    }
}

fn put(into: &mut Vec<u8>, bytes: &[u8], offset: usize) {
    if into.len() < offset + bytes.len() {
        into.resize(offset + bytes.len(), 0);
    }
    into[offset..offset + bytes.len()].copy_from_slice(bytes);
}

pub(super) fn dead() -> io::Error {
    io::Error::other("the process is dead")
}
