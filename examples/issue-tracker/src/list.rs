//! All issues, in tables: what is listed, sorted and filtered. One row an issue, without its comments and its
//! history, which a list has no use for and [`crate::document`] has.
//!
//! The tags stand twice: whole in the row, so that a page is one query of one moment, and each by itself, to be
//! found by. Texts stand beside their lower case, which is made here and not by the database: databases differ in it.

use crate::{IssueEvent, IssueId, State};
use factum::{Id as _, prelude::*};

/// The read model of the list.
#[derive(Debug, Clone, Copy)]
pub struct Issues;

// ANCHOR: projection
impl Projection for Issues {
    const NAME: &'static str = "issues";
    const VERSION: u32 = 1;
    type Event = IssueEvent;

    /// An issue is its stream: when an event of it cannot be applied, its later ones wait and other issues go on.
    fn key(recorded: &Recorded<IssueEvent>) -> String {
        recorded.stream.to_string()
    }
}

impl<Db: Sql> SqlProjection<Db> for Issues {
    const SCHEMA: &'static str = "
        create table issues (
            issue text primary key,
            number bigint not null,
            title text not null,
            description text not null,
            lower_title text not null,
            lower_description text not null,
            priority bigint not null,
            state text not null,
            project text,
            tags text not null,
            created text not null,
            updated text not null,
            deleted text
        );
        create unique index issues_by_number on issues (number);
        create index issues_by_priority on issues (priority, number);
        create table issue_tags (issue text not null, tag text not null, primary key (issue, tag));
        create index issue_tags_by_tag on issue_tags (tag, issue)";

    async fn apply(&self, page: &Page<IssueEvent>, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        for recorded in page {
            let (issue, at) = (*recorded.event.issue().get(), recorded.effective_at);
            match &recorded.event {
                IssueEvent::IssueCreated { number, title, description, priority, .. } => {
                    tx.execute(
                        "insert into issues values ($1, $2, $3, $4, $5, $6, $7, $8, null, '[]', $9, $9, null)",
                        values![
                            issue,
                            *number.get(),
                            title,
                            description,
                            lower(title),
                            lower(description),
                            *priority,
                            State::New.as_str(),
                            at
                        ],
                    )
                    .await?;
                    continue;
                }
                IssueEvent::TitleModified { after, .. } => {
                    let set = "update issues set title = $2, lower_title = $3 where issue = $1";
                    tx.execute(set, values![issue, after, lower(after)]).await?;
                }
                IssueEvent::DescriptionModified { after, .. } => {
                    let set = "update issues set description = $2, lower_description = $3 where issue = $1";
                    tx.execute(set, values![issue, after, lower(after)]).await?;
                }
                IssueEvent::PriorityModified { after, .. } => {
                    let set = "update issues set priority = $2 where issue = $1";
                    tx.execute(set, values![issue, *after]).await?;
                }
                IssueEvent::ProjectModified { after, .. } => {
                    let set = "update issues set project = $2 where issue = $1";
                    let project = after.as_ref().map(Id::get);
                    tx.execute(set, values![issue, project]).await?;
                }
                IssueEvent::StateChanged { after, .. } => {
                    let set = "update issues set state = $2 where issue = $1";
                    tx.execute(set, values![issue, after.as_str()]).await?;
                }
                IssueEvent::IssueDeleted { .. } => {
                    let set = "update issues set deleted = $2 where issue = $1 and deleted is null";
                    tx.execute(set, values![issue, at]).await?;
                }
                IssueEvent::TagsModified { before, after, .. } => {
                    let tags = serde_json::to_string(after).map_err(ApplyError::new)?;
                    tx.execute("update issues set tags = $2 where issue = $1", values![issue, tags]).await?;
                    for tag in before.difference(after) {
                        let gone = "delete from issue_tags where issue = $1 and tag = $2";
                        tx.execute(gone, values![issue, tag]).await?;
                    }
                    for tag in after.difference(before) {
                        tx.execute("insert into issue_tags values ($1, $2)", values![issue, tag]).await?;
                    }
                }
                IssueEvent::CommentAdded { .. } => {}
            }
            // As in the document, it never goes back.
            let set = "update issues set updated = $2 where issue = $1 and updated < $2";
            tx.execute(set, values![issue, at]).await?;
        }
        Ok(())
    }

    async fn forget(&self, key: &str, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        let issue = issue_of(key)?;
        tx.execute("delete from issue_tags where issue = $1", values![issue]).await?;
        tx.execute("delete from issues where issue = $1", values![issue]).await?;
        Ok(())
    }
}
// ANCHOR_END: projection

/// The issue whose stream is the key of a projection.
///
/// # Errors
/// When it is none.
pub(crate) fn issue_of(key: &str) -> Result<&str, ApplyError> {
    let issue = key.strip_prefix(IssueId::NAME).and_then(|rest| rest.strip_prefix('-'));
    issue.ok_or_else(|| ApplyError::new(format!("`{key}` is not the stream of an issue")))
}

/// A text in lower case, letter by letter: so what is a part of a text is a part of it in lower case too. No
/// database looks beyond a NUL.
pub(crate) fn lower(text: &str) -> String {
    text.replace('\0', "\u{fffd}").chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::issue;

    #[test]
    fn a_part_of_a_text_is_a_part_of_it_in_lower_case() {
        let text = "ΟΔΟΣ Ünter İ\0x";
        let cuts: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for (nth, from) in cuts.iter().enumerate() {
            for to in &cuts[nth..] {
                let part = &text[*from..*to];
                assert!(lower(text).contains(&lower(part)), "{part:?}");
            }
        }
        assert!(!lower(text).contains('\0'));
    }

    #[test]
    fn the_key_of_an_issue_is_its_stream() {
        assert_eq!(issue_of(issue().stream().as_str()).unwrap(), issue().to_string());
        for key in ["", "issue", "value-1", &issue().to_string()] {
            assert!(issue_of(key).is_err(), "{key}");
        }
    }

    #[test]
    fn a_state_is_stored_as_it_is_shown() {
        for state in [State::New, State::InProgress, State::Resolved] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
