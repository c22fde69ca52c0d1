//! Starts the binary on a free port and speaks HTTP to it.

use crate::described::{Asked, check};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    agent: ureq::Agent,
    stdout: Option<BufReader<ChildStdout>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) content_type: String,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// A run that is to end by itself has so long; only a broken build ever takes it.
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// Each thread of a test keeps its connection.
const CONNECTIONS_MAX: usize = 16;
/// What is waited for is asked for so often, a hundredth of a second apart; only a broken build ever reaches it.
const ASKED_MAX: usize = 6000;

/// Runs the binary to its end. One that goes on, a server that should have been refused, is killed and so
/// has no exit code.
pub(crate) fn factum(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_factum"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = Pid::from_child(&child);
    let (ended, told) = channel();
    let killer = thread::spawn(move || {
        if told.recv_timeout(ENDS_WITHIN) == Err(RecvTimeoutError::Timeout) {
            // It may have ended in this moment.
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop::<Sender<()>>(ended);
    killer.join().unwrap();
    output
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &["--listen", "127.0.0.1:0"])
    }

    /// Started where another one was killed, once that one is gone.
    pub(crate) fn start_after(data: &Path, killed: &Self) -> Self {
        // Not reaped here, for others may hold it: it is gone for the system all the same.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&killed.child)), options).unwrap();
        Self::start(data)
    }

    /// For a test that makes it complain a thousand times.
    pub(crate) fn start_quiet(data: &Path) -> Self {
        Self::spawn(Self::command(data).args(["--listen", "127.0.0.1:0"]).env("FACTUM_LOG", "off"))
    }

    /// Started, with what it says on standard error.
    pub(crate) fn start_listening(data: &Path) -> (Self, ChildStderr) {
        let command = &mut Self::command(data);
        let mut server = Self::spawn(command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped()));
        let stderr = server.child.stderr.take().unwrap();
        (server, stderr)
    }

    pub(crate) fn start_with(data: &Path, args: &[&str]) -> Self {
        Self::spawn(Self::command(data).args(args))
    }

    /// With the lines that it logs kept for [`Self::stop_and_read`].
    pub(crate) fn start_telling(data: &Path, filter: &str) -> Self {
        let command = &mut Self::command(data);
        Self::spawn(
            command.args(["--listen", "127.0.0.1:0"]).env("FACTUM_LOG", filter).stderr(Stdio::piped()),
        )
    }

    fn command(data: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_factum"));
        command.args(["demo", "--data"]).arg(data);
        command
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no address in {line:?}")).trim_end_matches(',').to_owned();
        let agent = ureq::Agent::config_builder().http_status_as_error(false);
        let agent =
            agent.max_idle_connections(CONNECTIONS_MAX).max_idle_connections_per_host(CONNECTIONS_MAX);
        let agent = agent.build().into();
        Self { child, url, agent, stdout: Some(stdout) }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = read(request.call().unwrap());
        check(&Asked { method: "GET", path, body: "" }, &answer);
        answer
    }

    /// The methods that a path takes, as it says when it is asked with one that no path takes.
    pub(crate) fn methods(&self, path: &str) -> BTreeSet<String> {
        let answer = read(self.agent.patch(format!("{}{path}", self.url)).send("").unwrap());
        let allowed = answer.headers.get("allow").map(|value| value.to_str().unwrap()).unwrap_or_default();
        let methods = allowed.split(',').map(|method| method.trim().to_owned());
        methods.filter(|method| !method.is_empty() && method != "HEAD").collect()
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        self.try_send(method, path, &[("Content-Type", "application/json")], body).unwrap()
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let url = format!("{}{path}", self.url);
        let mut request = match method {
            "PUT" => self.agent.put(url),
            "DELETE" => self.agent.delete(url).force_send_body(),
            _ => self.agent.post(url),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = read(request.send(body)?);
        check(&Asked { method, path, body }, &answer);
        Ok(answer)
    }

    /// From here on nobody reads what it prints.
    pub(crate) fn close_output(&mut self) {
        self.stdout = None;
    }

    /// Creates a value and gives its id.
    pub(crate) fn create(&self, value: f64) -> String {
        let answer = self.send("POST", "/values", &format!(r#"{{"value": {value}}}"#));
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.body["value_id"].as_str().unwrap().to_owned()
    }

    /// Changes a value and gives the command's id.
    pub(crate) fn update(&self, id: &str, operation: &str, value: f64) -> String {
        let body = format!(r#"{{"operation": "{operation}", "value": {value}}}"#);
        let answer = self.send("PUT", &format!("/values/{id}"), &body);
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.body["command_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn value(&self, id: &str) -> f64 {
        self.get(&format!("/values/{id}")).body["value"].as_f64().unwrap()
    }

    /// A value that may not be there yet, once it is.
    pub(crate) fn settled(&self, id: &str) -> f64 {
        let path = format!("/values/{id}");
        self.until(&path, |answer| answer.status == 200).body["value"].as_f64().unwrap()
    }

    /// What became of a command, once it is anything but accepted.
    pub(crate) fn outcome(&self, command: &str) -> Value {
        let decided = self.until(&format!("/commands/{command}"), |answer| {
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.body["status"] != "accepted"
        });
        decided.body
    }

    /// Asks again and again until the answer will do.
    fn until(&self, path: &str, done: impl Fn(&Answer) -> bool) -> Answer {
        let mut answer = self.get(path);
        for _ in 0..ASKED_MAX {
            if done(&answer) {
                return answer;
            }
            thread::sleep(Duration::from_millis(10));
            answer = self.get(path);
        }
        panic!("{path} still gives {answer:?}");
    }

    /// Ends it, and gives what it logged.
    pub(crate) fn stop_and_read(&mut self) -> String {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        let mut lines = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut lines).unwrap();
        lines
    }

    /// Ends it as a power cut would, as far as the process can tell.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (location, content_type) = (header("location"), header("content-type").unwrap_or_default());
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.body_mut().read_to_string().unwrap();
    Answer {
        status,
        location,
        content_type,
        headers,
        body: serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone())),
        text,
    }
}
