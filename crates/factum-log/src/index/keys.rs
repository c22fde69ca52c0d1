//! From a key to its postings: a table of numbers into a list of entries, one line of the cache each. Short
//! keys stand in their entry, the others end to end in an arena. Hashes only lead to candidates; the bytes
//! decide.

use super::{list::List, postings::Postings};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What a key is. Keys of different kinds never meet. The numbers are those of index files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum KeyKind {
    Stream,
    Category,
    Type,
    Tag,
    /// An event id that was given; a derived one is found by its family.
    Event,
    /// What a command id shares with the ids derived from it. Kept with the commits, not among the keys.
    Family,
    Correlation,
}

impl KeyKind {
    /// Whether its postings number commits; else they number events.
    pub(crate) fn numbers_commits(self) -> bool {
        matches!(self, Self::Family | Self::Correlation)
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        let kinds = [
            Self::Stream,
            Self::Category,
            Self::Type,
            Self::Tag,
            Self::Event,
            Self::Family,
            Self::Correlation,
        ];
        kinds.get(usize::from(code)).copied()
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

/// The hash that leads to a key in memory. `seed` keeps clients from choosing keys that collide.
pub(crate) fn hash_key(seed: u64, kind: KeyKind, key: &[u8]) -> u64 {
    xxh3_64_with_seed(key, seed.wrapping_add(kind as u64))
}

/// The hash that leads to a key in an index file, where keys that collide are searched like any others.
pub(crate) fn stored_hash(kind: KeyKind, key: &[u8]) -> u64 {
    xxh3_64_with_seed(key, kind as u64)
}

/// The longest text that stands in its entry.
const INLINE: usize = 24;

#[derive(Debug)]
#[repr(align(64))]
struct Entry {
    hash: u64,
    postings: Postings,
    /// Of a stream, how many events it had before this part.
    before: u32,
    length: u16,
    kind: KeyKind,
    /// The text; of a longer one, its place in the arena.
    text: [u8; INLINE],
}

/// What adding a number came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Added {
    pub(crate) entry: u32,
    /// How many numbers the key has now.
    pub(crate) count: u32,
    /// The key was not there.
    pub(crate) is_new: bool,
}

/// A key with its numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) kind: KeyKind,
    pub(crate) text: &'a [u8],
    pub(crate) before: u32,
    pub(crate) list: List<'a>,
}

/// All keys.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    table: HashTable<u32>,
    entries: Vec<Entry>,
    arena: Vec<u8>,
    /// Bytes that postings take outside of their entries, about.
    outside: usize,
    /// The entry that was used last, of each of the two kinds that seldom change.
    recent: [u32; 2],
}

impl Keys {
    /// With room for as many keys as `other` has, and some more.
    pub(crate) fn presized(other: &Self) -> Self {
        let entries = other.entries.len() + other.entries.len() / 8;
        Self {
            table: HashTable::with_capacity(entries),
            entries: Vec::with_capacity(entries),
            arena: Vec::with_capacity(other.arena.len() + other.arena.len() / 8),
            outside: 0,
            recent: [0; 2],
        }
    }

    /// Adds `number` to the postings of `key`.
    #[inline]
    pub(crate) fn add(&mut self, kind: KeyKind, hash: u64, key: &[u8], number: u32) -> Added {
        let recent = match kind {
            KeyKind::Category => Some(0),
            KeyKind::Type => Some(1),
            _ => None,
        };
        if let Some(recent) = recent {
            let entry = self.recent[recent];
            if (entry as usize) < self.entries.len() && self.is(entry, kind, hash, key) {
                return self.push(entry, number);
            }
        }
        let found = self.table.find(hash, |entry| self.is(*entry, kind, hash, key)).copied();
        let added = match found {
            Some(entry) => self.push(entry, number),
            None => self.insert(kind, hash, key, number),
        };
        if let Some(recent) = recent {
            self.recent[recent] = added.entry;
        }
        added
    }

    #[inline]
    fn push(&mut self, entry: u32, number: u32) -> Added {
        let postings = &mut self.entries[entry as usize].postings;
        let outside = postings.outside();
        let count = postings.push(number);
        self.outside += postings.outside() - outside;
        Added { entry, count, is_new: false }
    }

    #[cold]
    fn insert(&mut self, kind: KeyKind, hash: u64, key: &[u8], number: u32) -> Added {
        let entry = u32::try_from(self.entries.len()).expect("a part has fewer than 2^32 keys");
        let length = u16::try_from(key.len()).expect("keys are short");
        let mut text = [0; INLINE];
        if key.len() <= INLINE {
            text[..key.len()].copy_from_slice(key);
        } else {
            text[..8].copy_from_slice(&(self.arena.len() as u64).to_le_bytes());
            self.arena.extend_from_slice(key);
        }
        self.entries.push(Entry { hash, postings: Postings::one(number), before: 0, length, kind, text });
        let entries = &self.entries;
        self.table.insert_unique(hash, entry, |other| entries[*other as usize].hash);
        Added { entry, count: 1, is_new: true }
    }

    /// The key, if it was ever added.
    pub(crate) fn find(&self, kind: KeyKind, hash: u64, key: &[u8]) -> Option<Found<'_>> {
        let entry = self.table.find(hash, |entry| self.is(*entry, kind, hash, key))?;
        Some(self.at(*entry))
    }

    /// The key with this number.
    pub(crate) fn at(&self, entry: u32) -> Found<'_> {
        let found = &self.entries[entry as usize];
        Found { kind: found.kind, text: self.text(found), before: found.before, list: found.postings.list() }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn before(&self, entry: u32) -> u32 {
        self.entries[entry as usize].before
    }

    pub(crate) fn set_before(&mut self, entry: u32, before: u32) {
        self.entries[entry as usize].before = before;
    }

    /// Takes back the numbers from `kept(kind)` on. A key that has none left stays, for what is known of the
    /// parts before it stays true.
    pub(crate) fn rollback(&mut self, kept: impl Fn(KeyKind) -> u32) {
        self.entries.iter_mut().for_each(|entry| entry.postings.cut(kept(entry.kind)));
    }

    /// How many bytes all this takes, about.
    pub(crate) fn bytes(&self) -> usize {
        // A slot of the table takes its number and a byte, and an eighth of them is empty.
        self.entries.len() * (size_of::<Entry>() + 6) + self.arena.len() + self.outside
    }

    fn text<'a>(&'a self, entry: &'a Entry) -> &'a [u8] {
        let length = usize::from(entry.length);
        if length <= INLINE {
            return &entry.text[..length];
        }
        let start = u64::from_le_bytes(*entry.text.first_chunk().expect("a text has more than eight bytes"));
        &self.arena[usize::try_from(start).expect("the arena is in memory")..][..length]
    }

    #[inline]
    fn is(&self, entry: u32, kind: KeyKind, hash: u64, key: &[u8]) -> bool {
        let entry = &self.entries[entry as usize];
        entry.hash == hash && entry.kind == kind && self.text(entry) == key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(keys: &Keys, kind: KeyKind, hash: u64, key: &[u8]) -> Vec<u32> {
        keys.find(kind, hash, key).map_or(Vec::new(), |found| found.list.iter().collect())
    }

    #[test]
    fn keys_with_one_hash_are_told_apart_by_their_bytes_and_kind() {
        let mut keys = Keys::default();
        let (long, longer) = ([b'x'; 25], [b'x'; 26]);
        keys.add(KeyKind::Tag, 7, b"a", 1);
        keys.add(KeyKind::Tag, 7, b"b", 2);
        keys.add(KeyKind::Tag, 7, &long, 3);
        keys.add(KeyKind::Tag, 7, &longer, 4);
        keys.add(KeyKind::Stream, 7, b"a", 5);
        assert_eq!(numbers(&keys, KeyKind::Tag, 7, b"a"), [1]);
        assert_eq!(numbers(&keys, KeyKind::Tag, 7, b"b"), [2]);
        assert_eq!(numbers(&keys, KeyKind::Tag, 7, &long), [3]);
        assert_eq!(numbers(&keys, KeyKind::Tag, 7, &longer), [4]);
        assert_eq!(numbers(&keys, KeyKind::Stream, 7, b"a"), [5]);
        assert_eq!(numbers(&keys, KeyKind::Category, 7, b"a"), [0_u32; 0]);
    }

    #[test]
    fn what_was_not_kept_is_rolled_back() {
        let mut keys = Keys::default();
        for number in 0..20 {
            keys.add(KeyKind::Tag, 7, b"a", number);
        }
        keys.add(KeyKind::Tag, 7, b"a", 20);
        keys.add(KeyKind::Type, 8, b"b", 20);
        keys.rollback(|_| 20);
        assert_eq!(numbers(&keys, KeyKind::Tag, 7, b"a").len(), 20);
        assert!(numbers(&keys, KeyKind::Type, 8, b"b").is_empty());
        assert_eq!(keys.add(KeyKind::Type, 8, b"b", 20).count, 1);
        assert_eq!(numbers(&keys, KeyKind::Type, 8, b"b"), [20]);
    }

    #[test]
    fn an_entry_is_one_line_of_the_cache() {
        assert_eq!(size_of::<Entry>(), 64);
    }

    #[test]
    fn kinds_keep_their_codes() {
        for code in 0..7 {
            assert_eq!(KeyKind::from_code(code).map(|kind| kind as u8), Some(code));
        }
        assert_eq!(KeyKind::from_code(7), None);
    }
}
