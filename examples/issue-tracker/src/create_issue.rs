//! Creating an issue, and giving it its number.

use crate::{
    Issue, IssueEvent, IssueId, LastNumber,
    issue::asked,
    rules::{self, Faults, PRIORITY_DEFAULT},
};
use factum::prelude::*;

/// Begin an issue.
#[derive(Command, Debug, Clone)]
#[command(name = "issues.create")]
pub struct CreateIssue {
    /// Which.
    pub issue: IssueId,
    /// In one line.
    pub title: String,
    /// In full.
    pub description: String,
    /// From 1, the most urgent, to 5, which it is where none is said.
    #[serde(default = "lowest")]
    pub priority: u8,
}

/// The priority that is not said.
pub(crate) fn lowest() -> u8 {
    PRIORITY_DEFAULT
}

/// Why an issue was not created.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum CreateRejected {
    /// The id is taken.
    #[error("Issue {0} already exists.")]
    AlreadyExists(IssueId),
    /// A field breaks a rule.
    #[error(transparent)]
    #[reject(transparent)]
    Invalid(#[from] Faults),
}

impl CreateIssue {
    /// Whether its fields keep the rules.
    ///
    /// # Errors
    /// All that do not.
    pub fn check(&self) -> Result<(), Faults> {
        Faults::check([
            rules::id(self.issue),
            rules::title(&self.title),
            rules::description(&self.description),
            rules::priority(self.priority),
        ])
    }
}

impl Decide for CreateIssue {
    type Event = IssueEvent;
    type Models = (Issue, LastNumber);
    type Rejection = CreateRejected;

    fn keys(&self) -> (IssueId, ()) {
        (self.issue, ())
    }

    fn decide(&self, (Issue(current), last): &(Issue, LastNumber), context: &Context) -> Decision<Self> {
        self.check()?;
        ensure!(current.is_none(), CreateRejected::AlreadyExists(self.issue));
        let Self { issue, title, description, priority } = self.clone();
        let number = last.next();
        emit(asked(IssueEvent::IssueCreated { issue, number, title, description, priority }, context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{anns, created, deleted, id, then};

    fn create(nth: u128) -> CreateIssue {
        let (title, description) = ("Crash".to_owned(), "It crashes".to_owned());
        CreateIssue { issue: id(nth), title, description, priority: 3 }
    }

    #[test]
    fn s0_19_a_new_issue_is_one_event_at_the_time_of_the_command() {
        let at = crate::testing::minute(9);
        given_nothing().at(at).when(create(1)).then(fact(created(1, 1)).effective_at(at));
    }

    #[test]
    fn a_number_is_given_once_whatever_became_of_its_issue() {
        anns().when(create(2)).then(then(created(2, 2)));
        deleted().when(create(2)).then(then(created(2, 2)));
        anns().and([created(2, 40)]).when(create(3)).then(then(created(3, 41)));
    }

    #[test]
    fn an_id_is_taken_once() {
        anns().when(create(1)).then_rejected(CreateRejected::AlreadyExists(id(1)));
        deleted().when(create(1)).then_rejected(CreateRejected::AlreadyExists(id(1)));
    }

    #[test]
    fn s0_19_the_aggregate_itself_refuses_blank_fields_and_tells_all_of_them() {
        let blank = CreateIssue { title: " ".to_owned(), description: String::new(), ..create(0) };
        let faults = CreateIssue { priority: 18, ..blank }.check().unwrap_err();
        let fields: Vec<_> = faults.list().iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["id", "title", "description", "priority"]);
        for command in [
            create(0),
            CreateIssue { title: "\t".to_owned(), ..create(1) },
            CreateIssue { description: String::new(), ..create(1) },
            CreateIssue { priority: 18, ..create(1) },
        ] {
            let faults = command.check().unwrap_err();
            assert_eq!(faults.list().len(), 1);
            given_nothing().when(command).then_rejected(faults.into());
        }
    }

    #[test]
    fn its_rejections_have_codes_and_statuses() {
        let invalid = CreateRejected::from(create(0).check().unwrap_err());
        assert_eq!((invalid.code(), invalid.status()), ("invalid", 400));
        let taken = CreateRejected::AlreadyExists(id(1));
        assert_eq!((taken.code(), taken.status()), ("already-exists", 409));
    }

    #[test]
    fn s0_08_a_priority_that_is_not_said_is_5() {
        let stored = format!(r#"{{"issue": "{}", "title": "t", "description": "d"}}"#, id(1));
        let command = CreateIssue::decode(stored.as_bytes()).unwrap();
        assert_eq!((command.priority, command.title.as_str()), (5, "t"));
    }
}
