//! Killed under load, it loses nothing that it acknowledged and repeats nothing when it starts again.

use crate::server::{Server, factum};
use serde_json::Value;
use std::{
    path::Path,
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

const WRITERS: usize = 8;

/// What one writer knows: its value's id, and how many additions of 1 were acknowledged.
struct Written {
    id: String,
    acknowledged: u64,
}

/// Adds 1 until the server is gone.
fn write(server: &Server, started: &Barrier) -> Written {
    let id = server.create(0.0);
    started.wait();
    let mut acknowledged = 0;
    let headers = [("Content-Type", "application/json")];
    let path = format!("/values/{id}");
    while let Ok(answer) = server.try_send("PUT", &path, &headers, r#"{"operation": "ADD", "value": 1}"#) {
        assert_eq!(answer.status, 202);
        acknowledged += 1;
    }
    Written { id, acknowledged }
}

fn count(dir: &Path) -> u64 {
    let output = factum(&["inspect", "--json", dir.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    json["events"].as_u64().unwrap()
}

fn killed_under_load(dir: &Path, after: Duration) {
    let server = Arc::new(Server::start(dir));
    let started = Arc::new(Barrier::new(WRITERS + 1));
    let before = count(dir);
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (server, started) = (Arc::clone(&server), Arc::clone(&started));
            thread::spawn(move || write(&server, &started))
        })
        .collect();
    started.wait();
    thread::sleep(after);
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&server.child),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    let written: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    drop(server);
    let values =
        |server: &Server| -> Vec<f64> { written.iter().map(|written| server.value(&written.id)).collect() };

    let server = Server::start(dir);
    let first = values(&server);
    for (value, written) in first.iter().zip(&written) {
        let known = written.acknowledged as f64;
        assert!(*value == known || *value == known + 1.0, "{value} after {known} acknowledged additions");
    }
    assert!(written.iter().all(|written| written.acknowledged > 0), "the load was under way");
    server.kill();
    let events = count(dir);
    assert_eq!((events - before) as f64, WRITERS as f64 + first.iter().sum::<f64>());

    let server = Server::start(dir);
    assert_eq!(values(&server), first, "a second restart changes no value");
    server.kill();
    assert_eq!(count(dir), events, "a restart appends nothing");
    assert!(factum(&["verify", dir.to_str().unwrap()]).status.success());
}

#[test]
fn s2_24_killed_under_load_it_keeps_every_acknowledged_update_and_repeats_none() {
    let dir = tempfile::tempdir().unwrap();
    for after in [400, 150, 250] {
        killed_under_load(dir.path(), Duration::from_millis(after));
    }
}
