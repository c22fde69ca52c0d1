//! Taking back that an issue is resolved: it is new again, until somebody takes it up.

use crate::{Issue, IssueEvent, IssueId, State, issue::NoIssue};
use factum::prelude::*;

/// Say that the work on an issue is not done after all.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.reopen")]
pub struct ReopenIssue {
    /// Which.
    pub issue: IssueId,
}

impl Decide for ReopenIssue {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = NoIssue;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        let now = now.live(self.issue)?;
        match now.state {
            State::Resolved => emit(now.comes_to(self.issue, State::New, context)),
            State::New | State::InProgress => nothing(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, changed, come_to, deleted, issue, then};

    fn reopen() -> ReopenIssue {
        ReopenIssue { issue: issue() }
    }

    #[test]
    fn s0_13_a_resolved_issue_is_new_again_once_it_is_reopened() {
        come_to(State::Resolved).when(reopen()).then(then(changed(State::Resolved, State::New)));
    }

    #[test]
    fn an_issue_that_is_open_stays_as_it_is() {
        anns().when(reopen()).then_nothing();
        come_to(State::InProgress).when(reopen()).then_nothing();
    }

    #[test]
    fn an_issue_that_is_unknown_or_deleted_is_not_reopened() {
        given_nothing().when(reopen()).then_rejected(NoIssue::NotFound(issue()));
        deleted().when(reopen()).then_rejected(NoIssue::Deleted(issue()));
    }
}
