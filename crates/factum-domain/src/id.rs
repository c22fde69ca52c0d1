//! Owns what makes a value an id: the kind that begins its tag and its stream.

use factum_event::{StreamName, Tag};
use std::{
    fmt::{Debug, Display},
    hash::Hash,
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

    /// The tag that events about it carry.
    fn tag(&self) -> Tag {
        Tag::unchecked(format!("{}:{self}", Self::NAME))
    }

    /// The stream that events live in whose home it is.
    fn stream(&self) -> StreamName {
        StreamName::unchecked(format!("{}-{self}", Self::NAME))
    }
}
