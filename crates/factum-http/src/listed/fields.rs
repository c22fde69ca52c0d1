//! The fields of a struct as parameters of a query: their names, the struct read from their texts, their forms.

use crate::{Problem, body::at_fault, feeds::refused};
use form_urlencoded::{Serializer, parse};
use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, Visitor, value::Error},
    forward_to_deserialize_any,
};
use serde_json::Value;

/// The names of the fields of `F`.
///
/// # Panics
/// When it is neither a struct with named fields, none of them flattened, nor `()`.
pub(super) fn names<F: DeserializeOwned>() -> &'static [&'static str] {
    let mut names = None;
    // It ends in an error, since there is nothing to read.
    drop(F::deserialize(Looked(&mut names)));
    names.expect("what a list may be asked for is a struct with named fields, none of them flattened")
}

/// Sees which fields are asked for, and gives none.
struct Looked<'a>(&'a mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Looked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only looked at"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = Some(fields);
        self.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.0 = Some(&[]);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// An `F` of these texts, each with the name of its field.
///
/// # Errors
/// 400 with the field at fault.
pub(super) fn read<'a, F: DeserializeOwned>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<F, Problem> {
    let text = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let read = serde_urlencoded::Deserializer::new(parse(text.as_bytes()));
    serde_path_to_error::deserialize(read).map_err(|error| {
        let (path, message) = (error.path().to_string(), error.inner().to_string());
        refused(&at_fault(&path, &message), &message)
    })
}

/// The form of a parameter, which is left out where a field would be null.
pub(super) fn without_null(mut schema: Value) -> Value {
    let null = Value::from("null");
    if let Some(types) = schema["type"].as_array_mut() {
        types.retain(|form| *form != null);
        if let [only] = &**types {
            schema["type"] = only.clone();
        }
    }
    for list in ["enum", "anyOf"] {
        if let Some(forms) = schema.get_mut(list).and_then(Value::as_array_mut) {
            forms.retain(|form| !form.is_null() && form["type"] != null);
        }
    }
    let only = match schema["anyOf"].as_array().map(Vec::as_slice) {
        Some([only]) => only.clone(),
        _ => return tidy(schema),
    };
    if let (Some(whole), Value::Object(only)) = (schema.as_object_mut(), only) {
        whole.remove("anyOf");
        for (name, value) in only {
            whole.entry(name).or_insert(value);
        }
    }
    tidy(schema)
}

/// Indexing adds what is not there, and a default of null says nothing.
fn tidy(mut schema: Value) -> Value {
    schema.as_object_mut().into_iter().for_each(|fields| fields.retain(|_, value| !value.is_null()));
    schema
}
