//! Owns which fields can be tags: an id, or a collection of them, one tag for each.

use crate::Id;
use factum_event::Tag;
use std::{
    collections::{BTreeSet, HashSet},
    hash::BuildHasher,
};

/// A field that an event can be found by: an [`Id`], or an `Option`, `Vec`, array or set of ids.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tag: it is neither an id nor a collection of ids",
    label = "not an id",
    note = "wrap it: `#[derive(Id)] struct CourseId(Uuid);` gives the tag `course:<uuid>`; `Option`, `Vec`, arrays and sets of ids give one tag for each"
)]
pub trait TagField {
    /// What the tags are ids of: the scope of a model names it.
    type Id: Id;

    /// Adds its tags.
    fn tags(&self, out: &mut Vec<Tag>);
}

#[diagnostic::do_not_recommend]
impl<K: Id> TagField for K {
    type Id = K;

    fn tags(&self, out: &mut Vec<Tag>) {
        let tag = self.tag();
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
}

macro_rules! collection {
    ($([$($generics:tt)*] $collection:ty),* $(,)?) => {$(
        impl<K: Id, $($generics)*> TagField for $collection {
            type Id = K;

            fn tags(&self, out: &mut Vec<Tag>) {
                self.iter().for_each(|id| id.tags(out));
            }
        }
    )*};
}

collection! {
    [] Option<K>,
    [] Vec<K>,
    [] BTreeSet<K>,
    [const N: usize] [K; N],
}

/// In the order of their text, since a hash set has none of its own and what is stored is not left to
/// chance.
impl<K: Id, S: BuildHasher> TagField for HashSet<K, S> {
    type Id = K;

    fn tags(&self, out: &mut Vec<Tag>) {
        let mut tags: Vec<Tag> = self.iter().map(Id::tag).filter(|tag| !out.contains(tag)).collect();
        tags.sort();
        out.append(&mut tags);
    }
}
