//! Taking an issue up.

use crate::{Issue, IssueEvent, IssueId, State, issue::NoIssue};
use factum::prelude::*;

/// Start the work on an issue.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.start")]
pub struct StartIssue {
    /// Which.
    pub issue: IssueId,
}

/// Why the work did not start.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum StartRejected {
    /// There is no such issue any more, or never was.
    #[error(transparent)]
    #[reject(transparent)]
    NoIssue(#[from] NoIssue),
    /// The work is done.
    #[error("Issue {0} is resolved: reopen it first.")]
    Resolved(IssueId),
}

impl Decide for StartIssue {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = StartRejected;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        let now = now.live(self.issue)?;
        match now.state {
            State::New => emit(now.comes_to(self.issue, State::InProgress, context)),
            State::InProgress => nothing(),
            State::Resolved => Err(StartRejected::Resolved(self.issue)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, changed, come_to, deleted, issue, then};

    fn start() -> StartIssue {
        StartIssue { issue: issue() }
    }

    #[test]
    fn s0_13_a_new_issue_is_in_progress_once_it_is_started() {
        anns().when(start()).then(then(changed(State::New, State::InProgress)));
        come_to(State::InProgress).when(start()).then_nothing();
    }

    #[test]
    fn a_resolved_issue_is_not_started_before_it_is_reopened() {
        come_to(State::Resolved).when(start()).then_rejected(StartRejected::Resolved(issue()));
        let reopened = come_to(State::Resolved).and([changed(State::Resolved, State::New)]);
        reopened.when(start()).then(then(changed(State::New, State::InProgress)));
    }

    #[test]
    fn an_issue_that_is_unknown_or_deleted_is_not_started() {
        given_nothing().when(start()).then_rejected(NoIssue::NotFound(issue()).into());
        deleted().when(start()).then_rejected(NoIssue::Deleted(issue()).into());
    }
}
