//! What the command line prints. A reader that has gone, such as `head`, is no failure of what was told.

use std::io::{self, Write};

/// To standard output, at once.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            note(&format!("not all that was told could be written: {cause}"));
        }
        _ => {}
    }
}

/// A line to standard error, beside the logging, which may be off.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
