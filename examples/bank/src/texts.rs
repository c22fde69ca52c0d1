//! What is said in words: whose an account is, and what money was moved for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of an owner, in bytes.
pub const OWNER_BYTES_MAX: usize = 255;
/// Longest reference, in bytes.
pub const REFERENCE_BYTES_MAX: usize = 255;

/// Whose an account is: a name that is not blank, without white space around it or control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(!try_from, !into, inline)]
pub struct Owner(#[schemars(length(min = 1, max = OWNER_BYTES_MAX), regex(pattern = NAME))] String);

/// What money was moved for, as whoever moved it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(!try_from, !into, inline)]
pub struct Reference(#[schemars(length(max = REFERENCE_BYTES_MAX))] String);

/// No white space around it, and no control characters.
const NAME: &str =
    r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";

/// A text that is no owner, or no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing is said.
    #[error("must not be blank")]
    Blank,
    /// Two that look alike would be two.
    #[error("must have no white space around it and no control characters")]
    Odd,
    /// It is too long.
    #[error("must have at most {max} bytes, and has {bytes}")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
}

impl TryFrom<String> for Owner {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        if text.trim().is_empty() {
            return Err(InvalidText::Blank);
        }
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err(InvalidText::Odd);
        }
        bounded(text, OWNER_BYTES_MAX).map(Self)
    }
}

impl TryFrom<String> for Reference {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        bounded(text, REFERENCE_BYTES_MAX).map(Self)
    }
}

impl From<Owner> for String {
    fn from(Owner(text): Owner) -> Self {
        text
    }
}

impl From<Reference> for String {
    fn from(Reference(text): Reference) -> Self {
        text
    }
}

fn bounded(text: String, max: usize) -> Result<String, InvalidText> {
    let bytes = text.len();
    if bytes > max { Err(InvalidText::TooLong { bytes, max }) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(text: &str) -> Result<Owner, InvalidText> {
        text.to_owned().try_into()
    }

    fn reference(text: &str) -> Result<Reference, InvalidText> {
        text.to_owned().try_into()
    }

    #[test]
    fn an_owner_has_a_plain_name() {
        assert!(owner("Ann Archer").is_ok() && owner(&"x".repeat(OWNER_BYTES_MAX)).is_ok());
        for blank in ["", " ", "\t\n"] {
            assert_eq!(owner(blank), Err(InvalidText::Blank), "{blank:?}");
        }
        for odd in [" ann", "ann ", "a\nb"] {
            assert_eq!(owner(odd), Err(InvalidText::Odd), "{odd:?}");
        }
        let long = owner(&"x".repeat(OWNER_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(long.to_string(), "must have at most 255 bytes, and has 256");
    }

    #[test]
    fn a_reference_is_anything_that_is_short_counted_in_bytes() {
        for fits in ["", "rent, November", &"x".repeat(REFERENCE_BYTES_MAX), &"é".repeat(127)] {
            assert!(reference(fits).is_ok(), "{fits}");
        }
        assert_eq!(reference(&"é".repeat(128)), Err(InvalidText::TooLong { bytes: 256, max: 255 }));
    }
}
