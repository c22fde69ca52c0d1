//! Owns the check that a model can see its events: each carries what the scope selects by, or the model
//! does not compile. A fold over an event that lacks the tag would be an empty query and no error.

use crate::{EventDescriptor, Everything, Last, Tagged};

/// Every event of the set carries what the scope selects by. Derived, never written by hand.
#[diagnostic::on_unimplemented(
    message = "an event of `{Self}` does not carry what `{S}` selects by, so this model would never see it",
    label = "not every event in here is reached by the scope",
    note = "narrow the events: `#[derive(Subset)] #[subset(of = ..)]` with only those that carry the id; \
            or add the field to `tags(..)`; or change the scope"
)]
pub trait ReachedBy<S> {}

/// This kind of event carries a tag of the id `K`. `Self` is a type that stands for one variant and has
/// its name, so that messages say which.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the event `{Self}` has no tag of type `{K}`, so a model scoped to that tag would never \
               see it",
    label = "has `{Self}` among its events, which lacks the tag `{K}`",
    note = "mark the field `#[tag]` or add it to `tags(..)`, take the event out of the model's events \
            (with `#[model]` they are those of its match; else a `#[derive(Subset)]` enum), or scope the \
            model to something all its events carry"
)]
pub trait CarriesTag<K> {}

/// This kind of event lives in a stream of the id `K`. `Self` as in [`CarriesTag`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the event `{Self}` does not live in a stream of `{K}`, so a model scoped to that stream \
               would never see it",
    label = "has `{Self}` among its events, which lives in another stream",
    note = "use `type Scope = Tagged<{K}>` if the event has that tag, or mark its field `#[stream]`; an \
            event without a stream field lives in the stream named by its context"
)]
pub trait LivesInStreamOf<K> {}

/// The type that stands for the variant at an index.
#[doc(hidden)]
pub trait VariantAt<const INDEX: usize> {
    type Variant;
}

/// An unknown variant has every tag: the match beside it already says what is wrong, once.
#[doc(hidden)]
#[derive(Debug)]
pub enum UnknownVariant {}

impl<E> VariantAt<{ usize::MAX }> for E {
    type Variant = UnknownVariant;
}

#[diagnostic::do_not_recommend]
impl<K> CarriesTag<K> for UnknownVariant {}

#[diagnostic::do_not_recommend]
impl<K> LivesInStreamOf<K> for UnknownVariant {}

impl<E> ReachedBy<Everything> for E {}

impl<E: ReachedBy<S>, S> ReachedBy<Last<S>> for E {}

impl<E, A, B> ReachedBy<(Tagged<A>, Tagged<B>)> for E where E: ReachedBy<Tagged<A>> + ReachedBy<Tagged<B>> {}

impl<E, A, B, C> ReachedBy<(Tagged<A>, Tagged<B>, Tagged<C>)> for E where
    E: ReachedBy<Tagged<A>> + ReachedBy<Tagged<B>> + ReachedBy<Tagged<C>>
{
}

/// Where a variant stands, or `usize::MAX`.
#[doc(hidden)]
pub const fn variant_index(variants: &[&str], name: &str) -> usize {
    let mut at = 0;
    while at < variants.len() {
        if same(variants[at].as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    usize::MAX
}

/// The descriptor at `at`; any, where `at` stands for an unknown variant.
#[doc(hidden)]
pub const fn descriptor_at(types: &'static [EventDescriptor], at: usize) -> EventDescriptor {
    if at < types.len() { types[at] } else { types[0] }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
