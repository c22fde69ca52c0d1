//! What every store of read models is held to.

use super::{Build, ReadModels};
use crate::block_on;
use std::sync::Arc;

/// Runs every check on stores that `make` gives, each empty.
///
/// # Panics
/// With what is wrong.
pub fn run(make: impl Fn() -> Arc<dyn ReadModels>) {
    let models = make();
    let build = Build { projection: "roster".into(), version: 1, number: 1 };
    block_on(async {
        assert!(models.find(&build).await.expect("it answers").is_none());
    });
}
