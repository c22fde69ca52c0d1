//! A part of the index in memory: the one that grows with the last segment, and those that wait to be
//! sealed. Numbers of commits and events begin at 0 in each part.

use super::{
    KeyKind, Progress,
    keys::{Added, Keys, hash_key},
    number,
};
use factum_event::{CommandId, CorrelationId, EventId, Sequence, Source, Tracking};
use hashbrown::HashTable;
use std::collections::HashMap;

/// One commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommitEntry {
    /// Where its frame starts in its segment.
    pub(crate) frame: u32,
    /// The number of its first event, or of the next one to come.
    pub(crate) first: u32,
    /// The mixed id of its command.
    pub(crate) mixed: [u8; 16],
    pub(crate) bits: u8,
}

pub(crate) const BIT_FINAL: u8 = 1;
/// It was given a correlation of its own.
pub(crate) const BIT_CORRELATED: u8 = 2;

impl CommitEntry {
    /// What its command id shares with the ids derived from it.
    pub(crate) fn family(&self) -> [u8; 12] {
        EventId::new(uuid::Uuid::from_bytes(self.mixed)).family()
    }

    pub(crate) fn command(&self) -> CommandId {
        CommandId::from_mixed(self.mixed)
    }
}

const NONE: u32 = u32::MAX;

/// A part in memory.
#[derive(Debug)]
pub(crate) struct Active {
    seed: u64,
    /// The position of event 0, and the sequence of commit 0.
    pub(crate) base_position: u64,
    pub(crate) base_sequence: u64,
    pub(crate) keys: Keys,
    /// Of each event, where it starts in its segment.
    pub(crate) events: Vec<u32>,
    pub(crate) commits: Vec<CommitEntry>,
    /// Of each commit, the one before it with its family; the last one is in the table.
    earlier: Vec<u32>,
    families: HashTable<u32>,
    /// The events that were given an id, ascending.
    pub(crate) explicit: Vec<u32>,
    /// How far each source had come, from the start of the log: the last step before the part, and those in it.
    pub(crate) sources: HashMap<Source, Vec<Progress>>,
}

impl Active {
    pub(crate) fn new(seed: u64, base_position: u64, base_sequence: u64) -> Self {
        Self {
            seed,
            base_position,
            base_sequence,
            keys: Keys::default(),
            events: Vec::new(),
            commits: Vec::new(),
            earlier: Vec::new(),
            families: HashTable::new(),
            explicit: Vec::new(),
            sources: HashMap::new(),
        }
    }

    /// The part after this one, with room for as much as this one holds and some more.
    pub(crate) fn next(&self) -> Self {
        let (events, commits) = (self.events.len(), self.commits.len());
        Self {
            seed: self.seed,
            base_position: self.base_position + events as u64,
            base_sequence: self.base_sequence + commits as u64,
            keys: Keys::presized(&self.keys),
            events: Vec::with_capacity(events + events / 8),
            commits: Vec::with_capacity(commits + commits / 8),
            earlier: Vec::with_capacity(commits + commits / 8),
            families: HashTable::with_capacity(commits + commits / 8),
            explicit: Vec::new(),
            sources: self.last_steps(),
        }
    }

    /// How far each source had come at the end.
    pub(crate) fn last_steps(&self) -> HashMap<Source, Vec<Progress>> {
        let last = |steps: &Vec<Progress>| steps.last().map_or_else(Vec::new, |last| vec![*last]);
        self.sources.iter().map(|(source, steps)| (source.clone(), last(steps))).collect()
    }

    /// How many bytes it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let commit = size_of::<CommitEntry>() + size_of::<u32>() + 6;
        self.keys.bytes()
            + self.commits.len() * commit
            + (self.events.len() + self.explicit.len()) * size_of::<u32>()
    }

    pub(crate) fn begin_commit(&mut self, command: CommandId, is_final: bool, frame: u32) {
        let (commit, first) = (number(self.commits.len()), number(self.events.len()));
        let bits = if is_final { BIT_FINAL } else { 0 };
        let entry = CommitEntry { frame, first, mixed: command.mixed(), bits };
        let family = entry.family();
        let hash = self.family_hash(&family);
        self.commits.push(entry);
        let commits = &self.commits;
        let earlier = match self.families.find_mut(hash, |other| commits[*other as usize].family() == family)
        {
            Some(last) => std::mem::replace(last, commit),
            None => {
                let seed = self.seed;
                let hash_of =
                    |other: &u32| hash_key(seed, KeyKind::Family, &commits[*other as usize].family());
                self.families.insert_unique(hash, commit, hash_of);
                NONE
            }
        };
        self.earlier.push(earlier);
    }

    /// The next event starts at `start`.
    pub(crate) fn begin_event(&mut self, start: u32, id: Option<EventId>) -> u32 {
        let event = number(self.events.len());
        self.events.push(start);
        if let Some(id) = id {
            self.add(KeyKind::Event, id.get().as_bytes(), event);
            self.explicit.push(event);
        }
        event
    }

    /// `published` is the last commit that every reader sees: what a source had reached before is forgotten.
    pub(crate) fn end_commit(
        &mut self,
        correlation: Option<CorrelationId>,
        tracking: Option<&Tracking>,
        published: Sequence,
    ) {
        let commit = number(self.commits.len() - 1);
        if let Some(correlation) = correlation {
            self.add(KeyKind::Correlation, correlation.get().as_bytes(), commit);
            self.commits[commit as usize].bits |= BIT_CORRELATED;
        }
        if let Some(Tracking { source, progress }) = tracking {
            let sequence = Sequence::new(self.base_sequence + u64::from(commit));
            let steps = match self.sources.get_mut(source) {
                Some(steps) => steps,
                None => self.sources.entry(source.clone()).or_default(),
            };
            let older = steps.partition_point(|step| step.sequence <= published);
            steps.drain(..older.saturating_sub(1));
            steps.push(Progress { progress: *progress, sequence });
        }
    }

    pub(crate) fn add(&mut self, kind: KeyKind, key: &[u8], number: u32) -> Added {
        self.keys.add(kind, hash_key(self.seed, kind, key), key, number)
    }

    /// The commits of a family, ascending.
    pub(crate) fn family(&self, family: &[u8; 12]) -> Vec<u32> {
        let hash = self.family_hash(family);
        let is = |commit: &u32| self.commits[*commit as usize].family() == *family;
        let mut commits = Vec::new();
        let mut next = self.families.find(hash, is).copied().unwrap_or(NONE);
        while next != NONE {
            commits.push(next);
            next = self.earlier[next as usize];
        }
        commits.reverse();
        commits
    }

    /// Drops every commit from number `commits` on. Where the first of them stood.
    pub(crate) fn rollback(&mut self, commits: u32) -> Option<u32> {
        let CommitEntry { frame, first, .. } = *self.commits.get(commits as usize)?;
        self.keys.rollback(|kind| if kind.numbers_commits() { commits } else { first });
        self.explicit.truncate(self.explicit.partition_point(|event| *event < first));
        for commit in (commits..number(self.commits.len())).rev() {
            let hash = self.family_hash(&self.commits[commit as usize].family());
            let Ok(mut last) = self.families.find_entry(hash, |other| *other == commit) else { continue };
            match self.earlier[commit as usize] {
                NONE => drop(last.remove()),
                earlier => *last.get_mut() = earlier,
            }
        }
        let kept = Sequence::new(self.base_sequence + u64::from(commits));
        for steps in self.sources.values_mut() {
            steps.truncate(steps.partition_point(|step| step.sequence < kept));
        }
        self.sources.retain(|_, steps| !steps.is_empty());
        self.events.truncate(first as usize);
        self.commits.truncate(commits as usize);
        self.earlier.truncate(commits as usize);
        Some(frame)
    }

    fn family_hash(&self, family: &[u8; 12]) -> u64 {
        hash_key(self.seed, KeyKind::Family, family)
    }
}
