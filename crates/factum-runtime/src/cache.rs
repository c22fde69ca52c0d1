//! Keeps folded models between commands, as baselines and nothing more: whoever takes one reads what came
//! after it, and the condition of the append decides as ever. Losing an entry costs time only.

use quick_cache::{
    OptionsBuilder, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};
use std::{
    any::Any,
    fmt,
    hash::{BuildHasher, Hasher},
    sync::Arc,
};

/// How many folded states an application keeps at hand, unless it says otherwise.
pub const CACHE_ENTRIES_DEFAULT: usize = 16_384;
/// Commands of different keys seldom meet in one of so many parts. The bound is rounded up to a multiple of it.
const SHARDS: usize = 16;

/// Folded models with how far they are folded, their types put away.
pub(crate) type Shared = Arc<dyn Any + Send + Sync>;

/// Where the models of a decision are kept: a hash over their type and their keys. Two that meet in one slot
/// take each other's place and never each other's state, since who takes an entry compares type and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot(pub(crate) u64);

/// Folded states by slot, a bounded number of them.
pub(crate) struct ModelCache(Cache<Slot, Shared, UnitWeighter, AsItIs, DefaultLifecycle<Slot, Shared>>);

impl ModelCache {
    /// Room for so many; `None` for none.
    pub(crate) fn new(entries: usize) -> Option<Self> {
        let mut options = OptionsBuilder::new();
        let room = u64::try_from(entries).unwrap_or(u64::MAX);
        options.shards(SHARDS).estimated_items_capacity(entries).weight_capacity(room);
        let options = options.build().expect("both capacities are given");
        (entries > 0)
            .then(|| Self(Cache::with_options(options, UnitWeighter, AsItIs, DefaultLifecycle::default())))
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<Shared> {
        self.0.get(&slot)
    }

    pub(crate) fn insert(&self, slot: Slot, states: Shared) {
        self.0.insert(slot, states);
    }
}

impl fmt::Debug for ModelCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelCache").field("entries", &self.0.len()).finish_non_exhaustive()
    }
}

/// A slot is a hash already.
#[derive(Clone, Copy, Debug, Default)]
struct AsItIs;

#[derive(Debug, Default)]
struct Taken(u64);

impl BuildHasher for AsItIs {
    type Hasher = Taken;

    fn build_hasher(&self) -> Taken {
        Taken::default()
    }
}

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, slot: u64) {
        self.0 = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room() {
        let spread = |number: u64| Slot(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for room in [1, 40, 1000] {
            let cache = ModelCache::new(room).unwrap();
            (0..5000).for_each(|number| cache.insert(spread(number), Arc::new(number)));
            assert!(cache.0.len() <= room.next_multiple_of(SHARDS), "{} of {room}", cache.0.len());
            assert!(cache.0.len() >= room / 2, "{} of {room}", cache.0.len());
        }
        assert!(ModelCache::new(0).is_none());
    }

    #[test]
    fn what_is_kept_is_found_in_its_slot_and_replaced_there() {
        let cache = ModelCache::new(64).unwrap();
        cache.insert(Slot(7), Arc::new("one"));
        cache.insert(Slot(7), Arc::new("two"));
        assert_eq!(cache.get(Slot(7)).unwrap().downcast_ref::<&str>(), Some(&"two"));
        assert!(cache.get(Slot(8)).is_none());
    }
}
