//! From a key to its postings: a table of numbers into a list of entries, the keys end to end in an arena.
//! Hashes only lead to candidates; the bytes decide.

use super::postings::Postings;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What a key is. Keys of different kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum KeyKind {
    Stream,
    Category,
    Type,
    Tag,
    /// An event id that was given; a derived one is found by its family.
    Event,
    /// What a command id shares with the ids derived from it.
    Family,
    Correlation,
}

impl KeyKind {
    /// Whether its postings number commits; else they number events.
    pub(crate) fn numbers_commits(self) -> bool {
        matches!(self, Self::Family | Self::Correlation)
    }
}

/// A key within the bytes of a frame, already hashed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) hash: u64,
    pub(crate) start: u32,
    pub(crate) length: u16,
    pub(crate) kind: KeyKind,
}

pub(crate) fn hash_key(seed: u64, kind: KeyKind, key: &[u8]) -> u64 {
    xxh3_64_with_seed(key, seed.wrapping_add(kind as u64))
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    start: u64,
    length: u16,
    kind: KeyKind,
    postings: Postings,
}

/// All keys.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    table: HashTable<u32>,
    entries: Vec<Entry>,
    arena: Vec<u8>,
    /// The entries that grew since the last [`Keys::keep`], once for each posting.
    grown: Vec<u32>,
    /// The entry that was used last, of each of the two kinds that seldom change.
    recent: [u32; 2],
}

impl Keys {
    /// Adds `number` to the postings of `key`; how many they are then.
    pub(crate) fn add(&mut self, kind: KeyKind, hash: u64, key: &[u8], number: u32) -> usize {
        let entry = self.entry(kind, hash, key);
        self.grown.push(entry);
        let postings = &mut self.entries[entry as usize].postings;
        postings.push(number);
        postings.as_slice().len()
    }

    /// The postings of `key`, ascending.
    pub(crate) fn postings(&self, kind: KeyKind, hash: u64, key: &[u8]) -> &[u32] {
        let found = self.table.find(hash, |entry| self.is(*entry, kind, hash, key));
        found.map_or(&[], |entry| self.entries[*entry as usize].postings.as_slice())
    }

    /// What was added is final.
    pub(crate) fn keep(&mut self) {
        self.grown.clear();
    }

    /// Takes back what was added since the last [`Keys::keep`] with a number of `kept(kind)` or more.
    pub(crate) fn rollback(&mut self, kept: impl Fn(KeyKind) -> usize) {
        for entry in std::mem::take(&mut self.grown) {
            let Entry { kind, postings, .. } = &mut self.entries[entry as usize];
            while postings.as_slice().last().is_some_and(|last| *last as usize >= kept(*kind)) {
                postings.pop();
            }
        }
    }

    fn entry(&mut self, kind: KeyKind, hash: u64, key: &[u8]) -> u32 {
        let recent = match kind {
            KeyKind::Category => Some(0),
            KeyKind::Type => Some(1),
            _ => None,
        };
        if let Some(recent) = recent {
            let entry = self.recent[recent];
            if (entry as usize) < self.entries.len() && self.is(entry, kind, hash, key) {
                return entry;
            }
        }
        let found = self.table.find(hash, |entry| self.is(*entry, kind, hash, key)).copied();
        let entry = found.unwrap_or_else(|| self.insert(kind, hash, key));
        if let Some(recent) = recent {
            self.recent[recent] = entry;
        }
        entry
    }

    fn insert(&mut self, kind: KeyKind, hash: u64, key: &[u8]) -> u32 {
        let entry = u32::try_from(self.entries.len()).expect("a log has fewer than 2^32 keys");
        let length = u16::try_from(key.len()).expect("keys are short");
        let start = self.arena.len() as u64;
        self.entries.push(Entry { hash, start, length, kind, postings: Postings::default() });
        self.arena.extend_from_slice(key);
        let entries = &self.entries;
        self.table.insert_unique(hash, entry, |other| entries[*other as usize].hash);
        entry
    }

    fn is(&self, entry: u32, kind: KeyKind, hash: u64, key: &[u8]) -> bool {
        let entry = &self.entries[entry as usize];
        let start = usize::try_from(entry.start).expect("the arena is in memory");
        entry.hash == hash
            && entry.kind == kind
            && &self.arena[start..start + usize::from(entry.length)] == key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_one_hash_are_told_apart_by_their_bytes_and_kind() {
        let mut keys = Keys::default();
        keys.add(KeyKind::Tag, 7, b"a", 1);
        keys.add(KeyKind::Tag, 7, b"b", 2);
        keys.add(KeyKind::Stream, 7, b"a", 3);
        assert_eq!(keys.postings(KeyKind::Tag, 7, b"a"), [1]);
        assert_eq!(keys.postings(KeyKind::Tag, 7, b"b"), [2]);
        assert_eq!(keys.postings(KeyKind::Stream, 7, b"a"), [3]);
        assert_eq!(keys.postings(KeyKind::Category, 7, b"a"), [0_u32; 0]);
    }

    #[test]
    fn what_was_not_kept_is_rolled_back() {
        let mut keys = Keys::default();
        for number in 0..20 {
            keys.add(KeyKind::Tag, 7, b"a", number);
        }
        keys.keep();
        keys.add(KeyKind::Tag, 7, b"a", 20);
        keys.add(KeyKind::Type, 8, b"b", 20);
        keys.rollback(|_| 20);
        assert_eq!(keys.postings(KeyKind::Tag, 7, b"a").len(), 20);
        assert!(keys.postings(KeyKind::Type, 8, b"b").is_empty());
    }
}
