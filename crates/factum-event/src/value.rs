//! A value as a read model's database holds it: what a column, an index or a parameter can be.

use crate::{Position, Revision, Timestamp};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt};
use uuid::Uuid;

/// A value of a column, an index or a parameter.
///
/// Values are ordered as databases order them: nothing first, then numbers, then texts by their bytes, then
/// bytes.
///
/// ```
/// use factum_event::{Value, values};
/// assert_eq!(values!["ann", 7_u32, true], [Value::from("ann"), Value::from(7), Value::from(1)]);
/// assert!(Value::Null < Value::from(-1) && Value::from(2) < Value::from("1"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A whole number. True is 1, false is 0.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A list of [`Value`]s from whatever becomes one: `values![course, seats]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        <[$crate::Value]>::into_vec(::std::boxed::Box::new([$($crate::Value::from($value)),*]))
    };
}

impl Value {
    /// The whole number, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Whether it is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Integer(_) | Self::Real(_) => 1,
            Self::Text(_) => 2,
            Self::Bytes(_) => 3,
        }
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => a.total_cmp(b),
            (Self::Integer(a), Self::Real(b)) => against(*a, *b),
            (Self::Real(a), Self::Integer(b)) => against(*b, *a).reverse(),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// A whole number against one with a fraction, where neither may be rounded.
fn against(whole: i64, real: f64) -> Ordering {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if real.is_nan() || real >= TWO_TO_63 {
        return Ordering::Less;
    }
    if real < -TWO_TO_63 {
        return Ordering::Greater;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is in the range, and the fraction is looked at below"
    )]
    let floor = real.floor() as i64;
    match whole.cmp(&floor) {
        Ordering::Equal if real.fract() != 0.0 => Ordering::Less,
        ordering => ordering,
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Integer(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

macro_rules! integers {
    ($($number:ty),*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Integer(i64::from(number))
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, bool);

/// Above `i64::MAX` it is the signed number of the same bits, which no count or position reaches.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(number.cast_signed())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// As its text.
impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

/// As its text: in UTC, to the microsecond, so that texts are in the order of times.
impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Text(at.to_string())
    }
}

impl From<Position> for Value {
    fn from(position: Position) -> Self {
        Self::from(position.get())
    }
}

impl From<Revision> for Value {
    fn from(revision: Revision) -> Self {
        Self::from(revision.get())
    }
}

impl<T> From<Option<T>> for Value
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_ordered_as_databases_order_them() {
        let ordered = [
            Value::Null,
            Value::Real(f64::NEG_INFINITY),
            Value::Integer(i64::MIN),
            Value::Integer(-1),
            Value::Real(-0.5),
            Value::Integer(0),
            Value::Real(0.5),
            Value::Integer(1),
            Value::Integer(i64::MAX),
            Value::Real(9.3e18),
            Value::from(""),
            Value::from("10"),
            Value::from("2"),
            Value::from(vec![0]),
        ];
        for (at, value) in ordered.iter().enumerate() {
            for (other_at, other) in ordered.iter().enumerate() {
                assert_eq!(value.cmp(other), at.cmp(&other_at), "{value:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_there_is_none_of_is_null() {
        assert_eq!(Value::from(None::<u8>), Value::Null);
        assert_eq!(Value::from(Some("x")), Value::from("x"));
    }
}
