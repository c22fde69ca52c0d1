//! The answers of one route that are no problems: those of a query as it declares them, those of a command
//! as [`crate::Sending`] gives them.

use super::{
    Description,
    description::Answer,
    document::Writer,
    schema::{extended, reference},
};
use crate::commands::Wire;
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
    if route.tagged {
        response["headers"] = json!({"ETag": header("Which state this is of.", text())});
    }
    (answer.status.to_string(), response)
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
        let mut applied = header("How long was waited for the outcome, if that was preferred.", text());
        applied["required"] = false.into();
        json!({
            "description": about,
            "headers": {"Location": header(at, text()), "Preference-Applied": applied},
            "content": {"application/json": {"schema": schema}},
        })
    };
    let at = "Where the status of the command is found.";
    let mut all = Map::new();
    let waits = "It is stored and will be decided: no outcome was waited for, or none came in time.";
    all.insert("202".to_owned(), answer(waits, at, &accepted));
    all.insert("200".to_owned(), answer("It was decided, as `Prefer` waited for.", at, &decided));
    if let Some(path) = route.creates {
        let (about, at) =
            ("It created something, as `Prefer` waited for.", format!("What was created: `{path}`."));
        all.insert("201".to_owned(), answer(about, &at, &decided));
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
