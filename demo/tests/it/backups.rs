//! Backups beside a server under load, restored elsewhere.

use crate::server::{Server, factum};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

const WRITERS: usize = 4;
const BACKUPS: usize = 4;

#[track_caller]
fn done(args: &[&str]) -> String {
    let output = factum(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn restored(from: &Path, to: &Path) {
    done(&["restore", from.to_str().unwrap(), "--data", to.to_str().unwrap()]);
}

/// Adds 1 to a value until it is told to stop; each command is noted once it is acknowledged.
fn write(server: &Server, id: &str, acknowledged: &Mutex<Vec<String>>, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let command = server.update(id, "ADD", 1.0);
        acknowledged.lock().unwrap().push(command);
    }
}

#[test]
fn beside_a_server_under_load_a_backup_holds_every_command_that_was_acknowledged_before() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Arc::new(Server::start(&data));
    let ids: Vec<_> = (0..WRITERS).map(|_| server.create(0.0)).collect();
    ids.iter().for_each(|id| assert_eq!(server.settled(id), 0.0));
    let (acknowledged, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = ids
        .iter()
        .map(|id| {
            let (server, id) = (Arc::clone(&server), id.clone());
            let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
            thread::spawn(move || write(&server, &id, &acknowledged, &stop))
        })
        .collect();
    let mut before = Vec::new();
    for number in 0..BACKUPS {
        while acknowledged.lock().unwrap().len() < (number + 1) * 50 {
            thread::yield_now();
        }
        before.push(acknowledged.lock().unwrap().clone());
        let to = dir.path().join(format!("backup-{number}"));
        done(&["backup", data.to_str().unwrap(), to.to_str().unwrap()]);
    }
    // Beside the others one that is added to.
    let grown = dir.path().join("backup-0");
    done(&["backup", data.to_str().unwrap(), grown.to_str().unwrap()]);
    before[0] = before[BACKUPS - 1].clone();
    stop.store(true, Ordering::SeqCst);
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let original: BTreeMap<String, Value> = acknowledged
        .lock()
        .unwrap()
        .iter()
        .map(|command| (command.clone(), server.outcome(command)))
        .collect();
    Arc::into_inner(server).unwrap().kill();

    for (number, before) in before.iter().enumerate() {
        let (from, to) =
            (dir.path().join(format!("backup-{number}")), dir.path().join(format!("again-{number}")));
        done(&["verify", from.to_str().unwrap()]);
        restored(&from, &to);
        let counts = done(&["inspect", "--json", from.join("calculator").to_str().unwrap()]);
        let counts: Value = serde_json::from_str(&counts).unwrap();
        let server = Server::start_quiet(&to);
        for command in before {
            // What was decided by then has the same answer; what waited is decided now, and comes to the same.
            let (now, then) = (server.outcome(command), &original[command]);
            assert_eq!(now["status"], then["status"], "{command}: {now} {then}");
            let (now, mut then) = (&now["events"][0], then["events"][0].clone());
            if then["position"].as_u64() > counts["events"].as_u64() {
                // Commands of several values are decided in any order among each other.
                then["position"] = now["position"].clone();
            }
            assert_eq!(now, &then, "{command}");
        }
        let sum: f64 = ids.iter().map(|id| server.value(id)).sum();
        let events = server.get("/health/ready").body["services"]["calculator"]["position"].clone();
        assert!(sum >= before.len() as f64, "{sum} of {}", before.len());
        assert!(counts["commands"].as_f64().unwrap() >= sum, "nothing came of nothing: {counts} {events}");
        server.kill();
        done(&["verify", to.to_str().unwrap()]);
    }
}

#[test]
fn a_token_of_before_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup, again) =
        (dir.path().join("data"), dir.path().join("backup"), dir.path().join("again"));
    let server = Server::start(&data);
    let opened = server.send("POST", "/accounts", r#"{"owner": "ann"}"#);
    let account = format!("/accounts/{}", opened.body["account_id"].as_str().unwrap());
    let token = opened.headers["factum-position"].to_str().unwrap().to_owned();
    let read = server.get_with(&account, &[("Factum-Position", &token)]);
    assert_eq!(read.status, 200, "{read:?}");
    done(&["backup", data.to_str().unwrap(), backup.to_str().unwrap()]);
    server.kill();
    restored(&backup, &again);
    let server = Server::start(&again);
    let refused = server.get_with(&account, &[("Factum-Position", &token)]);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text.contains("an earlier life of this one: read again without it"), "{refused:?}");
    // One of this life waits until the read model, which is made anew, shows it.
    let more = server.send("POST", &format!("{account}/deposits"), r#"{"amount": 5}"#);
    let token = more.headers["factum-position"].to_str().unwrap().to_owned();
    let anew = server.get_with(&account, &[("Factum-Position", &token)]);
    assert_eq!((anew.status, &anew.body["balance"]), (200, &5.into()), "{anew:?}");
}

#[test]
fn cut_at_a_position_a_service_says_of_what_was_undecided_that_it_failed_as_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup, cut) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("cut"));
    let server = Server::start(&data);
    let id = server.create(0.0);
    assert_eq!(server.settled(&id), 0.0);
    let commands: Vec<_> = (0..20)
        .map(|_| {
            let command = server.update(&id, "ADD", 1.0);
            assert_eq!(server.outcome(&command)["status"], "succeeded");
            command
        })
        .collect();
    done(&["backup", data.to_str().unwrap(), backup.to_str().unwrap()]);
    server.kill();
    let told = done(&[
        "restore",
        backup.to_str().unwrap(),
        "--data",
        cut.to_str().unwrap(),
        "--service",
        "calculator",
        "--until",
        "11",
    ]);
    assert!(told.contains("cut after position 11, ") && told.contains("given up as restored: 10"), "{told}");
    let server = Server::start(&cut);
    assert_eq!(server.value(&id), 10.0);
    for (number, command) in commands.iter().enumerate() {
        let status = server.outcome(command);
        if number < 10 {
            assert_eq!(status["status"], "succeeded", "{status}");
        } else {
            assert_eq!((&status["status"], &status["cause"]), (&"failed".into(), &"restored".into()));
        }
    }
    let next = server.update(&id, "ADD", 100.0);
    assert_eq!(server.outcome(&next)["status"], "succeeded");
    assert_eq!(server.value(&id), 110.0, "none of the others ran");
    server.kill();
    // Started again it is the same: nothing is looked at twice.
    let server = Server::start(&cut);
    assert_eq!(server.value(&id), 110.0);
    assert!(!fs::exists(cut.join("bank/events/00000000000000000001.seg")).unwrap());
}
