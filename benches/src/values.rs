//! The values that commands change, the same on both sides.

use calculator::ValueId;
use factum::Uuid;

/// What is asked of a value.
pub(crate) const BODY: &str = r#"{"operation":"ADD","value":1}"#;

/// The id of the value with this number.
pub(crate) fn id(number: u64) -> ValueId {
    Uuid::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0000 | u128::from(number)).into()
}
