//! What a request for a list or a stream asks for in its query. What is not understood is refused by name:
//! a filter that is ignored shows what nobody asked for.

use super::Apps;
use crate::{
    Description, Problem, ProblemType, commands,
    cursor::{Cursor, Kind},
    limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
    openapi::Place,
};
use axum::{extract::Query, http::Uri};
use factum::App;
use serde_json::json;
use std::collections::BTreeMap;

pub(crate) const LIMIT: &str = "limit";
pub(crate) const CURSOR: &str = "cursor";
pub(crate) const SERVICE: &str = "service";

/// What is wrong with a cursor of another list, or of none.
pub(crate) const NOT_OF_THIS_LIST: &str =
    "is none of this list: send back a `next` or `cursor` as it was received, or none";

/// The parameters of a query, by name.
#[derive(Debug)]
pub(crate) struct Asked(BTreeMap<String, String>);

impl Asked {
    /// # Errors
    /// 400 for a parameter that is none of `known`, or is there twice.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| refused("query", &format!("cannot be read: {error}")))?;
        let mut asked = BTreeMap::new();
        for (name, value) in pairs {
            if !known.contains(&&*name) {
                let message = match known {
                    [] => "is not known here; there are no parameters".to_owned(),
                    known => format!("is not known here; there is {}", known.join(", ")),
                };
                return Err(refused(&name, &message));
            }
            if asked.contains_key(&name) {
                return Err(refused(&name, "is there more than once"));
            }
            asked.insert(name, value);
        }
        Ok(Self(asked))
    }

    /// How many items to show.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.0.get(LIMIT) else { return Ok(PAGE_ITEMS_DEFAULT) };
        let number = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|text| text.parse().ok());
        let number = number.filter(|number| (1..=PAGE_ITEMS_MAX).contains(number));
        number.ok_or_else(|| refused(LIMIT, &format!("is a whole number from 1 to {PAGE_ITEMS_MAX}")))
    }

    /// Where to go on, from the start of every log if nothing is said.
    pub(crate) fn cursor(&self, kind: Kind) -> Result<Cursor, Problem> {
        let Some(text) = self.0.get(CURSOR) else { return Ok(Cursor::new(kind)) };
        Cursor::parse(kind, text).ok_or_else(|| refused(CURSOR, NOT_OF_THIS_LIST))
    }

    /// The services to look at, all if nothing is said.
    pub(crate) fn services<'a>(&self, apps: &'a Apps) -> Result<Vec<(&'static str, &'a App)>, Problem> {
        let asked = self.0.get(SERVICE);
        let matches = |(name, _): &&(&'static str, App)| asked.is_none_or(|asked| asked == name);
        let found: Vec<_> = apps.iter().filter(matches).map(|(name, app)| (*name, app)).collect();
        if asked.is_some() && found.is_empty() {
            let names: Vec<_> = apps.iter().map(|(name, _)| *name).collect();
            return Err(refused(SERVICE, &format!("is not one of this server: {}", names.join(", "))));
        }
        Ok(found)
    }

    /// A parameter as it was sent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All parameters but these.
    pub(crate) fn without(&self, names: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        let others = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        others.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter that `read` understands.
    pub(crate) fn filter<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let text = self.0.get(name);
        text.map(|text| read(text).map_err(|message| refused(name, &message))).transpose()
    }
}

/// Says of the parameters with these names what they ask for.
pub(crate) fn describe(route: &mut Description, known: &[&'static str]) {
    for name in known {
        let (about, schema) = match *name {
            LIMIT => {
                let schema = json!({
                    "type": "integer", "minimum": 1, "maximum": PAGE_ITEMS_MAX, "default": PAGE_ITEMS_DEFAULT,
                });
                ("How many to show.", schema)
            }
            CURSOR => ("Where to go on: a `next` or `cursor` as it was received.", json!({"type": "string"})),
            SERVICE => ("Only of this service.", json!({"type": "string"})),
            "status" => ("Only those that stand so.", commands::status_form()),
            "type" => ("Only of this type, a stored name.", json!({"type": "string"})),
            "stream" => ("Only of this stream.", json!({"type": "string"})),
            other => unreachable!("`{other}` is a parameter that nothing is said of: say it here"),
        };
        route.parameter(Place::Query, name, about, schema);
    }
    route.refuses([ProblemType::Shape]);
}

/// The refusal of a parameter.
pub(crate) fn refused(name: &str, message: &str) -> Problem {
    let name: String = name.chars().take(80).collect();
    Problem::new(ProblemType::Shape, format!("the parameter `{name}` {message}")).field(name, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<Asked, Problem> {
        Asked::of(&format!("/commands?{query}").parse().unwrap(), &[LIMIT, CURSOR, "status"])
    }

    fn fault<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
        let problem = result.unwrap_err();
        assert_eq!((problem.status(), problem.fields().len()), (400, 1));
        problem.fields()[0].field.clone()
    }

    #[test]
    fn a_limit_is_a_number_within_the_bounds() {
        for (query, limit) in [("", 100), ("limit=1", 1), ("limit=1000", 1000), ("limit=007", 7)] {
            assert_eq!(asked(query).unwrap().limit().unwrap(), limit);
        }
        for query in ["limit=", "limit=0", "limit=1001", "limit=-1", "limit=%2B5", "limit=ten", "limit=1e2"] {
            assert_eq!(fault(asked(query).unwrap().limit()), "limit", "{query}");
        }
    }

    #[test]
    fn what_is_not_known_or_said_twice_is_named() {
        assert_eq!(fault(asked("limit=1&sort=up")), "sort");
        assert_eq!(fault(asked("limit=1&limit=1")), "limit");
        assert_eq!(fault(asked("=1")), "");
    }

    #[test]
    fn a_cursor_is_one_of_its_list() {
        assert_eq!(asked("").unwrap().cursor(Kind::Events).unwrap(), Cursor::new(Kind::Events));
        assert!(asked("cursor=c").unwrap().cursor(Kind::Commands).is_ok());
        for query in ["cursor=", "cursor=x", "cursor=e"] {
            assert_eq!(fault(asked(query).unwrap().cursor(Kind::Commands)), "cursor", "{query}");
        }
    }

    #[test]
    fn a_filter_says_why_it_is_not_understood() {
        let read = |text: &str| text.parse::<u8>().map_err(|error| error.to_string());
        assert_eq!(asked("").unwrap().filter("status", read).unwrap(), None);
        assert_eq!(asked("status=7").unwrap().filter("status", read).unwrap(), Some(7));
        assert_eq!(fault(asked("status=x").unwrap().filter("status", read)), "status");
    }
}
