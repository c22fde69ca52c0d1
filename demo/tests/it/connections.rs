//! Many clients, and few open files: the server goes on.

use crate::server::Server;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

const GET: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).unwrap()
}

/// With this prefix of a shell line before the server.
fn start_under(limits: &str, data: &Path) -> Server {
    let line = format!("{limits}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_factum"), "demo", "--listen", "127.0.0.1:0", "--data"]);
    Server::spawn(command.arg(data).stderr(Stdio::piped()))
}

#[test]
fn a_server_without_a_file_left_for_a_connection_waits_until_there_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let (server, stderr) = Server::start_listening(dir.path());
    let pid = Some(Pid::from_child(&server.child));
    let before = prlimit(pid, Resource::Nofile, Rlimit { current: Some(1), maximum: None });
    let before = match before {
        Ok(before) => before,
        // Only the privileged may say "no limit" of a hard one: the same then, as it stands.
        Err(_) => {
            let hard = rustix::process::getrlimit(Resource::Nofile).maximum;
            prlimit(pid, Resource::Nofile, Rlimit { current: Some(1), maximum: hard }).unwrap()
        }
    };
    let mut stream = connect(&server);
    stream.write_all(GET).unwrap();
    let told = BufReader::new(stderr).lines().map(Result::unwrap);
    assert!(told.into_iter().any(|line| line.contains("could not take in a connection")));
    prlimit(pid, Resource::Nofile, before).unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[test]
fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let dir = tempfile::tempdir().unwrap();
    let server = start_under("ulimit -Sn 64", dir.path());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let files: Vec<_> =
        limits.lines().find(|line| line.starts_with("Max open files")).unwrap().split_whitespace().collect();
    assert_eq!(files[3], files[4], "{files:?}");
}

#[test]
fn idle_connections_do_not_wedge_a_server_with_few_open_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = start_under("ulimit -n 128", dir.path());
    let mut told = BufReader::new(server.child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let note = "at most 64 connections at once, not 4096: the system allows 128 open files; raise that with `ulimit -n`";
    assert!(told.any(|line| line == note));
    let idle: Vec<_> = (0..63).map(|_| connect(&server)).collect();
    let id = server.create(2.0);
    drop(idle);
    assert_eq!(server.value(&id), 2.0);
}
