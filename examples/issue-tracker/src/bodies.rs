//! The bodies of commands, as their senders are told of them: which fields there are, and within which bounds,
//! which are those of [`crate::rules`]. [`crate::form`] reads them.

use crate::rules::{
    COMMENT_CHARS_MAX, DESCRIPTION_CHARS_MAX, PRIORITIES, PRIORITY_DEFAULT, PROJECT_CHARS_MAX, TAG_CHARS_MAX,
    TAGS_MAX, TITLE_CHARS_MAX,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

/// Something is said.
const NOT_BLANK: &str = r"\S";
/// No white space around it, and no control characters.
const NAME: &str =
    r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";

/// An issue as a whole.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "IssueForm", deny_unknown_fields, example = Self::example())]
pub(crate) struct IssueForm {
    /// In one line.
    #[schemars(length(max = TITLE_CHARS_MAX), regex(pattern = NOT_BLANK))]
    title: &'static str,
    /// In full.
    #[schemars(length(max = DESCRIPTION_CHARS_MAX), regex(pattern = NOT_BLANK))]
    description: &'static str,
    /// From 1, the most urgent.
    #[schemars(range(min = *PRIORITIES.start(), max = *PRIORITIES.end()), default = "lowest")]
    priority: Option<u8>,
}

/// Something to say about an issue.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CommentForm", deny_unknown_fields, example = Self { text: "It happens to me too." })]
pub(crate) struct CommentForm {
    #[schemars(length(max = COMMENT_CHARS_MAX), regex(pattern = NOT_BLANK))]
    text: &'static str,
}

/// What an issue is to be found by, in place of what it was found by before.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TagsForm", deny_unknown_fields, example = Self { tags: vec!["crash", "start"] })]
pub(crate) struct TagsForm {
    /// A set: what is there twice counts once.
    #[schemars(length(max = TAGS_MAX), inner(length(max = TAG_CHARS_MAX), regex(pattern = NAME)))]
    tags: Vec<&'static str>,
}

/// The project that an issue is in from now on.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProjectForm", deny_unknown_fields, example = Self { project: Some("Engine") })]
pub(crate) struct ProjectForm {
    /// Its name, or null for none.
    #[schemars(schema_with = "name_or_null")]
    project: Option<&'static str>,
}

/// Nothing.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NoFields", deny_unknown_fields)]
pub(crate) struct NoFields {}

impl IssueForm {
    fn example() -> Self {
        Self { title: "Crash", description: "It crashes", priority: Some(1) }
    }
}

/// Unlike an `Option`, it must be there.
fn name_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "null"], "maxLength": PROJECT_CHARS_MAX, "pattern": NAME})
}

#[allow(clippy::unnecessary_wraps, reason = "the default of a field has the type of the field")]
fn lowest() -> Option<u8> {
    Some(PRIORITY_DEFAULT)
}
