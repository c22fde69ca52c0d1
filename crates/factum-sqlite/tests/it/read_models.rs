//! Read models in files: the checks of every store, and what only a file can meet.

use factum_sqlite::SqliteReadModels;
use factum_store::read_models::{MemoryReadModels, ReadModels, checks};
use std::sync::Arc;

#[test]
fn read_models_in_a_directory_pass_the_checks() {
    let dir = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let make = || -> Arc<dyn ReadModels> {
        number.set(number.get() + 1);
        Arc::new(SqliteReadModels::at(dir.path().join(number.get().to_string())))
    };
    checks::run(make);
    checks::sql(make);
}

#[test]
fn read_models_in_memory_pass_the_checks() {
    checks::run(|| Arc::new(SqliteReadModels::in_memory()));
    checks::sql(|| Arc::new(SqliteReadModels::in_memory()));
}

#[test]
fn documents_in_memory_beside_tables_in_a_database_pass_the_checks() {
    let make = || -> Arc<dyn ReadModels> {
        Arc::new(MemoryReadModels::with_sql(Arc::new(SqliteReadModels::in_memory())))
    };
    checks::run(make);
}
