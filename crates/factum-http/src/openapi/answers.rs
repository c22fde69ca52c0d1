//! The answers of one route that are no problems: those of a query as it declares them, those of a command
//! as [`crate::Sending`] gives them.

use super::{
    Description,
    description::{Answer, HeldAt},
    document::Writer,
    schema::{extended, reference},
};
use crate::{
    commands::Wire,
    prefer::PREFERENCE_APPLIED,
    since::{POSITION, STALE},
};
use serde_json::{Map, Value, json};

/// All answers of a route, by status.
pub(crate) fn answers(route: &Description, writer: &mut Writer) -> Map<String, Value> {
    let mut all: Map<_, _> = match route.command {
        Some(_) => to_command(route, writer),
        None => route.answers.iter().map(|answer| of_query(route, answer, writer)).collect(),
    };
    all.extend(super::problems::problems(route, writer));
    all
}

fn of_query(route: &Description, answer: &Answer, writer: &mut Writer) -> (String, Value) {
    let mut response = json!({"description": answer.about});
    if let Some((media, schema)) = answer.body {
        let schema = schema(&mut writer.answers).to_value();
        response["content"] = json!({media: {"schema": schema}});
    }
    let headers = headers(route);
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    (answer.status.to_string(), response)
}

fn headers(route: &Description) -> Map<String, Value> {
    let mut headers = Map::new();
    if route.tagged {
        headers.insert("ETag".to_owned(), header("Which state this is of.", text()));
    }
    if route.paged {
        let about = "Where the list goes on, as `rel=\"next\"`, if it does.";
        headers.insert("Link".to_owned(), optional(header(about, text())));
    }
    let position = match route.held_at {
        HeldAt::Unsaid => None,
        HeldAt::Final => Some(optional(header(DECIDED_AT, text()))),
        HeldAt::Always => Some(header("Where in the log this holds: send it back to read no less.", text())),
    };
    headers.extend(position.map(|position| (POSITION.to_owned(), position)));
    if route.held_at == HeldAt::Always {
        let about = "`true`: it does not show everything up to where the client was.";
        let stale = optional(header(about, json!({"type": "string", "enum": ["true"]})));
        headers.insert(STALE.to_owned(), stale);
        let applied = optional(header("How long was waited at most, if that was preferred.", text()));
        headers.insert(PREFERENCE_APPLIED.to_owned(), applied);
    }
    headers
}

fn to_command(route: &Description, writer: &mut Writer) -> Map<String, Value> {
    let status = writer.answers.subschema_for::<Wire>().to_value();
    let (minted, names) = minted(route);
    let mut accepted = json!({"type": "object", "properties": minted, "required": names});
    accepted["properties"]["command_id"] = json!({"type": "string", "format": "uuid"});
    accepted["required"].as_array_mut().into_iter().for_each(|names| names.insert(0, "command_id".into()));
    let decided = match names.is_empty() {
        true => status,
        false => extended(status, json!({"properties": minted, "required": names})),
    };
    let answer = |about: &str, at: &str, schema: &Value| {
        let applied = header("How long was waited for the outcome, if that was preferred.", text());
        json!({
            "description": about,
            "headers": {"Location": header(at, text()), PREFERENCE_APPLIED: optional(applied)},
            "content": {"application/json": {"schema": schema}},
        })
    };
    let decided_as = |about: &str, at: &str| {
        let mut answer = answer(about, at, &decided);
        answer["headers"][POSITION] = header(DECIDED_AT, text());
        answer
    };
    let at = "Where the status of the command is found.";
    let mut all = Map::new();
    let waits = "It is stored and will be decided: no outcome was waited for, or none came in time.";
    all.insert("202".to_owned(), answer(waits, at, &accepted));
    all.insert("200".to_owned(), decided_as("It was decided, as `Prefer` waited for.", at));
    if let Some(path) = route.creates {
        let (about, at) =
            ("It created something, as `Prefer` waited for.", format!("What was created: `{path}`."));
        all.insert("201".to_owned(), decided_as(about, &at));
    }
    all
}

/// The ids that answers to a command name, and their names.
pub(crate) fn minted(route: &Description) -> (Map<String, Value>, Vec<Value>) {
    let schema = |about: &str, schema: &Value| {
        let mut schema = schema.clone();
        schema["description"] = about.into();
        schema
    };
    let fields = route.minted.iter().map(|(name, about, form)| ((*name).to_owned(), schema(about, form)));
    (fields.collect(), route.minted.iter().map(|(name, ..)| (*name).into()).collect())
}

/// What is said of the position that comes with a final outcome.
pub(crate) const DECIDED_AT: &str =
    "The position it took, or the one it was decided on: send it back to read what came of it.";

/// A header that may be left out.
fn optional(mut header: Value) -> Value {
    header["required"] = false.into();
    header
}

/// A header that is always there.
pub(crate) fn header(about: &str, schema: Value) -> Value {
    json!({"description": about, "required": true, "schema": schema})
}

pub(crate) fn text() -> Value {
    json!({"type": "string"})
}

/// What the refusal of a command tells beside the problem: the status that the command has, but for the field
/// of that name, in which a problem has the status of the answer.
pub(crate) fn told_of_a_command(writer: &mut Writer) -> Value {
    const NAME: &str = "CommandProblem";
    writer.answers.subschema_for::<Wire>();
    let mut told = writer.answers.definitions()["CommandStatus"].clone();
    told.as_object_mut().into_iter().for_each(|told| drop(told.remove("description")));
    told["properties"].as_object_mut().into_iter().for_each(|fields| drop(fields.remove("status")));
    told["required"].as_array_mut().into_iter().for_each(|names| names.retain(|name| name != "status"));
    let mut schema = extended(writer.problem(), told);
    schema["description"] = "Why a command was not carried out, and what became of it.".into();
    writer.answers.definitions_mut().insert(NAME.to_owned(), schema);
    reference("schemas", NAME)
}
