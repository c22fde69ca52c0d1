//! Finishing the work on an issue.

use crate::{Issue, IssueEvent, IssueId, State, issue::NoIssue};
use factum::prelude::*;

/// Say that the work on an issue is done.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.resolve")]
pub struct ResolveIssue {
    /// Which.
    pub issue: IssueId,
}

impl Decide for ResolveIssue {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = NoIssue;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        let now = now.live(self.issue)?;
        match now.state {
            State::New | State::InProgress => emit(now.comes_to(self.issue, State::Resolved, context)),
            State::Resolved => nothing(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, changed, come_to, deleted, issue, then};

    fn resolve() -> ResolveIssue {
        ResolveIssue { issue: issue() }
    }

    #[test]
    fn s0_13_an_issue_is_resolved_once_whether_or_not_it_was_started() {
        anns().when(resolve()).then(then(changed(State::New, State::Resolved)));
        let started = come_to(State::InProgress);
        started.when(resolve()).then(then(changed(State::InProgress, State::Resolved)));
        come_to(State::Resolved).when(resolve()).then_nothing();
    }

    #[test]
    fn an_issue_that_is_unknown_or_deleted_is_not_resolved() {
        given_nothing().when(resolve()).then_rejected(NoIssue::NotFound(issue()));
        deleted().when(resolve()).then_rejected(NoIssue::Deleted(issue()));
    }
}
