//! An issue tracker: create issues, replace them, comment on them, follow the work. Every change is an event
//! with who, when, before and after, and the history of an issue is those events.
//!
//! Read it in this order: [`event`], [`rules`], [`issue`], [`number`], a file for each thing that can be asked,
//! from [`create_issue`] on; then what is read, [`document`], [`list`] and [`history`]; then [`http`].

pub mod add_comment;
mod bodies;
pub mod create_issue;
pub mod delete_issue;
pub mod document;
pub mod event;
mod form;
pub mod history;
pub mod http;
pub mod issue;
pub mod list;
mod listing;
pub mod number;
mod queries;
pub mod reference;
pub mod reopen_issue;
pub mod replace_issue;
pub mod resolve_issue;
pub mod rules;
pub mod set_project;
pub mod set_tags;
pub mod start_issue;
#[cfg(test)]
mod testing;

pub use add_comment::AddComment;
pub use create_issue::CreateIssue;
pub use delete_issue::DeleteIssue;
pub use document::IssueDocument;
pub use event::{CommentId, IssueEvent, IssueId, IssueNumber, Project, State};
pub use history::IssueHistory;
pub use http::service;
pub use issue::Issue;
pub use list::Issues;
pub use number::{LastNumber, Numbered};
pub use reference::IssueRef;
pub use reopen_issue::ReopenIssue;
pub use replace_issue::ReplaceIssue;
pub use resolve_issue::ResolveIssue;
pub use set_project::SetProject;
pub use set_tags::SetTags;
pub use start_issue::StartIssue;

use factum::{Backend, Builder};

/// The commands that the issue tracker decides.
pub type Commands = (
    (CreateIssue, ReplaceIssue, DeleteIssue, AddComment, SetTags, SetProject),
    (StartIssue, ResolveIssue, ReopenIssue),
);

/// What the issue tracker takes from the app it runs on.
pub fn setup<B: Backend>(app: Builder<B>) -> Builder<B> {
    app.commands::<Commands>().view::<IssueDocument>().project(Issues).project(IssueHistory)
}
