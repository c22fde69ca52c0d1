//! How people and programs name an issue: by its number or by its UUID, wherever one is named.

use crate::{IssueId, IssueNumber};
use std::{fmt, str::FromStr};

/// The number of an issue, or its UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueRef {
    /// What people call it.
    Number(IssueNumber),
    /// Which.
    Id(IssueId),
}

/// A text that names no issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither the number of an issue, such as 17, nor its UUID")]
pub struct NotAnIssue;

impl FromStr for IssueRef {
    type Err = NotAnIssue;

    fn from_str(text: &str) -> Result<Self, NotAnIssue> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Number).map_err(|_| NotAnIssue);
        }
        text.parse().map(Self::Id).map_err(|_| NotAnIssue)
    }
}

impl fmt::Display for IssueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    #[test]
    fn a_number_and_a_uuid_are_told_apart() {
        assert_eq!("17".parse(), Ok(IssueRef::Number(IssueNumber::from(17))));
        assert_eq!("00000000-0000-0000-0000-000000000001".parse(), Ok(IssueRef::Id(id(1))));
        for text in ["", "-1", "1.0", "crash", "99999999999999999999"] {
            assert_eq!(text.parse::<IssueRef>(), Err(NotAnIssue), "{text}");
        }
    }

    #[test]
    fn it_is_spelled_as_it_is_given_out() {
        for text in ["17", "00000000-0000-0000-0000-00000000000a"] {
            assert_eq!(text.parse::<IssueRef>().unwrap().to_string(), text);
        }
    }
}
