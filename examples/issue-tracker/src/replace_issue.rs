//! Replacing an issue by a whole representation: what differs happens.

use crate::{
    Issue, IssueEvent, IssueId,
    issue::NoIssue,
    rules::{self, Faults},
};
use factum::prelude::*;

/// Make an issue say this.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.replace")]
pub struct ReplaceIssue {
    /// Which.
    pub issue: IssueId,
    /// In one line.
    pub title: String,
    /// In full.
    pub description: String,
    /// From 1, the most urgent, to 5, which it becomes where none is said.
    #[serde(default = "crate::create_issue::lowest")]
    pub priority: u8,
}

/// Why an issue was not replaced.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum ReplaceRejected {
    /// There is no such issue any more, or never was.
    #[error(transparent)]
    #[reject(transparent)]
    NoIssue(#[from] NoIssue),
    /// A field breaks a rule.
    #[error(transparent)]
    #[reject(transparent)]
    Invalid(#[from] Faults),
}

impl ReplaceIssue {
    /// Whether its fields keep the rules.
    ///
    /// # Errors
    /// All that do not.
    pub fn check(&self) -> Result<(), Faults> {
        Faults::check([
            rules::title(&self.title),
            rules::description(&self.description),
            rules::priority(self.priority),
        ])
    }
}

// ANCHOR: decision
impl Decide for ReplaceIssue {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = ReplaceRejected;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        let now = now.live(self.issue)?;
        self.check()?;
        let issue = self.issue;
        diff()
            .field(&now.title, &self.title, |before, after| IssueEvent::TitleModified {
                issue,
                before,
                after,
            })
            .field(&now.description, &self.description, |before, after| IssueEvent::DescriptionModified {
                issue,
                before,
                after,
            })
            .field(&now.priority, &self.priority, |before, after| IssueEvent::PriorityModified {
                issue,
                before,
                after,
            })
            .effective_at(context.now())
            .decide()
    }
}
// ANCHOR_END: decision

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deleted, issue, then};

    fn replace(title: &str, description: &str, priority: u8) -> ReplaceIssue {
        let (title, description) = (title.to_owned(), description.to_owned());
        ReplaceIssue { issue: issue(), title, description, priority }
    }

    fn retitled(before: &str, after: &str) -> IssueEvent {
        IssueEvent::TitleModified { issue: issue(), before: before.to_owned(), after: after.to_owned() }
    }

    #[test]
    fn s0_20_three_fields_that_change_are_three_events() {
        anns().when(replace("Hang", "It hangs", 1)).then([
            then(retitled("Crash", "Hang")),
            then(IssueEvent::DescriptionModified {
                issue: issue(),
                before: "It crashes".to_owned(),
                after: "It hangs".to_owned(),
            }),
            then(IssueEvent::PriorityModified { issue: issue(), before: 3, after: 1 }),
        ]);
    }

    #[test]
    fn s0_20_only_what_changes_is_an_event_and_the_same_again_is_none() {
        anns().when(replace("Hang", "It crashes", 3)).then(then(retitled("Crash", "Hang")));
        anns().when(replace("Crash", "It crashes", 3)).then_nothing();
    }

    #[test]
    fn s0_29_a_second_editor_s_difference_is_to_what_the_first_left() {
        let first = || anns().and([retitled("Crash", "Hang")]);
        first().when(replace("Freeze", "It crashes", 3)).then(then(retitled("Hang", "Freeze")));
        first().when(replace("Hang", "It crashes", 3)).then_nothing();
    }

    #[test]
    fn s0_21_an_issue_that_is_unknown_or_deleted_is_not_replaced() {
        let unknown = given_nothing().when(replace("Hang", "It hangs", 1));
        unknown.then_rejected(NoIssue::NotFound(issue()).into());
        deleted().when(replace("Hang", "It hangs", 1)).then_rejected(NoIssue::Deleted(issue()).into());
    }

    #[test]
    fn s0_21_its_rejections_have_codes_statuses_and_sentences() {
        let unknown = ReplaceRejected::from(NoIssue::NotFound(issue()));
        assert_eq!((unknown.code(), unknown.status()), ("not-found", 404));
        assert_eq!(unknown.to_string(), "Issue 00000000-0000-0000-0000-000000000001 not found.");
        let deleted = ReplaceRejected::from(NoIssue::Deleted(issue()));
        assert_eq!((deleted.code(), deleted.status()), ("deleted", 409));
    }

    #[test]
    fn s0_09_the_rules_are_those_of_a_new_issue() {
        for command in [replace(" ", "d", 3), replace("t", "", 3), replace("t", "d", 18)] {
            let faults = command.check().unwrap_err();
            anns().when(command).then_rejected(faults.into());
        }
        let stored = format!(r#"{{"issue": "{}", "title": "t", "description": "d"}}"#, issue());
        assert_eq!(ReplaceIssue::decode(stored.as_bytes()).unwrap().priority, 5);
    }
}
