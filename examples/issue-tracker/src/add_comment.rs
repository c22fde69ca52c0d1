//! Commenting on an issue. Whoever answers the creator has taken the issue up.

use crate::{
    CommentId, Issue, IssueEvent, IssueId, State,
    issue::{NoIssue, asked},
    rules::{self, Faults},
};
use factum::prelude::*;

/// Say something about an issue.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.add-comment")]
pub struct AddComment {
    /// Which.
    pub issue: IssueId,
    /// Under which id.
    pub comment: CommentId,
    /// What.
    pub text: String,
}

/// Why a comment was not added.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum CommentRejected {
    /// There is no such issue any more, or never was.
    #[error(transparent)]
    #[reject(transparent)]
    NoIssue(#[from] NoIssue),
    /// The comment breaks a rule.
    #[error(transparent)]
    #[reject(transparent)]
    Invalid(#[from] Faults),
}

impl AddComment {
    /// Whether its fields keep the rules.
    ///
    /// # Errors
    /// All that do not.
    pub fn check(&self) -> Result<(), Faults> {
        Faults::check([rules::comment(&self.text)])
    }
}

impl Decide for AddComment {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = CommentRejected;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        let now = now.live(self.issue)?;
        self.check()?;
        let Self { issue, comment, text } = self.clone();
        let mut facts = vec![asked(IssueEvent::CommentAdded { issue, comment, text }, context)];
        if now.state == State::New && context.actor() != now.creator.as_deref() {
            facts.push(now.comes_to(issue, State::InProgress, context));
        }
        emit(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, changed, come_to, deleted, issue, then};
    use factum::Uuid;

    fn say(text: &str) -> AddComment {
        AddComment { issue: issue(), comment: Uuid::from_u128(9).into(), text: text.to_owned() }
    }

    fn said(text: &str) -> IssueEvent {
        let AddComment { issue, comment, text } = say(text);
        IssueEvent::CommentAdded { issue, comment, text }
    }

    #[test]
    fn s0_13_the_first_comment_of_another_user_takes_the_issue_up() {
        let taken_up = changed(State::New, State::InProgress);
        anns().when(say("I look into it")).then([then(said("I look into it")), then(taken_up)]);
    }

    #[test]
    fn the_creator_s_own_comment_changes_no_state() {
        anns().actor("ann").when(say("See also")).then(then(said("See also")));
    }

    #[test]
    fn without_a_name_for_either_nobody_else_spoke() {
        let anonymous = given([crate::testing::created(1, 1)]);
        anonymous.when(say("Hm")).then(fact(said("Hm")).effective_at(Timestamp::EPOCH));
    }

    #[test]
    fn later_comments_change_no_state() {
        come_to(State::InProgress).when(say("Done soon")).then(then(said("Done soon")));
        come_to(State::Resolved).when(say("Thanks")).then(then(said("Thanks")));
    }

    #[test]
    fn an_issue_that_is_unknown_or_deleted_takes_no_comment() {
        given_nothing().when(say("Hm")).then_rejected(NoIssue::NotFound(issue()).into());
        deleted().when(say("Hm")).then_rejected(NoIssue::Deleted(issue()).into());
    }

    #[test]
    fn a_blank_comment_is_none() {
        let faults = say(" ").check().unwrap_err();
        anns().when(say(" ")).then_rejected(faults.into());
    }
}
