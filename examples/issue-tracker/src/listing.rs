//! What a list of issues may be asked for, as one query over the tables of [`crate::list`]: filters, an order, and
//! the place behind the last issue of a page. A place is a value, not a count: what is added or changed meanwhile
//! shifts no page, so no issue is passed over or shown twice by it.

use crate::{
    State,
    list::lower,
    rules::{self, Fault, PRIORITIES, PROJECT_CHARS_MAX, TAG_CHARS_MAX, TITLE_CHARS_MAX},
};
use factum::{ErrorKind, Row, StoreError, Uuid, Value, values};
use factum_http::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{collections::BTreeSet, fmt};

/// Which issues, and in which order.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    /// The order: `number` if nothing is said, or `priority`.
    #[serde(default)]
    pub(crate) sort: Sort,
    /// Only those whose work has come so far.
    state: Option<State>,
    /// Only those with this tag.
    #[serde(default, deserialize_with = "tag")]
    #[schemars(length(max = TAG_CHARS_MAX))]
    tag: Option<String>,
    /// Only those in this project.
    #[serde(default, deserialize_with = "project")]
    #[schemars(length(max = PROJECT_CHARS_MAX))]
    project: Option<String>,
    /// Only those with this in their title or their description, in large letters or small ones.
    #[serde(default, deserialize_with = "looked_for")]
    #[schemars(length(max = TITLE_CHARS_MAX))]
    text: Option<String>,
    /// Also those that were deleted.
    #[serde(default)]
    include_deleted: bool,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    /// By their number.
    #[default]
    Number,
    /// The most urgent first, those that are equally urgent by their number.
    Priority,
}

/// The place behind an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// In a list by priority.
    priority: Option<u8>,
    number: u64,
}

/// An issue in a list: what `GET /api/issues/{id}` says of it but for `comments` and `history`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ListedIssue {
    /// Which.
    #[schemars(with = "Uuid")]
    id: String,
    /// What people call it, from 1.
    #[serde(rename = "issueId")]
    #[schemars(range(min = 1))]
    number: u64,
    /// In one line.
    title: String,
    /// In full.
    description: String,
    /// From 1, the most urgent, to 5.
    #[schemars(range(min = *PRIORITIES.start(), max = *PRIORITIES.end()))]
    priority: u8,
    /// How far the work has come.
    #[schemars(with = "State")]
    state: String,
    /// When it was created.
    #[schemars(with = "Time")]
    created: String,
    /// When it was last changed.
    #[schemars(with = "Time")]
    updated: String,
    /// When it was deleted, if it was.
    #[schemars(with = "Option<Time>")]
    deleted: Option<String>,
    /// What it is found by.
    tags: BTreeSet<String>,
    /// The project it is in.
    project: Option<String>,
}

impl Wanted {
    /// The query for these issues, `limit` at most and only what comes after `after`.
    pub(crate) fn query(&self, after: Option<Place>, limit: usize) -> (String, Vec<Value>) {
        let mut query = Filter::default();
        if let Some(Place { priority, number }) = after {
            match priority {
                Some(priority) => {
                    let is = "(priority > $1 or (priority = $1 and number > $2))";
                    query.also(is, values![priority, number]);
                }
                None => query.also("number > $1", values![number]),
            }
        }
        if !self.include_deleted {
            query.also("deleted is null", values![]);
        }
        if let Some(state) = self.state {
            query.also("state = $1", values![state.as_str()]);
        }
        if let Some(project) = &self.project {
            query.also("project = $1", values![project]);
        }
        if let Some(tag) = &self.tag {
            query.also("issue in (select issue from issue_tags where tag = $1)", values![tag]);
        }
        if let Some(text) = &self.text {
            let is = r"(lower_title like $1 escape '\' or lower_description like $1 escape '\')";
            query.also(is, values![format!("%{}%", literal(&lower(text)))]);
        }
        let order = match self.sort {
            Sort::Number => "number",
            Sort::Priority => "priority, number",
        };
        query.of(order, limit)
    }
}

/// Conditions that all hold, and their values.
#[derive(Debug, Default)]
struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// This holds as well; in it `$1` is the first of `values`, and so on.
    fn also(&mut self, condition: &str, values: Vec<Value>) {
        let mut numbered = condition.to_owned();
        // From the last on, so that none is numbered twice.
        for nth in (1..=values.len()).rev() {
            numbered = numbered.replace(&format!("${nth}"), &format!("${}", self.values.len() + nth));
        }
        self.conditions.push(numbered);
        self.values.extend(values);
    }

    fn of(mut self, order: &str, limit: usize) -> (String, Vec<Value>) {
        let hold = match &*self.conditions {
            [] => String::new(),
            all => format!(" where {}", all.join(" and ")),
        };
        self.values.push(u64::try_from(limit).unwrap_or(u64::MAX >> 1).into());
        let last = self.values.len();
        let sql = format!(
            "select issue, number, title, description, priority, state, created, updated, deleted, tags, project \
             from issues{hold} order by {order} limit ${last}"
        );
        (sql, self.values)
    }
}

/// A text as a pattern that fits it and nothing else.
fn literal(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

impl Place {
    /// The place that `text` is in a list in this order; none if it is none.
    pub(crate) fn parse(sort: Sort, text: &str) -> Option<Self> {
        let place = match sort {
            Sort::Number => Self { priority: None, number: text.parse().ok()? },
            Sort::Priority => {
                let (priority, number) = text.split_once('-')?;
                Self { priority: Some(priority.parse().ok()?), number: number.parse().ok()? }
            }
        };
        (place.to_string() == text).then_some(place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.priority {
            Some(priority) => write!(f, "{priority}-{}", self.number),
            None => self.number.fmt(f),
        }
    }
}

impl ListedIssue {
    /// The place behind it in a list in this order.
    pub(crate) fn place(&self, sort: Sort) -> Place {
        Place { priority: (sort == Sort::Priority).then_some(self.priority), number: self.number }
    }

    /// The issue in a row of [`Wanted::query`].
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        let text = |column: &str| row.text(column).map(str::to_owned);
        let text_or_null = |column: &str| row.text_or_null(column).map(|text| text.map(str::to_owned));
        let odd = |column: &str| {
            StoreError::new(
                ErrorKind::RepairData,
                format!("read the column `{column}` of an issue: rebuild `issues`"),
            )
        };
        Ok(Self {
            id: text("issue")?,
            number: u64::try_from(row.integer("number")?).map_err(|_| odd("number"))?,
            title: text("title")?,
            description: text("description")?,
            priority: u8::try_from(row.integer("priority")?).map_err(|_| odd("priority"))?,
            state: text("state")?,
            created: text("created")?,
            updated: text("updated")?,
            deleted: text_or_null("deleted")?,
            tags: serde_json::from_str(row.text("tags")?).map_err(|_| odd("tags"))?,
            project: text_or_null("project")?,
        })
    }
}

fn tag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    ruled(from, rules::tag)
}

fn project<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    ruled(from, rules::project)
}

fn looked_for<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    ruled(from, rules::looked_for)
}

/// A text that keeps a rule: one that does not would find nothing, and say nothing of why.
fn ruled<'de, D: Deserializer<'de>>(
    from: D,
    rule: impl FnOnce(&str) -> Option<Fault>,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    match rule(&text) {
        Some(fault) => Err(D::Error::custom(fault.message)),
        None => Ok(Some(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_in_its_own_order_alone() {
        let (plain, urgent) = (Place { priority: None, number: 17 }, Place { priority: Some(3), number: 17 });
        assert_eq!(Place::parse(Sort::Number, &plain.to_string()), Some(plain));
        assert_eq!(Place::parse(Sort::Priority, &urgent.to_string()), Some(urgent));
        for (sort, text) in [
            (Sort::Number, "3-17"),
            (Sort::Priority, "17"),
            (Sort::Number, ""),
            (Sort::Number, "017"),
            (Sort::Number, "+17"),
            (Sort::Priority, "3-"),
            (Sort::Priority, "3-17-1"),
            (Sort::Priority, "300-1"),
        ] {
            assert_eq!(Place::parse(sort, text), None, "{text}");
        }
    }

    #[test]
    fn every_condition_has_values_of_its_own() {
        let wanted = Wanted {
            sort: Sort::Priority,
            state: Some(State::New),
            tag: Some("ui".to_owned()),
            project: Some("web".to_owned()),
            text: Some("A_b".to_owned()),
            include_deleted: false,
        };
        let (sql, values) = wanted.query(Place::parse(Sort::Priority, "3-17"), 101);
        let hold = "where (priority > $1 or (priority = $1 and number > $2)) and deleted is null and state = $3 \
                    and project = $4 and issue in (select issue from issue_tags where tag = $5) \
                    and (lower_title like $6 escape '\\' or lower_description like $6 escape '\\') \
                    order by priority, number limit $7";
        assert!(sql.ends_with(hold), "{sql}");
        assert_eq!(values, values![3, 17, "new", "web", "ui", r"%a\_b%", 101]);
    }
}
