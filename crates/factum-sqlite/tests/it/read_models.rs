//! Read models in files: the checks of every store, and what only a file can meet.

mod files;
mod full;
mod statements;
mod writers;

use factum_event::Value;
use factum_sqlite::SqliteReadModels;
use factum_store::{
    block_on,
    read_models::{
        Checkpoint, CommitError, Document, Listing, MemoryReadModels, ReadModel, ReadModels, Tables, checks,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

const SCHEMA: &str = "create table seats (course text primary key, taken integer not null)";

/// The first build in a directory, made for documents.
fn opened(dir: &Path) -> Arc<dyn ReadModel> {
    let models = SqliteReadModels::at(dir);
    block_on(models.open(&checks::build(), &checks::documents())).unwrap()
}

/// A build for tables of SQL.
fn tables(models: &SqliteReadModels) -> Arc<dyn ReadModel> {
    block_on(models.open(&checks::build(), &Tables::Sql { schema: SCHEMA })).unwrap()
}

/// The file of the first build.
fn file(dir: &Path) -> PathBuf {
    dir.join("roster.1.1.sqlite")
}

fn plain(key: &str, changed_at: u64) -> Document {
    checks::document(key, changed_at, [Value::from(key), Value::Null])
}

/// Keeps these documents, with a checkpoint.
fn keep(model: &dyn ReadModel, documents: Vec<Document>, position: u64) -> Result<(), CommitError> {
    block_on(async {
        let mut tx = model.begin(model.claim().await?.fence).await?;
        tx.put(documents).await?;
        tx.commit(Some(checks::checkpoint(position))).await
    })
}

/// The keys of all documents, and how far the build has come.
fn all(model: &dyn ReadModel) -> (Vec<String>, Option<Checkpoint>) {
    let listing = Listing { limit: usize::MAX, ..Listing::default() };
    let reading = block_on(model.documents(&listing)).unwrap();
    (reading.value.iter().map(|document| document.key.to_string()).collect(), reading.checkpoint)
}

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
