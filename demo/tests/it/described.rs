//! Holds every answer that a test of the demo gets to the committed documents of the services: its status,
//! its headers, its body to the last field. So each of those tests is one of the documents as well.

use crate::server::Answer;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

/// The documents of the services.
pub(crate) static DOCUMENTS: LazyLock<[Document; 3]> = LazyLock::new(|| {
    [
        Document::new(include_str!("../../../examples/calculator/openapi.json")),
        Document::new(include_str!("../../../examples/issue-tracker/openapi.json")),
        Document::new(include_str!("../../../examples/bank/openapi.json")),
    ]
});

/// What was asked.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: &'a str,
}

/// Fails when no document says that `asked` may be answered so.
pub(crate) fn check(asked: &Asked<'_>, answer: &Answer) {
    let path = asked.path.split('?').next().unwrap();
    let known: Vec<_> =
        DOCUMENTS.iter().filter_map(|document| Some((document, document.template(path)?))).collect();
    let Asked { method, .. } = asked;
    if known.is_empty() {
        let told = format!("{method} {path} is not described, and was answered {answer:?}");
        assert!(answer.status == 404 || turned_away(answer), "{told}");
        assert_eq!(DOCUMENTS[0].faults_of_problem(answer), [""; 0], "{told}");
        return;
    }
    // What spans the services is described for each: with the commands of that one.
    let faults: Vec<_> =
        known.iter().map(|(document, template)| document.faults(template, asked, answer)).collect();
    assert!(faults.iter().any(Vec::is_empty), "{method} {path}: {faults:#?} in {answer:?}");
}

/// Whether the gate refused it, whatever it was for.
fn turned_away(answer: &Answer) -> bool {
    [401, 413, 421, 429, 503].contains(&answer.status)
}

pub(crate) struct Document {
    pub(crate) json: Value,
    /// The parts that are referred to. In `schemas` every object is held to the fields that it names; `open` has
    /// the same ones as they are, for those that others add fields to.
    strict: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    pub(crate) fn new(text: &str) -> Self {
        Self::of(serde_json::from_str(text).unwrap())
    }

    pub(crate) fn of(json: Value) -> Self {
        let mut strict = opened(&json["components"]);
        strict["open"] = strict["schemas"].clone();
        for schema in strict["schemas"].as_object_mut().unwrap().values_mut() {
            let is_object = schema["properties"].is_object() || schema["allOf"].is_array();
            if is_object && schema["additionalProperties"].is_null() {
                schema["unevaluatedProperties"] = false.into();
            }
        }
        Self { json, strict, validators: Mutex::default() }
    }

    /// The path that `path` is an instance of; a word before a parameter.
    pub(crate) fn template(&self, path: &str) -> Option<&str> {
        let paths = self.json["paths"].as_object().unwrap().keys();
        let fits = |template: &&String| {
            let (mut is, mut wants) = (path.split('/'), template.split('/'));
            let same =
                is.by_ref().zip(wants.by_ref()).all(|(is, wants)| wants.starts_with('{') || is == wants);
            same && path.split('/').count() == template.split('/').count()
        };
        paths.filter(fits).min_by_key(|template| template.matches('{').count()).map(String::as_str)
    }

    /// What is wrong with an answer to a method of a path.
    pub(crate) fn faults(&self, template: &str, asked: &Asked<'_>, answer: &Answer) -> Vec<String> {
        let method = asked.method.to_lowercase();
        let Some(operation) = self.json["paths"][template].get(&method) else {
            let mut faults = self.faults_of_problem(answer);
            if answer.status != 405 && !turned_away(answer) {
                faults.push(format!("{method} is not described"));
            }
            return faults;
        };
        let Some(response) = operation["responses"].get(answer.status.to_string()) else {
            return vec![format!("status {} is not described", answer.status)];
        };
        let response = self.resolve(response);
        let at = format!("{method} {template} {}", answer.status);
        let mut faults = self.faults_of_headers(response, answer);
        faults.extend(self.faults_of_body(&at, response, answer));
        let body = serde_json::from_str::<Value>(asked.body);
        if (200..300).contains(&answer.status)
            && let (Some(takes), Ok(body)) = (operation.get("requestBody"), body)
        {
            let schema = &takes["content"]["application/json"]["schema"];
            let wrong = self.faults_of_value(&format!("{method} {template} takes"), schema, &body);
            faults.extend(wrong.into_iter().map(|fault| format!("it was taken, though {fault}")));
        }
        faults
    }

    fn faults_of_headers(&self, response: &Value, answer: &Answer) -> Vec<String> {
        let mut faults = Vec::new();
        let none = Map::new();
        for (name, header) in response["headers"].as_object().unwrap_or(&none) {
            let value = answer.headers.get(name).map(|value| value.to_str().unwrap());
            match value {
                Some(value) if header["schema"]["type"] == "integer" && value.parse::<u64>().is_err() => {
                    faults.push(format!("the header {name} is no number"));
                }
                None if header["required"] == true => faults.push(format!("the header {name} is missing")),
                Some(_) | None => {}
            }
        }
        faults
    }

    fn faults_of_body(&self, at: &str, response: &Value, answer: &Answer) -> Vec<String> {
        let Some(content) = response["content"].as_object() else {
            let is_empty = answer.text.is_empty();
            return if is_empty { Vec::new() } else { vec!["there is a body".to_owned()] };
        };
        let essence = answer.content_type.split(';').next().unwrap().trim();
        let Some(media) = content.get(essence) else { return vec![format!("{essence} is not described")] };
        self.faults_of_value(at, &media["schema"], &answer.body)
    }

    pub(crate) fn faults_of_problem(&self, answer: &Answer) -> Vec<String> {
        let response = json!({"content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
        }}});
        self.faults_of_body("problem", &response, answer)
    }

    /// What is wrong with a value. `at` names the schema.
    pub(crate) fn faults_of_value(&self, at: &str, schema: &Value, value: &Value) -> Vec<String> {
        let known = self.validators.lock().unwrap().get(at).cloned();
        let validator = known.unwrap_or_else(|| {
            let whole = json!({
                "components": self.strict,
                "allOf": [opened(schema)],
                "unevaluatedProperties": false,
            });
            let made = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
            let made = Arc::new(made);
            self.validators.lock().unwrap().insert(at.to_owned(), Arc::clone(&made));
            made
        });
        let told =
            |error: jsonschema::ValidationError<'_>| format!("{at}: `{}`: {error}", error.instance_path());
        validator.iter_errors(value).map(told).collect()
    }

    fn resolve<'a>(&'a self, part: &'a Value) -> &'a Value {
        match part["$ref"].as_str() {
            Some(reference) => self.json.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => part,
        }
    }
}

/// The same, but for references beside others in `allOf`: these name the open form, to which the others add fields.
fn opened(json: &Value) -> Value {
    let open = |part: &Value| match part["$ref"].as_str() {
        Some(reference) => json!({"$ref": reference.replace("/schemas/", "/open/")}),
        None => opened(part),
    };
    let field = |(name, field): (&String, &Value)| match (name.as_str(), field) {
        ("allOf", Value::Array(parts)) if parts.len() > 1 => (name.clone(), parts.iter().map(open).collect()),
        _ => (name.clone(), opened(field)),
    };
    match json {
        Value::Object(fields) => Value::Object(fields.iter().map(field).collect()),
        Value::Array(items) => items.iter().map(opened).collect(),
        other => other.clone(),
    }
}
