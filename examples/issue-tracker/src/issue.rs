//! An issue as its events make it: what decisions know of it.

use crate::{IssueEvent, IssueId, IssueNumber, Project, State};
use factum::{Fact, prelude::*};
use std::{collections::BTreeSet, sync::Arc};

/// The issue behind one id; `None` until it is created.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Issue(pub Option<Content>);

/// What an issue says.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// What people call it.
    pub number: IssueNumber,
    /// In one line.
    pub title: String,
    /// In full.
    pub description: String,
    /// From 1, the most urgent, to 5.
    pub priority: u8,
    /// How far the work has come.
    pub state: State,
    /// What it is found by.
    pub tags: BTreeSet<String>,
    /// The project it is in.
    pub project: Option<Project>,
    /// Who created it, if somebody told.
    pub creator: Option<Arc<str>>,
    /// Whether it takes no change any more.
    pub deleted: bool,
}

/// Why there is no issue to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Reject)]
pub enum NoIssue {
    /// There never was one.
    #[error("Issue {0} not found.")]
    #[reject(404)]
    NotFound(IssueId),
    /// There was one.
    #[error("Issue {0} was deleted: it takes no change any more.")]
    Deleted(IssueId),
}

impl Issue {
    /// What it says, if it can be changed.
    ///
    /// # Errors
    /// When it was never created, or was deleted.
    pub fn live(&self, id: IssueId) -> Result<&Content, NoIssue> {
        let content = self.0.as_ref().ok_or(NoIssue::NotFound(id))?;
        ensure!(!content.deleted, NoIssue::Deleted(id));
        Ok(content)
    }
}

impl Content {
    /// The work on it came to `after`, at the time of the command.
    pub(crate) fn comes_to(&self, issue: IssueId, after: State, context: &Context) -> Fact<IssueEvent> {
        asked(IssueEvent::StateChanged { issue, before: self.state, after }, context)
    }
}

/// `event` happened when it was asked for, whenever it is recorded.
pub(crate) fn asked(event: IssueEvent, context: &Context) -> Fact<IssueEvent> {
    fact(event).effective_at(context.now())
}

impl Model for Issue {
    type Scope = Stream<IssueId>;
    type Event = Recorded<IssueEvent>;

    fn apply(&mut self, recorded: Recorded<IssueEvent>) {
        let creator = recorded.actor().map(Arc::from);
        let content = self.0.as_mut();
        match (recorded.event, content) {
            (IssueEvent::IssueCreated { number, title, description, priority, .. }, _) => {
                self.0 = Some(Content {
                    number,
                    title,
                    description,
                    priority,
                    state: State::New,
                    tags: BTreeSet::new(),
                    project: None,
                    creator,
                    deleted: false,
                });
            }
            (IssueEvent::TitleModified { after, .. }, Some(content)) => content.title = after,
            (IssueEvent::DescriptionModified { after, .. }, Some(content)) => content.description = after,
            (IssueEvent::PriorityModified { after, .. }, Some(content)) => content.priority = after,
            (IssueEvent::TagsModified { after, .. }, Some(content)) => content.tags = after,
            (IssueEvent::ProjectModified { after, .. }, Some(content)) => content.project = after,
            (IssueEvent::StateChanged { after, .. }, Some(content)) => content.state = after,
            (IssueEvent::IssueDeleted { .. }, Some(content)) => content.deleted = true,
            (IssueEvent::CommentAdded { .. }, Some(_)) | (_, None) => {}
        }
    }
}

/// Whether an issue was ever created, deleted or not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exists(pub bool);

#[model]
impl Model for Exists {
    type Scope = Stream<IssueId>;
    fn apply(&mut self, event: IssueEvent) {
        match event {
            IssueEvent::IssueCreated { .. } => self.0 = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, deleted, id, issue};

    #[test]
    fn an_issue_exists_from_its_creation_on_even_deleted() {
        assert_eq!(anns().view::<Exists>(issue()), Exists(true));
        assert_eq!(deleted().view::<Exists>(issue()), Exists(true));
        assert_eq!(anns().view::<Exists>(id(2)), Exists(false));
    }
}
