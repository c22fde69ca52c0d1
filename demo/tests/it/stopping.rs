//! A signal ends the process in good order.

use crate::{following::Stream, server::Server};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

fn ends_well(signal: Signal) {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    let id = server.create(2.0);
    let pid = Pid::from_child(&server.child);
    kill_process(pid, signal).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert_eq!(Server::start(dir.path()).value(&id), 2.0);
}

#[test]
fn an_interrupt_ends_it_with_code_0() {
    ends_well(Signal::INT);
}

#[test]
fn a_termination_ends_it_with_code_0() {
    ends_well(Signal::TERM);
}

#[test]
fn output_that_nobody_reads_does_not_stop_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    server.close_output();
    let id = server.create(2.0);
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert_eq!(Server::start(dir.path()).value(&id), 2.0);
}

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).unwrap()
}

#[test]
fn a_request_under_way_is_answered_before_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    let mut stream = connect(&server);
    let head = "POST /values HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(br#"{"value""#).unwrap();
    // Once this one is answered, the one above has long been taken in.
    server.create(1.0);
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
    // The listener is closed first: no new request comes in.
    while TcpStream::connect(server.url.trim_start_matches("http://")).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(b": 7}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let id = answer.split("\"value_id\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(Server::start(dir.path()).value(id), 7.0);
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    let mut stream = connect(&server);
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut some = [0; 16];
    stream.read_exact(&mut some).unwrap();
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn open_streams_end_with_it_and_do_not_hold_up_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start_telling(dir.path(), "warn");
    let open = ["/commands/updates", "/events/updates"].map(|path| Stream::open(&server, path, None));
    let lines = server.stop_and_read();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(!lines.contains("still under way"), "{lines}");
    for stream in open {
        let rest: Vec<_> = stream.lines.map(Result::unwrap).filter(|line| !line.is_empty()).collect();
        assert!(rest.len() == 1 && rest[0].starts_with("id: "), "{rest:?}");
    }
}
