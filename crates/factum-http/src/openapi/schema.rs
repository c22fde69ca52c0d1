//! Schemas of what several answers are made of.

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    json_schema,
    transform::RemoveRefSiblings,
};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Stands for a time in a schema: `#[schemars(with = "factum_http::Time")]`.
#[derive(Clone, Copy, Debug)]
pub struct Time;

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// A reference to a part of the document.
pub(crate) fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// All of `base`, a reference, and `more`, which says further things of the same object. A reference stands alone
/// in this: what stands beside one is legal, but passed over by programs that make clients.
pub(crate) fn extended(base: Value, mut more: Value) -> Value {
    more["type"] = "object".into();
    json!({"allOf": [base, more]})
}

/// Makes schemas in the dialect that OpenAPI 3.1 has, JSON Schema 2020-12.
pub(crate) fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.with_transform(RemoveRefSiblings::default()).into_generator()
}
