//! Shows how much of a copy is done, on standard error, where somebody looks.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};

/// A bar over bytes.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of so many bytes. Hidden where nobody looks.
    pub(crate) fn new(what: &'static str, bytes: u64) -> Self {
        let bar = if stderr().is_terminal() { ProgressBar::new(bytes) } else { ProgressBar::hidden() };
        let style =
            ProgressStyle::with_template("{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {msg}");
        bar.set_style(style.expect("the template is right").progress_chars("=> "));
        Self(bar.with_prefix(what))
    }

    /// What is copied now.
    pub(crate) fn about(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// So many bytes more.
    pub(crate) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
