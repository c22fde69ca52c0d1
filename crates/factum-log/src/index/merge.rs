//! Several index files that follow each other as one. Walks them side by side; holds none of them in memory.

use super::{
    Progress,
    active::CommitEntry,
    build::{Sink, Source, SourceKey, write},
    list::List,
    sealed::{Covered, Sealed, StoredKey},
};
use factum_event::{LogIdentity, Position, Sequence};
use std::{io, sync::Arc};

/// Sealed parts that follow each other, and how many events and commits stand before each.
struct Merge<'a> {
    parts: Vec<(&'a Sealed, u32, u32)>,
    events: u32,
    commits: u32,
}

/// Writes the index file of parts that follow each other; how long it is. Fails where a part does not hold
/// what its header says.
pub(crate) fn write_merged(
    parts: &[Arc<Sealed>],
    identity: LogIdentity,
    sink: &mut dyn Sink,
) -> io::Result<u64> {
    let (mut events, mut commits) = (0_u32, 0_u32);
    let mut shifted = Vec::with_capacity(parts.len());
    for part in parts {
        shifted.push((&**part, events, commits));
        let sum = |a: u32, b: u32| a.checked_add(b).ok_or_else(|| io::Error::other("too many to be merged"));
        events = sum(events, part.header.events)?;
        commits = sum(commits, part.header.commits)?;
    }
    let covered: Vec<Covered> = parts.iter().flat_map(|part| part.covered()).collect();
    write(&Merge { parts: shifted, events, commits }, identity, &covered, sink)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "an index file does not hold what its header says")
}

impl Source for Merge<'_> {
    fn base(&self) -> (Position, Sequence) {
        let (first, ..) = self.parts[0];
        (first.header.base_position, first.header.base_sequence)
    }

    fn events(&self) -> u32 {
        self.events
    }

    fn commits(&self) -> u32 {
        self.commits
    }

    fn each_commit(&self, each: &mut dyn FnMut(CommitEntry) -> io::Result<()>) -> io::Result<()> {
        for (part, events, _) in &self.parts {
            for commit in 0..part.header.commits {
                let commit = part.commit(commit).ok_or_else(damaged)?;
                let first = commit.first.checked_add(*events).ok_or_else(damaged)?;
                each(CommitEntry { first, ..commit })?;
            }
        }
        Ok(())
    }

    fn each_family(&self, each: &mut dyn FnMut((u32, [u8; 12])) -> io::Result<()>) -> io::Result<()> {
        let family = |part: usize, index: u32| {
            let (sealed, _, commits) = self.parts[part];
            if index == sealed.header.commits {
                return Ok(None);
            }
            let commit = sealed.by_family(index).ok_or_else(damaged)?;
            let family = sealed.commit(commit).ok_or_else(damaged)?.family();
            Ok(Some((family, commit.checked_add(commits).ok_or_else(damaged)?)))
        };
        let mut at = vec![0; self.parts.len()];
        let mut next = (0..at.len()).map(|part| family(part, 0)).collect::<io::Result<Vec<_>>>()?;
        loop {
            let least = (0..next.len()).filter(|part| next[*part].is_some()).min_by_key(|part| next[*part]);
            let Some(part) = least else { return Ok(()) };
            at[part] += 1;
            let taken = std::mem::replace(&mut next[part], family(part, at[part])?);
            if let Some((family, commit)) = taken {
                each((commit, family))?;
            }
        }
    }

    fn each_event(&self, each: &mut dyn FnMut(u32) -> io::Result<()>) -> io::Result<()> {
        for (part, ..) in &self.parts {
            for event in 0..part.header.events {
                each(part.event(event).ok_or_else(damaged)?)?;
            }
        }
        Ok(())
    }

    fn each_key(&self, each: &mut dyn FnMut(&SourceKey<'_>) -> io::Result<()>) -> io::Result<()> {
        let mut walks: Vec<Walk<'_>> =
            self.parts.iter().map(|(part, ..)| Walk::new(part)).collect::<io::Result<_>>()?;
        let mut lists: Vec<(u32, List<'_>)> = Vec::with_capacity(walks.len());
        loop {
            let Some(least) = walks.iter().filter_map(|walk| walk.next.as_ref().map(order)).min() else {
                return Ok(());
            };
            lists.clear();
            let mut before = None;
            for (walk, (_, events, commits)) in walks.iter_mut().zip(&self.parts) {
                let Some(key) = walk.next.filter(|key| order(key) == least) else { continue };
                let kind = super::KeyKind::from_code(key.kind).ok_or_else(damaged)?;
                let shift = if kind.numbers_commits() { *commits } else { *events };
                let last = key.list.len().checked_sub(1).map(|last| key.list.get(last));
                last.and_then(|last| last.checked_add(shift)).ok_or_else(damaged)?;
                before.get_or_insert(key.before);
                lists.push((shift, key.list));
                walk.step()?;
            }
            let (hash, kind, text) = least;
            each(&SourceKey { hash, kind, text, before: before.unwrap_or(0), lists: &lists })?;
        }
    }

    fn each_explicit(&self, each: &mut dyn FnMut(u32) -> io::Result<()>) -> io::Result<()> {
        for (part, events, _) in &self.parts {
            part.explicit()
                .iter()
                .try_for_each(|event| each(event.checked_add(*events).ok_or_else(damaged)?))?;
        }
        Ok(())
    }

    /// Those of the last part: they are counted from the start of the log.
    fn sources(&self) -> Vec<(&str, Progress)> {
        self.parts.last().map_or_else(Vec::new, |(part, ..)| part.sources())
    }
}

fn order<'a>(key: &StoredKey<'a>) -> (u64, u8, &'a [u8]) {
    (key.hash, key.kind, key.text)
}

/// A walk over the keys of one part.
struct Walk<'a> {
    part: &'a Sealed,
    at: u32,
    next: Option<StoredKey<'a>>,
}

impl<'a> Walk<'a> {
    fn new(part: &'a Sealed) -> io::Result<Self> {
        let mut walk = Self { part, at: 0, next: None };
        walk.read()?;
        Ok(walk)
    }

    fn step(&mut self) -> io::Result<()> {
        self.at += 1;
        self.read()
    }

    fn read(&mut self) -> io::Result<()> {
        self.next = if self.at == self.part.header.keys {
            None
        } else {
            Some(self.part.key(self.at).ok_or_else(damaged)?)
        };
        Ok(())
    }
}
