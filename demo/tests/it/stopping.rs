//! A signal ends the process in good order.

use crate::server::Server;
use rustix::process::{Pid, Signal, kill_process};

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
