//! An issue as it is read, with all that ever happened to it: one document for each, so that reading one is one
//! lookup, however long its history is. Folded from the events as they were recorded, each whole and with its type,
//! so that reading the log again gives the same to the byte.
//!
//! A document is bounded ([`factum::store::read_models::DOCUMENT_BYTES_MAX`], 16 MiB), which is some hundred of the
//! longest descriptions. An issue that grows beyond it is shown as it was, marked as stale, and goes on in
//! [`crate::history`], which has no bound.

use crate::{CommentId, IssueEvent, IssueId, IssueNumber, Project, State, rules::PRIORITIES};
use factum::{CommandId, Event as _, EventId, Id as _, QueryItem, Revision, Uuid, prelude::*};
use factum_http::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// The read model of one issue; `None` until it is created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IssueDocument(pub Option<Representation>);

/// An issue as it is read over HTTP. Times are those of commands: when something was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Issue")]
pub struct Representation {
    /// Which.
    #[schemars(with = "Uuid")]
    pub id: IssueId,
    /// What people call it, from 1.
    #[serde(rename = "issueId")]
    #[schemars(with = "u64", range(min = 1))]
    pub number: IssueNumber,
    /// In one line.
    pub title: String,
    /// In full.
    pub description: String,
    /// From 1, the most urgent, to 5.
    #[schemars(range(min = *PRIORITIES.start(), max = *PRIORITIES.end()))]
    pub priority: u8,
    /// How far the work has come.
    pub state: State,
    /// When it was created.
    #[schemars(with = "Time")]
    pub created: Timestamp,
    /// When it was last changed.
    #[schemars(with = "Time")]
    pub updated: Timestamp,
    /// When it was deleted, if it was.
    #[schemars(with = "Option<Time>")]
    pub deleted: Option<Timestamp>,
    /// What it is found by.
    pub tags: BTreeSet<String>,
    /// The project it is in.
    #[schemars(with = "Option<String>")]
    pub project: Option<Project>,
    /// What was said about it, in order.
    pub comments: Vec<Comment>,
    /// What happened to it, in order.
    pub history: Vec<Entry>,
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Which comment.
    #[schemars(with = "Uuid")]
    pub id: CommentId,
    /// Who said it.
    pub user: Option<String>,
    /// What.
    pub text: String,
    /// When.
    #[schemars(with = "Time")]
    pub created: Timestamp,
}

/// One event, with who, when, what was so before and what is so after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HistoryEntry")]
pub struct Entry {
    /// Which event.
    #[schemars(with = "Uuid")]
    pub id: EventId,
    /// Its stored name.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Where it stands in the history, from 0.
    #[schemars(with = "u64")]
    pub revision: Revision,
    /// Who asked for it.
    pub user: Option<String>,
    /// When it was asked for.
    #[schemars(with = "Time")]
    pub at: Timestamp,
    /// When it was stored.
    #[schemars(with = "Time")]
    pub recorded_at: Timestamp,
    /// The command that asked for it: several events may come from one.
    #[schemars(with = "Uuid")]
    pub command_id: CommandId,
    /// The field of the issue that changed; none where it began.
    pub field: Option<String>,
    /// What was so before.
    pub before: Json,
    /// What is so after.
    pub after: Json,
}

// ANCHOR: view
impl View for IssueDocument {
    const NAME: &'static str = "issue";
    const VERSION: u32 = 1;
    const INDEXES: &'static [&'static str] = &["number"];
    type Event = Recorded<IssueEvent>;
    type Key = IssueId;

    fn keys(recorded: &Recorded<IssueEvent>) -> Vec<IssueId> {
        vec![recorded.event.issue()]
    }

    fn apply(&mut self, id: &IssueId, recorded: &Recorded<IssueEvent>) {
        if let IssueEvent::IssueCreated { .. } = recorded.event {
            self.0 = Representation::new(*id, recorded);
        }
        if let Some(issue) = &mut self.0 {
            issue.take_in(recorded);
        }
    }

    fn indexed(&self) -> Vec<Value> {
        vec![self.0.as_ref().map(|issue| *issue.number.get()).into()]
    }

    fn is_gone(&self) -> bool {
        self.0.is_none()
    }

    fn found_by(id: &IssueId) -> Option<QueryItem> {
        Some(QueryItem::default().stream(id.stream()))
    }
}
// ANCHOR_END: view

impl Representation {
    /// Its events so far, as an entity tag counts them.
    pub fn revision(&self) -> Option<Revision> {
        self.history.last().map(|entry| entry.revision)
    }

    /// As it began.
    fn new(id: IssueId, recorded: &Recorded<IssueEvent>) -> Option<Self> {
        let IssueEvent::IssueCreated { number, title, description, priority, .. } = &recorded.event else {
            return None;
        };
        Some(Self {
            id,
            number: *number,
            title: title.clone(),
            description: description.clone(),
            priority: *priority,
            state: State::New,
            created: recorded.effective_at,
            updated: recorded.effective_at,
            deleted: None,
            tags: BTreeSet::new(),
            project: None,
            comments: Vec::new(),
            history: Vec::new(),
        })
    }

    fn take_in(&mut self, recorded: &Recorded<IssueEvent>) {
        let at = recorded.effective_at;
        match &recorded.event {
            IssueEvent::IssueCreated { .. } => {}
            IssueEvent::TitleModified { after, .. } => self.title.clone_from(after),
            IssueEvent::DescriptionModified { after, .. } => self.description.clone_from(after),
            IssueEvent::PriorityModified { after, .. } => self.priority = *after,
            IssueEvent::TagsModified { after, .. } => self.tags.clone_from(after),
            IssueEvent::ProjectModified { after, .. } => self.project.clone_from(after),
            IssueEvent::StateChanged { after, .. } => self.state = *after,
            IssueEvent::CommentAdded { comment, text, .. } => {
                let user = recorded.actor().map(str::to_owned);
                self.comments.push(Comment { id: *comment, user, text: text.clone(), created: at });
            }
            IssueEvent::IssueDeleted { .. } => {
                self.deleted.get_or_insert(at);
            }
        }
        // Two who ask at once may be decided in the other order; it never goes back.
        self.updated = self.updated.max(at);
        self.history.push(entry(recorded));
    }
}

fn entry(recorded: &Recorded<IssueEvent>) -> Entry {
    let (field, before, after) = change(&recorded.event, recorded.effective_at);
    Entry {
        id: recorded.id,
        event_type: recorded.event.to_new().event_type.to_string(),
        revision: recorded.revision,
        user: recorded.actor().map(str::to_owned),
        at: recorded.effective_at,
        recorded_at: recorded.recorded_at(),
        command_id: recorded.command_id(),
        field: field.map(str::to_owned),
        before,
        after,
    }
}

/// The field that an event changed, with both values.
fn change(event: &IssueEvent, at: Timestamp) -> (Option<&'static str>, Json, Json) {
    match event {
        IssueEvent::IssueCreated { number, title, description, priority, .. } => {
            let began = json!({
                "issueId": number, "title": title, "description": description, "priority": priority,
            });
            (None, Json::Null, began)
        }
        IssueEvent::TitleModified { before, after, .. } => (Some("title"), json!(before), json!(after)),
        IssueEvent::DescriptionModified { before, after, .. } => {
            (Some("description"), json!(before), json!(after))
        }
        IssueEvent::PriorityModified { before, after, .. } => (Some("priority"), json!(before), json!(after)),
        IssueEvent::TagsModified { before, after, .. } => (Some("tags"), json!(before), json!(after)),
        IssueEvent::ProjectModified { before, after, .. } => (Some("project"), json!(before), json!(after)),
        IssueEvent::CommentAdded { comment, text, .. } => {
            (Some("comments"), Json::Null, json!({"id": comment, "text": text}))
        }
        IssueEvent::StateChanged { before, after, .. } => (Some("state"), json!(before), json!(after)),
        IssueEvent::IssueDeleted { .. } => (Some("deleted"), Json::Null, json!(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Project,
        testing::{anns, changed, id, issue, minute, then},
    };
    use factum::Given;

    /// The document of [`issue`].
    fn read(given: &Given) -> Json {
        let read = given.document::<IssueDocument>(issue()).and_then(|IssueDocument(read)| read);
        let stored = serde_json::to_vec(&read).unwrap();
        let again: Option<Representation> = serde_json::from_slice(&stored).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), stored, "what is kept is read back the same");
        serde_json::to_value(read).unwrap()
    }

    fn retitled(before: &str, after: &str) -> IssueEvent {
        IssueEvent::TitleModified { issue: issue(), before: before.to_owned(), after: after.to_owned() }
    }

    #[test]
    fn an_issue_that_was_never_created_is_none() {
        assert_eq!(read(&given([crate::testing::created(2, 2)])), Json::Null);
    }

    #[test]
    fn s0_12_a_new_issue_reads_whole() {
        let command = CommandId::new(Uuid::from_u128(1));
        assert_eq!(
            read(&anns()),
            json!({
                "id": issue(), "issueId": 1, "title": "Crash", "description": "It crashes", "priority": 3,
                "state": "new", "created": minute(1), "updated": minute(1), "deleted": null,
                "tags": [], "project": null, "comments": [],
                "history": [{
                    "id": EventId::derived(command, 0), "type": "issues.issue-created", "revision": 0,
                    "user": "ann", "at": minute(1), "recorded_at": minute(1), "command_id": command,
                    "field": null, "before": null,
                    "after": {"issueId": 1, "title": "Crash", "description": "It crashes", "priority": 3},
                }],
            })
        );
    }

    #[test]
    fn s0_26_every_entry_says_who_when_from_which_command_and_what_changed() {
        let given = anns()
            .and([fact(retitled("Crash", "Hang")).effective_at(minute(1))])
            .and([then(retitled("Hang", "Freeze"))]);
        let history = &read(&given)["history"];
        let told = |nth: usize| ["user", "field", "before", "after"].map(|name| history[nth][name].clone());
        assert_eq!(told(1), ["bob", "title", "Crash", "Hang"].map(Json::from));
        assert_eq!(told(2), ["bob", "title", "Hang", "Freeze"].map(Json::from));
        assert_eq!((&history[1]["at"], &history[1]["recorded_at"]), (&json!(minute(1)), &json!(minute(2))));
        assert_eq!(history[2]["command_id"], json!(CommandId::new(Uuid::from_u128(3))));
        assert_eq!(history[0]["after"]["title"], "Crash", "the first entry keeps its details");
    }

    #[test]
    fn s0_26_each_kind_of_event_is_told_with_its_field_and_both_values() {
        let comment = Uuid::from_u128(9).into();
        let web = || Some(Project::from("web"));
        let given = anns().and([
            IssueEvent::DescriptionModified { issue: issue(), before: "a".to_owned(), after: "b".to_owned() },
            IssueEvent::PriorityModified { issue: issue(), before: 3, after: 1 },
            IssueEvent::TagsModified { issue: issue(), before: [].into(), after: ["ui".to_owned()].into() },
            IssueEvent::ProjectModified { issue: issue(), before: None, after: web() },
            IssueEvent::CommentAdded { issue: issue(), comment, text: "Hm".to_owned() },
            changed(State::New, State::InProgress),
            IssueEvent::IssueDeleted { issue: issue() },
        ]);
        let read = read(&given);
        let told: Vec<_> = (1..=7)
            .map(|nth| ["type", "field", "before", "after"].map(|name| read["history"][nth][name].clone()))
            .collect();
        let expected = json!([
            ["issues.description-modified", "description", "a", "b"],
            ["issues.priority-modified", "priority", 3, 1],
            ["issues.tags-modified", "tags", [], ["ui"]],
            ["issues.project-modified", "project", null, "web"],
            ["issues.comment-added", "comments", null, {"id": comment, "text": "Hm"}],
            ["issues.state-changed", "state", "new", "in-progress"],
            ["issues.issue-deleted", "deleted", null, minute(2)],
        ]);
        assert_eq!(json!(told), expected);
        assert_eq!(
            (&read["description"], &read["priority"], &read["tags"], &read["project"], &read["state"]),
            (&json!("b"), &json!(1), &json!(["ui"]), &json!("web"), &json!("in-progress"))
        );
        let said = json!([{"id": comment, "user": "bob", "text": "Hm", "created": minute(2)}]);
        assert_eq!(read["comments"], said);
    }

    #[test]
    fn s0_23_s0_24_s0_25_created_updated_and_deleted_are_the_times_of_the_commands() {
        let late = |given: Given| given.at(minute(9));
        let given = late(anns()).and([then(retitled("Crash", "Hang"))]);
        let times = |read: &Json| ["created", "updated", "deleted"].map(|name| read[name].clone());
        assert_eq!(times(&read(&given)), [json!(minute(1)), json!(minute(2)), Json::Null]);
        let early = given.and([fact(retitled("Hang", "Stop")).effective_at(minute(1))]);
        assert_eq!(read(&early)["updated"], json!(minute(2)), "it never goes back");
        let deleted = early.and([fact(IssueEvent::IssueDeleted { issue: issue() }).effective_at(minute(5))]);
        assert_eq!(times(&read(&deleted)), [json!(minute(1)), json!(minute(5)), json!(minute(5))]);
        assert_eq!(read(&deleted)["history"].as_array().unwrap().len(), 4, "and its history stays");
    }

    #[test]
    fn s0_22_an_issue_is_folded_from_its_own_events_only() {
        let others = crate::testing::created(2, 2);
        let elsewhere = IssueEvent::PriorityModified { issue: id(2), before: 3, after: 1 };
        assert_eq!(read(&anns().and([others, elsewhere])), read(&anns()));
    }
}
