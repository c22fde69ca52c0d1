//! The command line of an application. `run` gives every application the same verbs under its own binary:
//! serve it, look into its data, verify its data, make a token.

mod application;
mod audit_log;
mod inspect;
mod layout;
mod open_files;
mod say;
mod serve;
mod token;
mod tracing;
mod verify;

pub use self::tracing::log_to_stderr;
pub use application::{Application, run};
