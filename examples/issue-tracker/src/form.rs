//! The body of a command, read so that all the fields at fault are told at once: those that are missing, of
//! another type, unknown or doubled, and those that break a rule. No body at all is one without fields.

use crate::rules::Faults;
use axum::{
    body::{Body as Raw, to_bytes},
    extract::{FromRequest, Request},
};
use factum_http::{BODY_BYTES_MAX, Body, Describe, Description, FieldError, Problem, ProblemType};
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
};

/// A body whose fields are those of `T`, as senders are told.
#[derive(Debug)]
pub(crate) struct Form<T>(Fields, PhantomData<T>);

/// The fields that came, and what is wrong with them so far.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    fields: BTreeMap<String, Value>,
    asked_for: Vec<&'static str>,
    faults: Vec<FieldError>,
}

impl<T> Form<T> {
    /// As [`Fields::read`].
    pub(crate) fn read<C>(
        self,
        make: impl FnOnce(&mut Fields) -> C,
        check: impl FnOnce(&C) -> Result<(), Faults>,
    ) -> Result<C, Problem> {
        self.0.read(make, check)
    }

    /// As [`Fields::read_none`].
    pub(crate) fn read_none(self) -> Result<(), Problem> {
        self.0.read_none()
    }
}

impl Fields {
    /// The command that `make` asks of the fields, if it keeps the rules and nothing is left over.
    ///
    /// # Errors
    /// 400 with every field at fault, those that were asked for first.
    pub(crate) fn read<C>(
        mut self,
        make: impl FnOnce(&mut Self) -> C,
        check: impl FnOnce(&C) -> Result<(), Faults>,
    ) -> Result<C, Problem> {
        let command = make(&mut self);
        if let Err(faults) = check(&command) {
            for fault in faults.list() {
                self.fault(fault.field, &fault.message);
            }
        }
        let known: Vec<_> = self.asked_for.iter().map(|field| format!("`{field}`")).collect();
        let message = match &*known {
            [] => "is not known: this takes no fields".to_owned(),
            known => format!("is not known: this takes {}", known.join(", ")),
        };
        let left_over: Vec<_> = self.fields.keys().cloned().collect();
        left_over.iter().for_each(|field| self.fault(field, &message));
        if self.faults.is_empty() { Ok(command) } else { Err(self.problem()) }
    }

    /// Without any field.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn read_none(self) -> Result<(), Problem> {
        self.read(|_| (), |()| Ok(()))
    }

    /// A text that must be there.
    pub(crate) fn text(&mut self, field: &'static str) -> String {
        match self.take(field) {
            Some(Value::String(text)) => text,
            Some(Value::Null) | None => self.refuse(field, "is missing"),
            Some(_) => self.refuse(field, "must be a string"),
        }
    }

    /// A small number, `default` if none is said. One that is too large is the largest.
    pub(crate) fn number_or(&mut self, field: &'static str, default: u8) -> u8 {
        match self.take(field) {
            Some(Value::Null) | None => default,
            Some(value) => match value.as_u64() {
                Some(number) => u8::try_from(number).unwrap_or(u8::MAX),
                None => self.refuse(field, "must be a whole number"),
            },
        }
    }

    /// A list of texts that must be there, as a set.
    pub(crate) fn texts(&mut self, field: &'static str) -> BTreeSet<String> {
        let text = |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        };
        let texts = match self.take(field) {
            Some(Value::Array(values)) => values.into_iter().map(text).collect(),
            Some(Value::Null) | None => return self.refuse(field, "is missing"),
            Some(_) => None,
        };
        texts.unwrap_or_else(|| self.refuse(field, "must be a list of strings"))
    }

    /// A text, or null. It must be there, so that nothing is taken away by forgetting it.
    pub(crate) fn text_or_null(&mut self, field: &'static str) -> Option<String> {
        match self.take(field) {
            Some(Value::String(text)) => Some(text),
            Some(Value::Null) => None,
            None => self.refuse(field, "is missing"),
            Some(_) => self.refuse(field, "must be a string or null"),
        }
    }

    fn take(&mut self, field: &'static str) -> Option<Value> {
        self.asked_for.push(field);
        self.fields.remove(field)
    }

    fn refuse<T: Default>(&mut self, field: &str, message: &str) -> T {
        self.fault(field, message);
        T::default()
    }

    /// The first fault of a field is told.
    fn fault(&mut self, field: &str, message: &str) {
        if self.faults.iter().all(|fault| fault.field != field) {
            self.faults.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        }
    }

    fn problem(mut self) -> Problem {
        let place = |fault: &FieldError| self.asked_for.iter().position(|asked| *asked == fault.field);
        self.faults.sort_by_key(|fault| place(fault).unwrap_or(usize::MAX));
        let told = self.faults.iter().map(|FieldError { field, message }| format!("`{field}` {message}"));
        let problem = Problem::new(ProblemType::Shape, told.collect::<Vec<_>>().join("; "));
        self.faults.into_iter().fold(problem, |problem, fault| problem.field(fault.field, fault.message))
    }
}

impl<T: JsonSchema> Describe for Form<T> {
    fn describe(route: &mut Description) {
        route.body_or_nothing::<T>();
    }
}

impl<S: Send + Sync, T> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
            Problem::new(ProblemType::Shape, format!("the body did not arrive whole: {error}"))
                .field("body", "did not arrive whole")
        })?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(Fields::default(), PhantomData));
        }
        let Body(fields) = Body::from_request(Request::from_parts(parts, Raw::from(bytes)), state).await?;
        Ok(Self(fields, PhantomData))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with named fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut form = Fields::default();
                while let Some((field, value)) = map.next_entry::<String, Value>()? {
                    if form.fields.contains_key(&field) {
                        form.fault(&field, "is there more than once");
                    }
                    form.fields.insert(field, value);
                }
                Ok(form)
            }
        }
        from.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    fn form(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    fn told<T: fmt::Debug>(read: Result<T, Problem>) -> Vec<String> {
        let problem = read.unwrap_err();
        assert_eq!(problem.status(), 400);
        problem.fields().iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect()
    }

    /// As an issue is read.
    fn issue(form: Fields) -> Result<(String, String, u8), Problem> {
        form.read(
            |form| (form.text("title"), form.text("description"), form.number_or("priority", 5)),
            |(title, description, priority)| {
                Faults::check([
                    rules::title(title),
                    rules::description(description),
                    rules::priority(*priority),
                ])
            },
        )
    }

    #[test]
    fn s0_07_all_fields_at_fault_are_told_in_order_each_once() {
        assert_eq!(
            told(issue(form(r#"{"user": "eve", "priority": 18, "title": " "}"#))),
            [
                "title must not be blank",
                "description is missing",
                "priority must be 1 to 5",
                "user is not known: this takes `title`, `description`, `priority`",
            ]
        );
        assert_eq!(
            told(issue(form(r#"{"title": 1, "description": ["d"], "priority": "high"}"#))),
            ["title must be a string", "description must be a string", "priority must be a whole number"]
        );
    }

    #[test]
    fn s0_06_no_fields_are_the_fields_of_no_body() {
        let expected = ["title is missing", "description is missing"];
        assert_eq!(told(issue(Fields::default())), expected);
        assert_eq!(told(issue(form("{}"))), expected);
        assert_eq!(told(issue(form(r#"{"title": null, "description": null}"#))), expected);
    }

    #[test]
    fn s0_08_a_priority_is_5_unless_it_is_said() {
        let priority = |priority: &str| {
            issue(form(&format!(r#"{{"title": "t", "description": "d"{priority}}}"#)))
                .map(|(.., priority)| priority)
        };
        assert_eq!(priority("").unwrap(), 5);
        assert_eq!(priority(r#", "priority": null"#).unwrap(), 5);
        assert_eq!(priority(r#", "priority": 1"#).unwrap(), 1);
        for number in ["0", "6", "18", "261", "18446744073709551615"] {
            assert_eq!(
                told(priority(&format!(r#", "priority": {number}"#))),
                ["priority must be 1 to 5"],
                "{number}"
            );
        }
        for other in ["-1", "2.5", "18446744073709551616", "true", r#""3""#] {
            assert_eq!(
                told(priority(&format!(r#", "priority": {other}"#))),
                ["priority must be a whole number"],
                "{other}"
            );
        }
    }

    #[test]
    fn a_field_that_comes_twice_is_refused() {
        let twice = form(r#"{"title": "a", "title": "b", "description": "d", "x": 1, "x": 2}"#);
        let expected = ["title is there more than once", "x is there more than once"];
        assert_eq!(told(issue(twice)), expected);
    }

    #[test]
    fn tags_are_a_list_of_texts_and_a_project_is_a_text_or_null() {
        let tags = |json: &str| form(json).read(|form| form.texts("tags"), |_| Ok(()));
        assert_eq!(tags(r#"{"tags": ["b", "a", "b"]}"#).unwrap(), ["a", "b"].map(str::to_owned).into());
        assert_eq!(told(tags("{}")), ["tags is missing"]);
        for other in [r#"{"tags": "a"}"#, r#"{"tags": [1]}"#, r#"{"tags": {}}"#] {
            assert_eq!(told(tags(other)), ["tags must be a list of strings"], "{other}");
        }
        let project = |json: &str| form(json).read(|form| form.text_or_null("project"), |_| Ok(()));
        assert_eq!(project(r#"{"project": "web"}"#).unwrap().as_deref(), Some("web"));
        assert_eq!(project(r#"{"project": null}"#).unwrap(), None);
        assert_eq!(told(project("{}")), ["project is missing"]);
        assert_eq!(told(project(r#"{"project": 1}"#)), ["project must be a string or null"]);
    }

    #[test]
    fn what_takes_no_fields_refuses_any() {
        assert!(Fields::default().read_none().is_ok() && form("{}").read_none().is_ok());
        assert_eq!(told(form(r#"{"why": 1}"#).read_none()), ["why is not known: this takes no fields"]);
    }
}
