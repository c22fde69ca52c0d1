//! A page of a list, as it is answered.

use super::{Merged, sources::Source};
use factum::StoreError;
use schemars::JsonSchema;
use serde::Serialize;

/// Some items of a list, and where to go on.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    /// In order.
    items: Vec<T>,
    /// The cursor of the next page, if there may be one.
    next: Option<String>,
    /// The place after this page: whatever comes later is found from here.
    cursor: String,
}

impl<T> Page<T> {
    /// The page with these items. `cut` says that its items ended before the list did.
    pub(crate) async fn after<S: Source>(
        items: Vec<T>,
        merged: &mut Merged<S>,
        cut: bool,
    ) -> Result<Self, StoreError> {
        let more = (cut && merged.look_ahead().await?) || merged.may_go_on();
        let cursor = merged.cursor().to_string();
        Ok(Self { items, next: more.then(|| cursor.clone()), cursor })
    }
}
