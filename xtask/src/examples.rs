//! Example programs are promises to readers: each is run, must end by itself, and must succeed.
//!
//! Only `examples/` targets are run. A reference service serves until it is stopped; its own tests start it.

use crate::{
    Failure,
    cargo::{cargo, for_each_line},
    stopwatch::Stopwatch,
    summary::Summary,
};
use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// Longest that an example program may run.
const EXAMPLE_RUN_MAX: Duration = Duration::from_secs(60);
/// How often a running one is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Builds and runs every example program and adds each to `summary`.
pub(crate) fn run(summary: &mut Summary) -> Result<(), Failure> {
    let mut programs = Vec::new();
    let mut build =
        cargo(&["build", "--workspace", "--examples", "--message-format=json-render-diagnostics"]);
    let built = for_each_line(&mut build, |line| programs.extend(program(line)))?;
    if !built {
        println!("example programs do not build");
        summary.program(false);
    }
    programs.sort();
    for (name, path) in programs {
        let end = run_one(Path::new(&path));
        match &end {
            Ok(()) => println!("example {name} ... ok"),
            Err(why) => println!("example {name} ... FAILED: {why}"),
        }
        summary.program(end.is_ok());
    }
    Ok(())
}

/// The name and the path of the program, when cargo's message is about an example that was built.
fn program(message: &str) -> Option<(String, String)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let target = &message["target"];
    let is_example = target["kind"].as_array()?.iter().any(|kind| kind == "example");
    let (name, path) = (target["name"].as_str()?, message["executable"].as_str()?);
    is_example.then(|| (name.to_owned(), path.to_owned()))
}

fn run_one(path: &Path) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let mut child = Command::new(path)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|cause| format!("cannot start {}: {cause}", path.display()))?;
    loop {
        let ended = child.try_wait().map_err(|cause| format!("cannot wait for it: {cause}"))?;
        match ended {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(status.to_string()),
            None if watch.elapsed() > EXAMPLE_RUN_MAX => {
                // It may have ended by itself just now; either way it took too long.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it still ran after {} s", EXAMPLE_RUN_MAX.as_secs()));
            }
            None => sleep(POLL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_example_programs_are_taken() {
        let message = |kind: &str, executable: &str| {
            format!(r#"{{"target":{{"kind":["{kind}"],"name":"hello"}},"executable":{executable}}}"#)
        };
        let taken = Some(("hello".to_owned(), "/t/hello".to_owned()));
        assert_eq!(program(&message("example", r#""/t/hello""#)), taken);
        assert_eq!(program(&message("bin", r#""/t/hello""#)), None);
        assert_eq!(program(&message("example", "null")), None);
        assert_eq!(program("not json"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_is_a_failure() {
        assert_eq!(run_one(Path::new("/bin/true")), Ok(()));
        assert!(run_one(Path::new("/bin/false")).is_err());
    }
}
