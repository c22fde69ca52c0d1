//! Owns the passage between a payload and a typed event: JSON, floats to the last bit.

use factum_event::{Codec, EventId, Position, RecordedEvent};
use serde::{Serialize, de::DeserializeOwned};

/// A stored event that this build cannot read. Nothing was folded or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The payload does not have the fields this build expects of that version.
    #[error(
        "read event `{name}` version {version} at position {position}: {cause}: give a field that was added \
         later `#[serde(default)]`, or raise the event's version and add an upcaster from version {version}"
    )]
    Payload {
        /// Its stored name.
        name: String,
        /// The version it was stored under.
        version: u32,
        /// Where it stands.
        position: Position,
        /// What is wrong with it.
        cause: String,
    },
    /// A newer build wrote it.
    #[error(
        "read event `{name}` at position {position}: it has version {found} and this build knows versions up \
         to {known}: deploy the build that wrote it, or a later one"
    )]
    Newer {
        /// Its stored name.
        name: String,
        /// Where it stands.
        position: Position,
        /// The version it was stored under.
        found: u32,
        /// The newest version this build knows.
        known: u32,
    },
    /// A newer build wrote it: this one knows no event of that name in its context.
    #[error(
        "read event `{name}` at position {position}: this build knows no event of that name: deploy the build \
         that wrote it, or a later one; if it was renamed, say so with `was(\"{name}\")`"
    )]
    Unknown {
        /// Its stored name.
        name: String,
        /// Where it stands.
        position: Position,
    },
    /// It is not JSON.
    #[error(
        "read event `{name}` at position {position}: its codec is {codec}, and typed events are stored as \
         JSON (codec 1): give events written another way a name of their own"
    )]
    Codec {
        /// Its stored name.
        name: String,
        /// Where it stands.
        position: Position,
        /// How it is encoded.
        codec: u16,
    },
    /// An upcaster made another event of it, so a query for that event would have missed it.
    #[error(
        "read event `{name}` version {version} at position {position} ({id}): its last upcaster returns \
         another event than `{variant}`: let it return `{variant}`, and move the old name there with \
         `was(..)` if it belongs to the other event"
    )]
    Upcast {
        /// Its stored name.
        name: String,
        /// The version it was stored under.
        version: u32,
        /// Where it stands.
        position: Position,
        /// Its id.
        id: EventId,
        /// The variant that the upcasters stand on.
        variant: &'static str,
    },
}

#[doc(hidden)]
pub fn decode_payload<T: DeserializeOwned>(record: &RecordedEvent) -> Result<T, DecodeError> {
    if record.codec != Codec::JSON {
        return Err(DecodeError::Codec {
            name: record.event_type.to_string(),
            position: record.position,
            codec: record.codec.0,
        });
    }
    serde_json::from_slice(&record.payload).map_err(|cause| DecodeError::Payload {
        name: record.event_type.to_string(),
        version: record.version,
        position: record.position,
        cause: cause.to_string(),
    })
}

/// # Panics
/// When the value's own `Serialize` fails, or a map in it has keys that JSON cannot hold.
#[doc(hidden)]
pub fn encode_payload<T: Serialize>(value: &T, name: &str) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|cause| panic!("write event `{name}` as JSON: {cause}"))
}

#[doc(hidden)]
pub fn newer(record: &RecordedEvent, known: u32) -> DecodeError {
    DecodeError::Newer {
        name: record.event_type.to_string(),
        position: record.position,
        found: record.version,
        known,
    }
}

/// An upcast event, if it is of the variant its upcasters stand on.
#[doc(hidden)]
pub fn same_variant<E>(
    event: E,
    is_same: bool,
    variant: &'static str,
    record: &RecordedEvent,
) -> Result<E, DecodeError> {
    if is_same {
        return Ok(event);
    }
    Err(DecodeError::Upcast {
        name: record.event_type.to_string(),
        version: record.version,
        position: record.position,
        id: record.id,
        variant,
    })
}
