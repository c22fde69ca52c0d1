//! An issue with all that ever happened to it: what a reader is shown. Folded from the events as they were
//! recorded, each whole and with its type, so that reading the log again gives the same to the byte.

use crate::{Issue, IssueEvent, IssueId, State, rules::PRIORITIES};
use factum::{CommandId, Event as _, EventId, Revision, Uuid, prelude::*};
use factum_http::Time;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An issue, and its events in the order of its stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IssueHistory {
    /// What it says now.
    pub issue: Issue,
    /// What happened to it.
    pub events: Vec<Recorded<IssueEvent>>,
}

impl Model for IssueHistory {
    type Scope = Stream<IssueId>;
    type Event = Recorded<IssueEvent>;

    fn apply(&mut self, recorded: Recorded<IssueEvent>) {
        self.issue.apply(recorded.clone());
        self.events.push(recorded);
    }
}

/// An issue as it is read over HTTP. Times are those of commands: when something was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Issue")]
pub struct Representation<'a> {
    /// Which.
    #[schemars(with = "Uuid")]
    pub id: IssueId,
    /// What people call it, from 1.
    #[serde(rename = "issueId")]
    #[schemars(range(min = 1))]
    pub number: u64,
    /// In one line.
    pub title: &'a str,
    /// In full.
    pub description: &'a str,
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
    pub tags: &'a BTreeSet<String>,
    /// The project it is in.
    pub project: Option<&'a str>,
    /// What was said about it, in order.
    pub comments: Vec<Comment<'a>>,
    /// What happened to it, in order.
    pub history: Vec<Entry<'a>>,
}

/// What somebody said.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Comment<'a> {
    /// Which comment.
    #[schemars(with = "Uuid")]
    pub id: crate::CommentId,
    /// Who said it.
    pub user: Option<&'a str>,
    /// What.
    pub text: &'a str,
    /// When.
    #[schemars(with = "Time")]
    pub created: Timestamp,
}

/// One event, with who, when, what was so before and what is so after.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HistoryEntry")]
pub struct Entry<'a> {
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
    pub user: Option<&'a str>,
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
    pub field: Option<&'static str>,
    /// What was so before.
    pub before: Value,
    /// What is so after.
    pub after: Value,
}

impl IssueHistory {
    /// As it is read; `None` if it was never created.
    pub fn represent(&self, id: IssueId) -> Option<Representation<'_>> {
        let content = self.issue.0.as_ref()?;
        let created = self.events.first()?.effective_at;
        let deletion = |event: &&Recorded<IssueEvent>| matches!(event.event, IssueEvent::IssueDeleted { .. });
        Some(Representation {
            id,
            number: *content.number.get(),
            title: &content.title,
            description: &content.description,
            priority: content.priority,
            state: content.state,
            created,
            // Two who ask at once may be decided in the other order; it never goes back.
            updated: self.events.iter().map(|event| event.effective_at).fold(created, Timestamp::max),
            deleted: self.events.iter().find(deletion).map(|event| event.effective_at),
            tags: &content.tags,
            project: content.project.as_ref().map(|project| project.get().as_str()),
            comments: self.events.iter().filter_map(comment).collect(),
            history: self.events.iter().map(entry).collect(),
        })
    }
}

fn comment(recorded: &Recorded<IssueEvent>) -> Option<Comment<'_>> {
    let IssueEvent::CommentAdded { comment, text, .. } = &recorded.event else { return None };
    Some(Comment { id: *comment, user: recorded.actor(), text, created: recorded.effective_at })
}

fn entry(recorded: &Recorded<IssueEvent>) -> Entry<'_> {
    let (field, before, after) = change(&recorded.event, recorded.effective_at);
    Entry {
        id: recorded.id,
        event_type: recorded.event.to_new().event_type.to_string(),
        revision: recorded.revision,
        user: recorded.actor(),
        at: recorded.effective_at,
        recorded_at: recorded.recorded_at(),
        command_id: recorded.command_id(),
        field,
        before,
        after,
    }
}

/// The field that an event changed, with both values.
fn change(event: &IssueEvent, at: Timestamp) -> (Option<&'static str>, Value, Value) {
    match event {
        IssueEvent::IssueCreated { number, title, description, priority, .. } => {
            let began = json!({
                "issueId": number, "title": title, "description": description, "priority": priority,
            });
            (None, Value::Null, began)
        }
        IssueEvent::TitleModified { before, after, .. } => (Some("title"), json!(before), json!(after)),
        IssueEvent::DescriptionModified { before, after, .. } => {
            (Some("description"), json!(before), json!(after))
        }
        IssueEvent::PriorityModified { before, after, .. } => (Some("priority"), json!(before), json!(after)),
        IssueEvent::TagsModified { before, after, .. } => (Some("tags"), json!(before), json!(after)),
        IssueEvent::ProjectModified { before, after, .. } => (Some("project"), json!(before), json!(after)),
        IssueEvent::CommentAdded { comment, text, .. } => {
            (Some("comments"), Value::Null, json!({"id": comment, "text": text}))
        }
        IssueEvent::StateChanged { before, after, .. } => (Some("state"), json!(before), json!(after)),
        IssueEvent::IssueDeleted { .. } => (Some("deleted"), Value::Null, json!(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Project,
        testing::{anns, changed, id, issue, minute, then},
    };
    use factum::{Given, Uuid};

    fn read(given: &Given) -> Value {
        let history: IssueHistory = given.view(issue());
        serde_json::to_value(history.represent(issue())).unwrap()
    }

    fn retitled(before: &str, after: &str) -> IssueEvent {
        IssueEvent::TitleModified { issue: issue(), before: before.to_owned(), after: after.to_owned() }
    }

    #[test]
    fn an_issue_that_was_never_created_is_none() {
        assert_eq!(read(&given([crate::testing::created(2, 2)])), Value::Null);
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
        assert_eq!(told(1), ["bob", "title", "Crash", "Hang"].map(Value::from));
        assert_eq!(told(2), ["bob", "title", "Hang", "Freeze"].map(Value::from));
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
        let times = |read: &Value| ["created", "updated", "deleted"].map(|name| read[name].clone());
        assert_eq!(times(&read(&given)), [json!(minute(1)), json!(minute(2)), Value::Null]);
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
