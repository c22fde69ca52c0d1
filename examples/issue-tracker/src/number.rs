//! The numbers that people call issues by. They are given out where issues are created, never counted
//! afterwards: so each is given once, and a log that is read again gives the same.

use crate::{IssueEvent, IssueId, IssueNumber};
use factum::prelude::*;

/// The last number that was given out; `None` before the first.
///
/// Whoever decides on it loses the race against any other issue that is created, and decides again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastNumber(pub Option<IssueNumber>);

#[model]
impl Model for LastNumber {
    type Scope = Last<Everything>;
    fn apply(&mut self, event: IssueEvent) {
        match event {
            IssueEvent::IssueCreated { number, .. } => self.0 = Some(number),
        }
    }
}

impl LastNumber {
    /// The number after it.
    pub fn next(&self) -> IssueNumber {
        IssueNumber::new(self.0.map_or(0, |last| *last.get()).saturating_add(1))
    }
}

/// The issue that has a number, if any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Numbered(pub Option<IssueId>);

#[model]
impl Model for Numbered {
    type Scope = Tagged<IssueNumber>;
    fn apply(&mut self, event: IssueEvent) {
        match event {
            IssueEvent::IssueCreated { issue, .. } => self.0 = Some(issue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{created, id};

    #[test]
    fn the_next_number_is_one_more_than_the_last_whatever_happened_since() {
        assert_eq!(given_nothing().view::<LastNumber>(()).next(), IssueNumber::new(1));
        let gap = given([created(1, 1), created(2, 7), IssueEvent::IssueDeleted { issue: id(2) }]);
        assert_eq!(gap.view::<LastNumber>(()).next(), IssueNumber::new(8));
    }

    #[test]
    fn a_number_finds_its_issue_and_no_other() {
        let two = given([created(1, 1), created(2, 2)]);
        assert_eq!(two.view::<Numbered>(IssueNumber::new(2)), Numbered(Some(id(2))));
        assert_eq!(two.view::<Numbered>(IssueNumber::new(3)), Numbered(None));
    }
}
