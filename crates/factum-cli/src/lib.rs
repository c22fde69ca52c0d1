//! The command line of an application. `run` gives every application the same verbs under its own binary:
//! serve it, look into its data, verify it, back it up and restore it, drive its read models, make a token.

mod admin;
mod application;
mod audit_log;
mod backup;
mod commands;
mod inspect;
mod layout;
mod log_sizes;
mod open_files;
mod projections;
mod restore;
mod say;
mod serve;
mod table;
mod token;
mod tracing;
mod verify;

pub use self::tracing::log_to_stderr;
pub use application::{Application, run, run_from};
