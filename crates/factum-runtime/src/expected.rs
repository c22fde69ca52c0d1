//! What a sender believes of the stream that a command is about. It travels with the command as a header, so
//! that it holds across a restart, and is looked at where the command is decided.

use factum_domain::Boundary;
use factum_event::{Condition, Expected, Metadata, Rejection, Revision, StreamName};
use std::{fmt, sync::Arc};

/// The header of a command that carries it.
const HEADER: &str = "factum.expected-revision";
/// What the header says for [`ExpectedRevision::Exists`].
const EXISTS: &str = "*";
/// What it says for [`ExpectedRevision::Absent`].
const ABSENT: &str = "-";
/// The code of the rejection when it does not hold.
const CODE: &str = "stale-revision";
/// The status of that rejection.
const STATUS: u16 = 412;

/// Where the stream of a command's first model stands, as its sender believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedRevision {
    /// It has no event.
    Absent,
    /// It has events.
    Exists,
    /// Its last event has one of these revisions. Of an empty list none is right.
    OneOf(Vec<Revision>),
}

/// A stream is not where the sender of a command believed it to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stream {stream} {}, and was expected {expected}: read it again, and send what still fits", At(*.actual))]
pub struct StaleRevision {
    /// The stream.
    pub stream: StreamName,
    /// What its sender believed.
    pub expected: ExpectedRevision,
    /// The revision of its last event, if it has any.
    pub actual: Option<Revision>,
}

/// A revision in words.
struct At(Option<Revision>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(revision) => write!(f, "stands at revision {revision}"),
            None => f.write_str("has no event"),
        }
    }
}

impl fmt::Display for ExpectedRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("to have none"),
            Self::Exists => f.write_str("to have some"),
            Self::OneOf(revisions) if revisions.is_empty() => f.write_str("at a revision it never had"),
            Self::OneOf(revisions) => {
                let all: Vec<_> = revisions.iter().map(Revision::to_string).collect();
                write!(f, "at {}", all.join(" or "))
            }
        }
    }
}

impl From<Revision> for ExpectedRevision {
    fn from(revision: Revision) -> Self {
        Self::OneOf(vec![revision])
    }
}

/// Where a view was read: its revision, or no event.
impl From<Option<Revision>> for ExpectedRevision {
    fn from(revision: Option<Revision>) -> Self {
        revision.map_or(Self::Absent, Self::from)
    }
}

impl From<StaleRevision> for Rejection {
    fn from(stale: StaleRevision) -> Self {
        Self { code: CODE.into(), reason: stale.to_string(), status: STATUS }
    }
}

impl ExpectedRevision {
    /// Whether a stream whose last event has this revision is as expected.
    ///
    /// ```
    /// use factum_event::Revision;
    /// use factum_runtime::ExpectedRevision;
    /// let three = ExpectedRevision::from(Revision::new(3));
    /// assert!(three.holds(Some(Revision::new(3))) && !three.holds(Some(Revision::new(4))));
    /// assert!(ExpectedRevision::Exists.holds(Some(Revision::new(0))));
    /// assert!(!ExpectedRevision::Exists.holds(None));
    /// assert!(ExpectedRevision::from(None).holds(None));
    /// ```
    pub fn holds(&self, actual: Option<Revision>) -> bool {
        match (self, actual) {
            (Self::Absent, None) | (Self::Exists, Some(_)) => true,
            (Self::Absent, Some(_)) | (_, None) => false,
            (Self::OneOf(revisions), Some(actual)) => revisions.contains(&actual),
        }
    }

    /// Puts it on a command, in place of an earlier one.
    pub(crate) fn stamp(&self, metadata: &mut Metadata) {
        let text = match self {
            Self::Absent => ABSENT.to_owned(),
            Self::Exists => EXISTS.to_owned(),
            Self::OneOf(revisions) => revisions.iter().map(Revision::to_string).collect::<Vec<_>>().join(","),
        };
        metadata.headers.retain(|(name, _)| &**name != HEADER);
        metadata.headers.push((HEADER.into(), Arc::from(text)));
    }

    /// What was put on a command. What cannot be read never holds.
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        let (_, text) = metadata.headers.iter().find(|(name, _)| &**name == HEADER)?;
        Some(match &**text {
            ABSENT => Self::Absent,
            EXISTS => Self::Exists,
            text => {
                Self::OneOf(text.split(',').filter_map(|part| part.parse().ok().map(Revision::new)).collect())
            }
        })
    }

    /// Whether what was read for a decision is as expected.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn check(&self, stream: &StreamName, read: &Condition) -> Result<(), StaleRevision> {
        let actual = read.streams.iter().find(|(named, _)| named == stream).and_then(|(_, at)| match at {
            Expected::Exactly(revision) => Some(*revision),
            _ => None,
        });
        self.check_at(stream, actual)
    }

    /// Whether a stream at this revision is as expected.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn check_at(
        &self,
        stream: &StreamName,
        actual: Option<Revision>,
    ) -> Result<(), StaleRevision> {
        if self.holds(actual) {
            return Ok(());
        }
        Err(StaleRevision { stream: stream.clone(), expected: self.clone(), actual })
    }
}

/// The stream that an expected revision is about: the home of the first model that has one.
pub(crate) fn home(boundaries: &[Boundary]) -> Option<&StreamName> {
    boundaries.iter().find_map(|boundary| boundary.home.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_on_a_command_is_read_from_it() {
        let (one, two) = (Revision::new(1), Revision::new(2));
        for expected in [
            ExpectedRevision::Absent,
            ExpectedRevision::Exists,
            ExpectedRevision::from(one),
            ExpectedRevision::OneOf(vec![one, two]),
            ExpectedRevision::OneOf(Vec::new()),
        ] {
            let mut metadata = Metadata::default();
            ExpectedRevision::from(two).stamp(&mut metadata);
            expected.stamp(&mut metadata);
            assert_eq!(ExpectedRevision::of(&metadata), Some(expected));
            assert_eq!(metadata.headers.len(), 1);
        }
        assert_eq!(ExpectedRevision::of(&Metadata::default()), None);
    }

    #[test]
    fn what_cannot_be_read_never_holds() {
        let mut metadata = Metadata::default();
        metadata.headers.push((HEADER.into(), "nonsense".into()));
        let expected = ExpectedRevision::of(&metadata).unwrap();
        assert!(!expected.holds(Some(Revision::default())) && !expected.holds(None));
    }
}
