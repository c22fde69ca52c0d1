//! Owns what makes a value an id: the kind that begins its tag and its stream.

use factum_event::{StreamName, Tag};
use serde::{Deserializer, Serialize, Serializer, de::DeserializeOwned};
use std::{
    fmt::{self, Debug, Display},
    hash::{Hash, Hasher},
};

/// A value that names one thing of a kind: a course, an account. `#[derive(Id)]` writes it.
///
/// The tag of an id is `name:value`, its stream `name-value`, where the value is what `Display` gives.
/// Both are stored: once events exist, neither the name nor the text of a value may change.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an id, so it cannot name a stream or a tag",
    label = "not an id",
    note = "wrap it: `#[derive(Id)] struct CourseId(Uuid);` gives the tag `course:<uuid>` and the stream \
            `course-<uuid>`"
)]
pub trait Id: Clone + Debug + Display + Eq + Hash + Send + Sync + 'static {
    /// The kind, in snake case and without a trailing `_id`: `course`, `course_option`. It holds
    /// neither `-`, which ends the category of a stream, nor `:`, which ends the name of a tag.
    const NAME: &'static str;

    /// What it wraps.
    type Value;

    /// The id of this value.
    fn new(value: Self::Value) -> Self;

    /// The value.
    fn get(&self) -> &Self::Value;

    /// The tag that events about it carry.
    fn tag(&self) -> Tag {
        Tag::unchecked(format!("{}:{self}", Self::NAME))
    }

    /// The stream that events live in whose home it is.
    fn stream(&self) -> StreamName {
        StreamName::unchecked(format!("{}-{self}", Self::NAME))
    }
}

/// What an id can wrap. Derived code does everything through it, so that what is missing is said once.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the value of an id",
    label = "not `Clone + Display + Eq + Hash` with serde's `Serialize` and `Deserialize`",
    note = "an id is compared, hashed, printed and stored: a Uuid, a whole number, a `String`, or a type of \
            yours with `#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]` and a \
            `Display`",
    note = "a float is none: it is not `Eq`, and two that print alike may differ"
)]
pub trait IdValue: Sized {
    fn clone_value(&self) -> Self;
    fn is_same(&self, other: &Self) -> bool;
    fn hash_value<H: Hasher>(&self, state: &mut H);
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;
}

#[diagnostic::do_not_recommend]
impl<T> IdValue for T
where
    T: Clone + Display + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn clone_value(&self) -> Self {
        self.clone()
    }

    fn is_same(&self, other: &Self) -> bool {
        self == other
    }

    fn hash_value<H: Hasher>(&self, state: &mut H) {
        self.hash(state);
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.serialize(to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::deserialize(from)
    }
}
