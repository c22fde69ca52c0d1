//! Puts the document of a service together. The same routes give the same text, byte by byte.

use super::{
    answers::answers,
    description::{Body, Command, Parameter, Place},
    schema::{extended, generator, reference},
};
use crate::{BODY_BYTES_MAX, problem, routes::Declared};
use factum::RejectCase;
use schemars::{SchemaGenerator, generate::Contract};
use serde_json::{Map, Value, json};

/// The parts of a document that are referred to, as far as they are known.
pub(crate) struct Writer {
    /// Forms of what is answered.
    pub(crate) answers: SchemaGenerator,
    /// Forms of what is sent.
    bodies: SchemaGenerator,
    pub(crate) responses: Map<String, Value>,
    parameters: Map<String, Value>,
    /// What the commands of the service may be rejected with.
    pub(crate) cases: Vec<RejectCase>,
}

impl Writer {
    /// The form of any problem.
    pub(crate) fn problem(&mut self) -> Value {
        self.answers.subschema_for::<problem::Wire<'_>>().to_value()
    }
}

/// What a document is of.
pub(crate) struct Described<'a> {
    pub(crate) name: &'a str,
    pub(crate) about: &'a str,
    /// The routes of the service.
    pub(crate) own: &'a [Declared],
    /// Those that it has from the platform.
    pub(crate) platform: &'a [Declared],
}

/// The document, with a line end at its end.
pub(crate) fn document(described: &Described<'_>) -> String {
    let Described { name, about, own, platform } = described;
    let cases = own.iter().filter_map(|route| match &route.description.command {
        Some(Command::Of(cases)) => Some(cases.clone()),
        Some(Command::Any) | None => None,
    });
    let mut writer = Writer {
        answers: generator(Contract::Serialize),
        bodies: generator(Contract::Deserialize),
        responses: Map::new(),
        parameters: Map::new(),
        cases: cases.flatten().collect(),
    };
    let mut paths = Map::new();
    for (tag, route) in
        own.iter().map(|route| (*name, route)).chain(platform.iter().map(|route| ("platform", route)))
    {
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_ascii_lowercase();
        let twice = !path[&method].is_null();
        assert!(!twice, "{method} {} is declared once: a router takes no other", route.path);
        path[&method] = operation(tag, route, &mut writer);
    }
    let text = json!({
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "summary": about,
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name, "description": about},
            {"name": "platform", "description": "What every service has. Beside others, it spans all of them."},
        ],
        "security": [{"bearer": []}, {"api_key": []}, {}],
        "paths": paths,
        "components": writer.components(),
    });
    format!("{text:#}\n")
}

const DESCRIPTION: &str = "Whoever is not told otherwise sends a token, as `Authorization: Bearer` or as \
    `X-Api-Key`; without credentials configured everybody is let in. A path that is not here is answered 404, a \
    method that a path does not take 405, both with a problem; a request that is not \
    whole in time 408, one whose head is too large 431. Every answer names its trace in `traceparent` \
    (W3C), which a request may bring along.";

fn operation(tag: &str, route: &Declared, writer: &mut Writer) -> Value {
    let Declared { path, method, description, gated, permission, .. } = route;
    let words = path.split(|character: char| !character.is_ascii_alphanumeric());
    let words = [method.as_str()].into_iter().chain(words).filter(|word| !word.is_empty());
    let id = words.collect::<Vec<_>>().join("_").to_ascii_lowercase();
    let mut operation = json!({
        "operationId": id,
        "summary": description.summary,
        "tags": [tag],
        "responses": answers(description, writer),
    });
    if let Some((action, roles)) = permission {
        let roles: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
        operation["description"] =
            format!("Permission `{action}`, which these roles have: {}.", roles.join(", ")).into();
    }
    let parameters: Vec<_> =
        description.parameters.iter().map(|parameter| writer.parameter(parameter)).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = &description.body {
        operation["requestBody"] = writer.body(body);
    }
    if !gated {
        operation["security"] = json!([]);
    }
    operation
}

impl Writer {
    /// Headers mean the same everywhere, so they stand once.
    fn parameter(&mut self, parameter: &Parameter) -> Value {
        let Parameter { place, name, about, schema } = parameter;
        let (place, required) = match place {
            Place::Path => ("path", true),
            Place::Query => ("query", false),
            Place::Header => ("header", false),
        };
        let described =
            json!({"in": place, "name": name, "required": required, "description": about, "schema": schema});
        if place != "header" {
            return described;
        }
        let named = (*name).to_owned();
        let known = self.parameters.entry(named).or_insert_with(|| described.clone());
        assert_eq!(*known, described, "a header means the same everywhere");
        reference("parameters", name)
    }

    fn body(&mut self, body: &Body) -> Value {
        let mut schema = (body.schema)(&mut self.bodies).to_value();
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let named = name.and_then(|name| self.bodies.definitions().get(name)).unwrap_or(&schema);
        let lacks_nothing = named["required"].as_array().is_none_or(Vec::is_empty);
        if let Some((field, words)) = &body.narrowed {
            schema = extended(schema, json!({"properties": {*field: {"type": "string", "enum": words}}}));
        }
        json!({
            "required": body.required || !lacks_nothing,
            "description": format!("At most {BODY_BYTES_MAX} bytes."),
            "content": {"application/json": {"schema": schema}},
        })
    }

    fn components(mut self) -> Value {
        let mut schemas = self.answers.take_definitions(true);
        for (name, schema) in self.bodies.take_definitions(true) {
            let known = schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(
                *known, schema,
                "`{name}` is one form, or has two names: give one `#[schemars(rename = ..)]`"
            );
        }
        json!({
            "schemas": schemas,
            "parameters": self.parameters,
            "responses": self.responses,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "api_key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        })
    }
}
