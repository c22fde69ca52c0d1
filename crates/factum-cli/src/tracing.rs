//! Logging, for a `main` to switch on. A library never does.

use std::io::{IsTerminal, stderr};
use tracing_subscriber::{EnvFilter, fmt};

/// Logs to standard error: warnings and more, or what the variable `FACTUM_LOG` says (`info`,
/// `factum=debug`, ...). Does nothing if the process logs already.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("FACTUM_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    // A second call finds the subscriber of the first: nothing to do.
    // Colours are for eyes: a file or a journal gets plain text.
    let colours = stderr().is_terminal();
    let _ = fmt().with_env_filter(filter).with_ansi(colours).with_writer(stderr).try_init();
}
