//! Deleting an issue. It takes no change any more; what happened to it stays.

use crate::{
    Issue, IssueEvent, IssueId,
    issue::{NoIssue, asked},
};
use factum::prelude::*;

/// Delete an issue.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.delete")]
pub struct DeleteIssue {
    /// Which.
    pub issue: IssueId,
}

impl Decide for DeleteIssue {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = NoIssue;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        now.live(self.issue)?;
        emit(asked(IssueEvent::IssueDeleted { issue: self.issue }, context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deleted, issue, then};

    fn delete() -> DeleteIssue {
        DeleteIssue { issue: issue() }
    }

    #[test]
    fn s0_05_an_issue_is_deleted_by_an_event() {
        anns().when(delete()).then(then(IssueEvent::IssueDeleted { issue: issue() }));
    }

    #[test]
    fn an_issue_is_deleted_once() {
        deleted().when(delete()).then_rejected(NoIssue::Deleted(issue()));
    }

    #[test]
    fn s0_21_an_unknown_issue_is_not_deleted() {
        given_nothing().when(delete()).then_rejected(NoIssue::NotFound(issue()));
    }
}
