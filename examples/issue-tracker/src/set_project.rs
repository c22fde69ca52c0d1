//! Putting an issue into a project, or out of it.

use crate::{
    Issue, IssueEvent, IssueId, Project,
    issue::NoIssue,
    rules::{self, Faults},
};
use factum::prelude::*;

/// Put an issue into a project.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.set-project")]
pub struct SetProject {
    /// Which issue.
    pub issue: IssueId,
    /// Which project; out of any if none.
    pub project: Option<Project>,
}

/// Why the project was not set.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum ProjectRejected {
    /// There is no such issue any more, or never was.
    #[error(transparent)]
    #[reject(transparent)]
    NoIssue(#[from] NoIssue),
    /// The name of the project breaks a rule.
    #[error(transparent)]
    #[reject(transparent)]
    Invalid(#[from] Faults),
}

impl SetProject {
    /// Whether its fields keep the rules.
    ///
    /// # Errors
    /// All that do not.
    pub fn check(&self) -> Result<(), Faults> {
        Faults::check([self.project.as_ref().and_then(|project| rules::project(project.get()))])
    }
}

impl Decide for SetProject {
    type Event = IssueEvent;
    type Models = Issue;
    type Rejection = ProjectRejected;

    fn keys(&self) -> IssueId {
        self.issue
    }

    fn decide(&self, now: &Issue, context: &Context) -> Decision<Self> {
        let now = now.live(self.issue)?;
        self.check()?;
        let issue = self.issue;
        diff()
            .field(&now.project, &self.project, |before, after| IssueEvent::ProjectModified {
                issue,
                before,
                after,
            })
            .effective_at(context.now())
            .decide()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deleted, issue, then};

    fn put(project: Option<&str>) -> SetProject {
        SetProject { issue: issue(), project: project.map(Project::from) }
    }

    fn moved(before: Option<&str>, after: Option<&str>) -> IssueEvent {
        let [before, after] = [before, after].map(|project| project.map(Project::from));
        IssueEvent::ProjectModified { issue: issue(), before, after }
    }

    #[test]
    fn an_issue_goes_into_a_project_to_another_and_out() {
        anns().when(put(Some("web"))).then(then(moved(None, Some("web"))));
        let in_web = || anns().and([moved(None, Some("web"))]);
        in_web().when(put(Some("api"))).then(then(moved(Some("web"), Some("api"))));
        in_web().when(put(None)).then(then(moved(Some("web"), None)));
        in_web().when(put(Some("web"))).then_nothing();
    }

    #[test]
    fn both_projects_find_the_move() {
        let tags = moved(Some("web"), Some("api")).to_new().tags;
        assert_eq!(tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(), ["project:web", "project:api"]);
    }

    #[test]
    fn a_name_that_breaks_a_rule_is_rejected() {
        let faults = put(Some("")).check().unwrap_err();
        anns().when(put(Some(""))).then_rejected(faults.into());
    }

    #[test]
    fn an_issue_that_is_unknown_or_deleted_goes_nowhere() {
        given_nothing().when(put(None)).then_rejected(NoIssue::NotFound(issue()).into());
        deleted().when(put(None)).then_rejected(NoIssue::Deleted(issue()).into());
    }
}
