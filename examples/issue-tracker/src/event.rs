//! What can happen to an issue. Texts are stored as they were accepted: the rules for new ones are in
//! [`crate::rules`], and what has happened stays readable when they change.

use factum::{Uuid, prelude::*};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which issue.
#[derive(Id)]
pub struct IssueId(Uuid);

/// What people call an issue: 1, 2, 3 and so on.
#[derive(Id)]
pub struct IssueNumber(u64);

/// Which comment.
#[derive(Id)]
pub struct CommentId(Uuid);

/// A project, by its name.
#[derive(Id)]
pub struct Project(String);

/// How far the work on an issue has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has taken it up since it was created or reopened.
    #[default]
    New,
    /// Somebody has.
    InProgress,
    /// The work is done.
    Resolved,
}

impl State {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in-progress",
            Self::Resolved => "resolved",
        }
    }
}

/// What happened. Where something changed, with what was so before and what is so after.
#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "issues", stream = issue)]
pub enum IssueEvent {
    /// An issue began, with a number of its own.
    IssueCreated {
        /// Which.
        issue: IssueId,
        /// What people call it.
        #[tag]
        number: IssueNumber,
        /// In one line.
        title: String,
        /// In full.
        description: String,
        /// From 1, the most urgent, to 5.
        priority: u8,
    },
    /// It is called something else.
    TitleModified {
        /// Which.
        issue: IssueId,
        /// The old title.
        before: String,
        /// The new title.
        after: String,
    },
    /// It is described differently.
    DescriptionModified {
        /// Which.
        issue: IssueId,
        /// The old description.
        before: String,
        /// The new description.
        after: String,
    },
    /// It is more urgent, or less.
    PriorityModified {
        /// Which.
        issue: IssueId,
        /// The old priority.
        before: u8,
        /// The new priority.
        after: u8,
    },
    /// It has other tags.
    TagsModified {
        /// Which.
        issue: IssueId,
        /// All that it had.
        before: BTreeSet<String>,
        /// All that it has.
        after: BTreeSet<String>,
    },
    /// It went to another project, or out of one. Both find the event.
    ProjectModified {
        /// Which.
        issue: IssueId,
        /// The project it was in.
        #[tag]
        before: Option<Project>,
        /// The project it is in.
        #[tag]
        after: Option<Project>,
    },
    /// Somebody said something.
    CommentAdded {
        /// Which.
        issue: IssueId,
        /// Which comment.
        comment: CommentId,
        /// What was said.
        text: String,
    },
    /// The work went on.
    StateChanged {
        /// Which.
        issue: IssueId,
        /// How far it had come.
        before: State,
        /// How far it is.
        after: State,
    },
    /// It is not to be worked on any more. Its history stays.
    IssueDeleted {
        /// Which.
        issue: IssueId,
    },
}

impl IssueEvent {
    /// Which issue it happened to.
    pub fn issue(&self) -> IssueId {
        match self {
            Self::IssueCreated { issue, .. }
            | Self::TitleModified { issue, .. }
            | Self::DescriptionModified { issue, .. }
            | Self::PriorityModified { issue, .. }
            | Self::TagsModified { issue, .. }
            | Self::ProjectModified { issue, .. }
            | Self::CommentAdded { issue, .. }
            | Self::StateChanged { issue, .. }
            | Self::IssueDeleted { issue } => *issue,
        }
    }
}
