//! What must hold at the moment of an append. All parts given hold together, or nothing is stored.

use crate::{
    Position, Query, Revision, StreamName, Tracking, limits,
    name::{InvalidName, check_count},
};

/// What a stream must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything, even nothing.
    Any,
    /// The stream has no event.
    NoStream,
    /// The stream has at least one event.
    Exists,
    /// The stream's last event has this revision.
    Exactly(Revision),
}

impl Expected {
    /// Whether a stream whose last revision is `actual` is as expected.
    pub fn holds(self, actual: Option<Revision>) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => actual.is_none(),
            Self::Exists => actual.is_some(),
            Self::Exactly(revision) => actual == Some(revision),
        }
    }
}

/// The condition of an append. The default one always holds.
///
/// Parts are checked in the order of the fields; the first that fails is the one reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Input progress. It must grow, else the input was applied before: `AlreadyApplied`.
    pub tracking: Option<Tracking>,
    /// Nothing matching at all, else `AlreadyExists`: do not retry.
    pub absent: Option<Query>,
    /// What streams must look like, else `WrongRevision`.
    pub streams: Vec<(StreamName, Expected)>,
    /// Nothing matching after what was read, else `Stale`: decide again.
    pub fresh: Option<(Query, Position)>,
}

impl Condition {
    /// No condition.
    pub fn none() -> Self {
        Self::default()
    }

    /// `stream` must be as `expected`.
    #[must_use]
    pub fn stream(mut self, stream: StreamName, expected: Expected) -> Self {
        self.streams.push((stream, expected));
        self
    }

    /// Nothing that matches `query` may stand after `read_up_to`.
    #[must_use]
    pub fn fresh(mut self, query: Query, read_up_to: Position) -> Self {
        self.fresh = Some((query, read_up_to));
        self
    }

    /// Nothing may match `query`.
    #[must_use]
    pub fn absent(mut self, query: Query) -> Self {
        self.absent = Some(query);
        self
    }

    /// `tracking` must be beyond what its source reached before.
    #[must_use]
    pub fn tracking(mut self, tracking: Tracking) -> Self {
        self.tracking = Some(tracking);
        self
    }

    /// Whether a store would judge it. Every store calls this before it does.
    ///
    /// # Errors
    /// When it names what is not a name, expects more than [`limits::CONDITION_STREAMS_MAX`] streams, or
    /// holds a query that [`Query::check`] refuses.
    pub fn check(&self) -> Result<(), InvalidName> {
        check_count("a condition's streams are", self.streams.len(), limits::CONDITION_STREAMS_MAX)?;
        self.streams.iter().try_for_each(|(stream, _)| stream.check())?;
        self.fresh.iter().try_for_each(|(query, _)| query.check())?;
        self.absent.iter().try_for_each(Query::check)?;
        self.tracking.iter().try_for_each(|tracking| tracking.source.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{QueryItem, Source, Tag};

    #[test]
    fn what_is_expected_of_a_stream_holds_or_not() {
        let (none, zero, one) = (None, Some(Revision::new(0)), Some(Revision::new(1)));
        let held = |expected: Expected| [none, zero, one].map(|actual| expected.holds(actual));
        assert_eq!(held(Expected::Any), [true, true, true]);
        assert_eq!(held(Expected::NoStream), [true, false, false]);
        assert_eq!(held(Expected::Exists), [false, true, true]);
        assert_eq!(held(Expected::Exactly(Revision::new(1))), [false, false, true]);
    }

    #[test]
    fn every_part_of_a_condition_is_checked() {
        let unnamed = || Query::from(QueryItem::default().tag(Tag::unchecked("")));
        let empty = |what| Err(InvalidName::Empty { what });
        assert_eq!(Condition::none().check(), Ok(()));
        assert_eq!(Condition::none().absent(unnamed()).check(), empty("a tag"));
        assert_eq!(Condition::none().fresh(unnamed(), Position::START).check(), empty("a tag"));
        let stream = Condition::none().stream(StreamName::unchecked(""), Expected::Any);
        assert_eq!(stream.check(), empty("a stream name"));
        let tracking = Tracking { source: Source::unchecked(""), progress: 1 };
        assert_eq!(Condition::none().tracking(tracking).check(), empty("a source"));
    }

    #[test]
    fn streams_of_a_condition_are_bounded() {
        let streams = |count: usize| Condition {
            streams: vec![(StreamName::unchecked("order-1"), Expected::Any); count],
            ..Condition::none()
        };
        assert_eq!(streams(limits::CONDITION_STREAMS_MAX).check(), Ok(()));
        let error = streams(limits::CONDITION_STREAMS_MAX + 1).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "a condition's streams are 257, and 256 is the most: ask for less at once"
        );
    }
}
