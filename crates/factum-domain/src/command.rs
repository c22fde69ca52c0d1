//! Owns what makes a decision storable: the name and the form that a commit remembers of what was asked.

use crate::Decide;
use bytes::Bytes;
use serde_json::{Deserializer, Serializer, de::SliceRead};

/// A use case that can be stored and read back. `#[derive(Command)]` writes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no stored name, and a commit records what was asked",
    label = "not a command",
    note = "add `#[derive(Command)] #[command(name = \"context.verb\")]`"
)]
pub trait Command: Decide {
    /// The stored name, such as `campus.enrol`. It never changes.
    const NAME: &'static str;
    /// The version of the stored form, from 1.
    const VERSION: u32;

    /// The stored form, in JSON.
    fn encode(&self) -> Bytes;

    /// The command that was stored.
    ///
    /// # Errors
    /// When the bytes are not the stored form of this command.
    fn decode(stored: &[u8]) -> Result<Self, CommandDecodeError>;
}

/// Bytes that are not the stored form of a command. Nothing was decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read command `{name}`: {cause}: send the fields it has in this build, or give a field that was added \
     later `#[serde(default)]`"
)]
pub struct CommandDecodeError {
    /// The stored name.
    pub name: &'static str,
    /// What is wrong.
    pub cause: String,
}

/// # Panics
/// When the command's own `Serialize` fails, or a map in it has keys that JSON cannot hold.
#[doc(hidden)]
pub fn encode_command(
    name: &str,
    serialize: impl FnOnce(&mut Serializer<&mut Vec<u8>>) -> Result<(), serde_json::Error>,
) -> Bytes {
    let mut out = Vec::new();
    serialize(&mut Serializer::new(&mut out))
        .unwrap_or_else(|cause| panic!("write command `{name}` as JSON: {cause}"));
    out.into()
}

#[doc(hidden)]
pub fn decode_command<C>(
    name: &'static str,
    stored: &[u8],
    deserialize: impl FnOnce(&mut Deserializer<SliceRead<'_>>) -> Result<C, serde_json::Error>,
) -> Result<C, CommandDecodeError> {
    let mut from = Deserializer::from_slice(stored);
    deserialize(&mut from)
        .and_then(|command| from.end().map(|()| command))
        .map_err(|cause| CommandDecodeError { name, cause: cause.to_string() })
}
