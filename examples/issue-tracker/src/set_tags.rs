//! Giving an issue its tags, all at once: a set, without order.

use crate::{
    Issue, IssueEvent, IssueId,
    issue::NoIssue,
    rules::{self, Faults},
};
use factum::prelude::*;
use std::collections::BTreeSet;

/// Give an issue these tags and no others.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.set-tags")]
pub struct SetTags {
    /// Which.
    pub issue: IssueId,
    /// The tags.
    pub tags: BTreeSet<String>,
}

/// Why the tags were not set.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum TagsRejected {
    /// There is no such issue any more, or never was.
    #[error(transparent)]
    #[reject(transparent)]
    NoIssue(#[from] NoIssue),
    /// A tag breaks a rule, or there are too many.
    #[error(transparent)]
    #[reject(transparent)]
    Invalid(#[from] Faults),
}

impl SetTags {
    /// Whether its fields keep the rules.
    ///
    /// # Errors
    /// All that do not.
    pub fn check(&self) -> Result<(), Faults> {
        Faults::check([rules::tags(self.tags.iter())])
    }
}

impl Decide for SetTags {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = TagsRejected;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        let now = now.live(self.issue)?;
        self.check()?;
        let issue = self.issue;
        diff()
            .field(&now.tags, &self.tags, |before, after| IssueEvent::TagsModified { issue, before, after })
            .effective_at(context.now())
            .decide()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deleted, issue, then};

    fn set(tags: &[&str]) -> BTreeSet<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    fn tag(tags: &[&str]) -> SetTags {
        SetTags { issue: issue(), tags: set(tags) }
    }

    fn tagged(before: &[&str], after: &[&str]) -> IssueEvent {
        IssueEvent::TagsModified { issue: issue(), before: set(before), after: set(after) }
    }

    #[test]
    fn tags_are_set_as_a_whole() {
        anns().when(tag(&["bug", "ui"])).then(then(tagged(&[], &["bug", "ui"])));
        let has_two = || anns().and([tagged(&[], &["bug", "ui"])]);
        has_two().when(tag(&["bug"])).then(then(tagged(&["bug", "ui"], &["bug"])));
        has_two().when(tag(&[])).then(then(tagged(&["bug", "ui"], &[])));
    }

    #[test]
    fn the_same_tags_in_another_order_are_no_event() {
        anns().and([tagged(&[], &["bug", "ui"])]).when(tag(&["ui", "bug", "ui"])).then_nothing();
    }

    #[test]
    fn a_tag_that_breaks_a_rule_is_rejected() {
        let faults = tag(&["bug", " ui"]).check().unwrap_err();
        anns().when(tag(&["bug", " ui"])).then_rejected(faults.into());
    }

    #[test]
    fn an_issue_that_is_unknown_or_deleted_has_no_tags_to_set() {
        given_nothing().when(tag(&["bug"])).then_rejected(NoIssue::NotFound(issue()).into());
        deleted().when(tag(&["bug"])).then_rejected(NoIssue::Deleted(issue()).into());
    }
}
