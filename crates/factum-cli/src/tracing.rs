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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process::Command};

    const CHILD: &str = "FACTUM_CLI_LOGGING_CHILD";

    /// In the child process the one that logs; without the variable there is nothing to say.
    #[test]
    fn a_process_logs() {
        if env::var_os(CHILD).is_some() {
            log_to_stderr();
            ::tracing::warn!("the disk is slow");
        }
    }

    #[test]
    fn what_is_logged_to_a_pipe_has_no_colours() {
        let logged = Command::new(env::current_exe().unwrap())
            .args(["--exact", "tracing::tests::a_process_logs", "--nocapture"])
            .env(CHILD, "1")
            .env_remove("NO_COLOR")
            .env_remove("FACTUM_LOG")
            .output()
            .unwrap();
        let text = String::from_utf8(logged.stderr).unwrap();
        assert!(text.contains("the disk is slow"), "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}
