//! Runs the application as a process of its own: this test binary, told to be the application.

use crate::ledger::application;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{self, Child, ChildStderr, Command, ExitCode, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

/// The words of the command line, as JSON, for the process that is to be the application.
const WORDS: &str = "LEDGER_WORDS";
/// What stands before and after its own output, which the test harness adds to.
const MARK: &str = "\u{1}";

/// What is to end has so long for it; only a broken build ever takes it.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// In the child process the application; without the variable there is nothing to do.
#[test]
fn the_application() {
    let Some(words) = env::var_os(WORDS) else { return };
    let words: Vec<String> = serde_json::from_str(words.to_str().unwrap()).unwrap();
    print!("{MARK}");
    let code = factum_cli::run_from(application(), words.into_iter().map(OsString::from));
    print!("{MARK}");
    let code = [(ExitCode::SUCCESS, 0), (ExitCode::FAILURE, 1), (ExitCode::from(2), 2)]
        .into_iter()
        .find_map(|(known, number)| (known == code).then_some(number));
    process::exit(code.unwrap())
}

/// A variable of the process, and what it says.
pub(crate) type Variable<'a> = Option<(&'a str, &'a Path)>;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// What it printed, of a run that did what it was asked to.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// As JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }

    /// What it said, of a run that was refused.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, &*self.out), (1, ""), "{self:?}");
        self.err
    }
}

/// Ends a process that does not end by itself.
struct Killer {
    ended: Sender<()>,
    kills: JoinHandle<bool>,
}

impl Killer {
    fn of(child: &Child) -> Self {
        let (pid, (ended, told)) = (Pid::from_child(child), channel());
        let kills = thread::spawn(move || {
            let is_late = told.recv_timeout(ENDS_WITHIN) == Err(RecvTimeoutError::Timeout);
            if is_late {
                // It may have ended in this moment.
                let _ = kill_process(pid, Signal::KILL);
            }
            is_late
        });
        Self { ended, kills }
    }

    /// Whether the process, which has ended, did so by itself.
    fn was_idle(self) -> bool {
        drop(self.ended);
        !self.kills.join().unwrap()
    }
}

/// A line of words, `DIR` standing for `data`, and `_` for a space within a word.
pub(crate) fn ledger(data: &Path, line: &str) -> Ended {
    ledger_with(data, line, None)
}

/// The same, with this variable set.
pub(crate) fn ledger_with(data: &Path, line: &str, variable: Variable<'_>) -> Ended {
    let mut command = command(data, line, variable);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let killer = Killer::of(&child);
    let output = child.wait_with_output().unwrap();
    assert!(killer.was_idle(), "it does not end by itself: {line}, {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let out = text.split(MARK).nth(1).unwrap_or_else(|| panic!("{text}")).to_owned();
    Ended { code: output.status.code().unwrap(), out, err: String::from_utf8(output.stderr).unwrap() }
}

fn command(data: &Path, line: &str, variable: Variable<'_>) -> Command {
    let word = |word: &str| word.replace('_', " ").replace("DIR", data.to_str().unwrap());
    let words: Vec<_> = ["ledger"].into_iter().chain(line.split_whitespace()).map(word).collect();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "program::the_application", "--nocapture"]);
    command.env(WORDS, serde_json::to_string(&words).unwrap()).stdin(Stdio::null());
    command.env_remove("RUST_BACKTRACE");
    command.envs(variable);
    command
}

/// A run that has not ended.
pub(crate) struct Running {
    pub(crate) child: Child,
    err: BufReader<ChildStderr>,
}

impl Running {
    pub(crate) fn start(data: &Path, line: &str, variable: Variable<'_>) -> Self {
        let mut command = command(data, line, variable);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err }
    }

    /// The next line on standard error.
    pub(crate) fn told(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).unwrap();
        line
    }

    /// Waits until it has made a file.
    pub(crate) fn makes(&mut self, file: &Path) {
        let is_made = (0..ENDS_WITHIN.as_millis()).any(|_| {
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended without {}", file.display());
            thread::sleep(Duration::from_millis(1));
            file.exists()
        });
        assert!(is_made, "{} is not made", file.display());
    }

    /// As Ctrl-C does; gives how it ended.
    pub(crate) fn interrupt(mut self) -> (i32, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let killer = Killer::of(&self.child);
        let mut rest = String::new();
        self.err.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        assert!(killer.was_idle(), "it goes on: {rest}");
        (status.code().unwrap(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service that runs.
pub(crate) struct Server {
    running: Running,
    pub(crate) url: String,
}

impl Server {
    /// On `data`, unless these further words say otherwise.
    pub(crate) fn start(data: &Path, words: &str, variable: Variable<'_>) -> Self {
        let whose = if words.contains("--data") { "" } else { "--data DIR" };
        let line = format!("serve --listen 127.0.0.1:0 {whose} {words}");
        let mut running = Running::start(data, &line, variable);
        let mut out = BufReader::new(running.child.stdout.take().unwrap());
        let url = loop {
            let mut line = String::new();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended: {}", running.told());
            if let Some(at) = line.find("http://") {
                break line[at..].split([',', ' ']).next().unwrap().to_owned();
            }
        };
        Self { running, url }
    }

    pub(crate) fn stop(self) {
        let (code, err) = self.running.interrupt();
        assert_eq!(code, 0, "{err}");
    }
}
