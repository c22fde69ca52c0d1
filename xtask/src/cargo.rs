//! Starting cargo: always in the workspace root, never with a terminal to ask questions at.

use crate::{Failure, workspace};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// Cargo, in the workspace root, without stdin.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::root()).stdin(Stdio::null());
    command
}

/// Cargo, in the workspace of the benches, whose folder for what is built is that of the main workspace
/// (`benches/.cargo/config.toml`).
pub(crate) fn cargo_in_benches(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.current_dir(workspace::root().join(workspace::BENCHES));
    command
}

/// Runs it to its end; whether it said all was well.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, Failure> {
    command.status().map(|status| status.success()).map_err(|cause| cannot_run(command, &cause))
}

/// Runs it to its end, hands over each line of its stdout as it comes, and tells whether all was well.
pub(crate) fn for_each_line(command: &mut Command, mut take: impl FnMut(&str)) -> Result<bool, Failure> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|cause| cannot_run(command, &cause))?;
    let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
    let mut lines = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line);
        if read.map_err(|cause| cannot_run(command, &cause))? == 0 {
            break;
        }
        // A test may print bytes that are no text: they are shown as they can be.
        take(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
    }
    child.wait().map(|status| status.success()).map_err(|cause| cannot_run(command, &cause))
}

fn cannot_run(command: &Command, cause: &std::io::Error) -> Failure {
    format!("cannot run {command:?}: {cause}")
}
