//! What a new text, priority, tag or project may be. Every rule is here once: the commands ask it when they
//! are decided, and the HTTP side asks the commands before they are stored.

use crate::IssueId;
use factum::prelude::*;
use std::{fmt, ops::RangeInclusive};

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 20_000;
/// Longest comment, in characters.
pub const COMMENT_CHARS_MAX: usize = 20_000;
/// Longest name of a project, in characters.
pub const PROJECT_CHARS_MAX: usize = 100;
/// Longest tag, in characters.
pub const TAG_CHARS_MAX: usize = 50;
/// Most tags on one issue.
pub const TAGS_MAX: usize = 20;
/// The priorities, the most urgent first.
pub const PRIORITIES: RangeInclusive<u8> = 1..=5;
/// The priority of an issue for which none is said.
pub const PRIORITY_DEFAULT: u8 = 5;

/// A field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name, as in the command.
    pub field: &'static str,
    /// What the rule is.
    pub message: String,
}

/// All the fields of a command that break a rule: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Reject)]
#[reject(400, code = "invalid")]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Nothing, if no rule is broken.
    ///
    /// # Errors
    /// All the faults that were found.
    pub(crate) fn check(found: impl IntoIterator<Item = Option<Fault>>) -> Result<(), Self> {
        let faults: Vec<_> = found.into_iter().flatten().collect();
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }

    /// The faults, in the order of the fields.
    pub fn list(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Fault { field, message }) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "; " };
            write!(f, "{comma}`{field}` {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Every issue has an id.
pub(crate) fn id(issue: IssueId) -> Option<Fault> {
    fault("id", issue.get().is_nil(), || "must not be the nil UUID".to_owned())
}

/// A title is there.
pub(crate) fn title(title: &str) -> Option<Fault> {
    text("title", title, TITLE_CHARS_MAX)
}

/// A description is there.
pub(crate) fn description(description: &str) -> Option<Fault> {
    text("description", description, DESCRIPTION_CHARS_MAX)
}

/// A comment says something.
pub(crate) fn comment(comment: &str) -> Option<Fault> {
    text("text", comment, COMMENT_CHARS_MAX)
}

/// A priority is one of five.
pub(crate) fn priority(priority: u8) -> Option<Fault> {
    fault("priority", !PRIORITIES.contains(&priority), || {
        format!("must be {} to {}", PRIORITIES.start(), PRIORITIES.end())
    })
}

/// Tags are few and short.
pub(crate) fn tags<'a>(tags: impl ExactSizeIterator<Item = &'a String>) -> Option<Fault> {
    let count = tags.len();
    if count > TAGS_MAX {
        return fault("tags", true, || format!("must be at most {TAGS_MAX}, and are {count}"));
    }
    let mut faults = tags.filter_map(|tag| name("tags", tag, TAG_CHARS_MAX));
    faults.next()
}

/// A tag has a name.
pub(crate) fn tag(tag: &str) -> Option<Fault> {
    name("tag", tag, TAG_CHARS_MAX)
}

/// What is looked for in texts is no longer than a title.
pub(crate) fn looked_for(words: &str) -> Option<Fault> {
    text("text", words, TITLE_CHARS_MAX)
}

/// A project has a name.
pub(crate) fn project(project: &str) -> Option<Fault> {
    name("project", project, PROJECT_CHARS_MAX)
}

fn text(field: &'static str, text: &str, chars_max: usize) -> Option<Fault> {
    let chars = text.chars().count();
    fault(field, text.trim().is_empty(), || "must not be blank".to_owned()).or_else(|| {
        fault(field, chars > chars_max, || {
            format!("must have at most {chars_max} characters, and has {chars}")
        })
    })
}

/// A text that things are found by: two that look alike are the same.
fn name(field: &'static str, name: &str, chars_max: usize) -> Option<Fault> {
    let odd = name.trim() != name || name.chars().any(char::is_control);
    text(field, name, chars_max).or_else(|| {
        fault(field, odd, || "must have no white space around it and no control characters".to_owned())
    })
}

fn fault(field: &'static str, broken: bool, message: impl FnOnce() -> String) -> Option<Fault> {
    broken.then(|| Fault { field, message: message() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(fault: Option<Fault>) -> String {
        fault.map(|Fault { field, message }| format!("{field} {message}")).unwrap_or_default()
    }

    #[test]
    fn s0_08_a_title_and_a_description_are_there_and_not_too_long() {
        for blank in ["", " ", "\t\n", "\u{2003}"] {
            assert_eq!(said(title(blank)), "title must not be blank");
            assert_eq!(said(description(blank)), "description must not be blank");
            assert_eq!(said(comment(blank)), "text must not be blank");
        }
        assert_eq!(title(&"é".repeat(TITLE_CHARS_MAX)), None, "characters are counted, not bytes");
        let long = said(title(&"x".repeat(TITLE_CHARS_MAX + 1)));
        assert_eq!(long, "title must have at most 200 characters, and has 201");
        assert!(description(&"x".repeat(DESCRIPTION_CHARS_MAX)).is_none());
        assert!(description(&"x".repeat(DESCRIPTION_CHARS_MAX + 1)).is_some());
        assert!(comment(&"x".repeat(COMMENT_CHARS_MAX + 1)).is_some());
    }

    #[test]
    fn s0_08_a_priority_is_1_to_5_and_18_is_none() {
        let taken: Vec<_> = (0..=u8::MAX).filter(|value| priority(*value).is_none()).collect();
        assert_eq!(taken, [1, 2, 3, 4, 5]);
        assert_eq!(said(priority(18)), "priority must be 1 to 5");
    }

    #[test]
    fn names_are_plain_and_bounded() {
        for odd in ["", " bug", "bug ", "a\nb", &"x".repeat(PROJECT_CHARS_MAX + 1)] {
            assert!(project(odd).is_some(), "{odd:?}");
            assert!(tags([odd.to_owned()].iter()).is_some(), "{odd:?}");
        }
        assert_eq!(project("a b"), None);
        assert!(tags(["x".repeat(TAG_CHARS_MAX + 1)].iter()).is_some());
        let many: Vec<_> = (0..=TAGS_MAX).map(|nth| nth.to_string()).collect();
        assert_eq!(tags(many[1..].iter()), None);
        assert_eq!(said(tags(many.iter())), "tags must be at most 20, and are 21");
    }

    #[test]
    fn the_longest_project_is_still_a_tag_of_the_log() {
        let longest = crate::Project::from("\u{10ffff}".repeat(PROJECT_CHARS_MAX));
        assert_eq!(longest.tag().check(), Ok(()));
    }

    #[test]
    fn all_faults_are_told_in_order() {
        let faults = Faults::check([title(""), None, priority(18)]).unwrap_err();
        assert_eq!(faults.to_string(), "`title` must not be blank; `priority` must be 1 to 5");
        assert_eq!(faults.list().len(), 2);
        assert_eq!(Faults::check([None, None]), Ok(()));
    }
}
