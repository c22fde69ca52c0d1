//! What is kept in SQLite beside a log: snapshots of models, and read models. All of it follows from the log and
//! may be deleted between two starts.
//!
//! Never a truth, and nothing of SQLite shows outside: a caller sees the ports of [`factum_store`].

mod database;
mod read_models;
mod snapshots;

pub use read_models::{Sqlite, SqliteReadModels};
pub use snapshots::SqliteSnapshots;
