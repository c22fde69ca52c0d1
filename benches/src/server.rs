//! The child process that is measured, as its parent sees it.

use crate::{
    Failure,
    serve::{Kind, Measured, Told},
};
use serde::de::DeserializeOwned;
use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A server that listens. Ends with its value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    told: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// Starts one over empty logs in `dir`, with so many values.
    pub(crate) fn start(kind: Kind, dir: &Path, keys: u64) -> Result<Self, Failure> {
        let mut child = Command::new(env::current_exe()?)
            .args(["serve", &kind.to_string()])
            .arg(dir)
            .arg(keys.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (told, answers) = (child.stdin.take(), child.stdout.take().ok_or("a child without an output")?);
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self { address: unspecified, child, told, answers: BufReader::new(answers) };
        server.address = server.answer()?;
        Ok(server)
    }

    /// A load begins.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.tell(Told::Begin)?;
        self.answer()
    }

    /// Waits until so many commands are decided; what was measured since the load began.
    pub(crate) fn end(&mut self, accepted: u64) -> Result<Measured, Failure> {
        self.tell(Told::End(accepted))?;
        let measured: Measured = self.answer()?;
        if measured.events == accepted {
            return Ok(measured);
        }
        Err(format!("{accepted} commands were accepted, and {} events followed", measured.events).into())
    }

    fn tell(&mut self, told: Told) -> Result<(), Failure> {
        let input = self.told.as_mut().ok_or("a child without an input")?;
        serde_json::to_writer(&mut *input, &told)?;
        Ok(input.write_all(b"\n")?)
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the server ended".into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Without an input it ends.
        self.told = None;
        if let Err(error) = self.child.wait() {
            eprintln!("factum-bench: the server's end was not seen: {error}");
        }
    }
}
