//! Owns which fields can be tags: an id, or a collection of them, one tag for each.

use crate::Id;
use factum_event::Tag;
use std::{
    collections::{BTreeSet, HashSet},
    hash::BuildHasher,
};

/// A field that an event can be found by, as tags of the id `K`: an id, or an `Option`, `Vec`, array or
/// set of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tag: it is neither an id nor a collection of ids",
    label = "not an id, nor a collection of ids",
    note = "wrap a plain value: `#[derive(Id)] struct CourseId(Uuid);` gives the tag `course:<uuid>`",
    note = "`Option`, `Vec`, arrays, `BTreeSet` and `HashSet` of ids give one tag for each, where the \
            field spells them out: `Vec<CourseId>`, not an alias of it"
)]
pub trait TagField<K> {
    /// Adds its tags, each once.
    fn tags(&self, out: &mut Vec<Tag>);
}

#[diagnostic::do_not_recommend]
impl<K: Id> TagField<K> for K {
    fn tags(&self, out: &mut Vec<Tag>) {
        let tag = self.tag();
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
}

macro_rules! collection {
    ($([$($generics:tt)*] $collection:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<K: Id, T: TagField<K>, $($generics)*> TagField<K> for $collection {
            fn tags(&self, out: &mut Vec<Tag>) {
                self.iter().for_each(|field| field.tags(out));
            }
        }
    )*};
}

collection! {
    [] Option<T>,
    [] Vec<T>,
    [] BTreeSet<T>,
    [const N: usize] [T; N],
}

/// In the order of their text, since a hash set has none of its own and what is stored is not left to
/// chance.
#[diagnostic::do_not_recommend]
impl<K: Id, S: BuildHasher> TagField<K> for HashSet<K, S> {
    fn tags(&self, out: &mut Vec<Tag>) {
        let mut tags: Vec<Tag> = self.iter().map(Id::tag).filter(|tag| !out.contains(tag)).collect();
        tags.sort();
        out.append(&mut tags);
    }
}
