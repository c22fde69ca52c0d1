//! The issue tracker, source 0, over HTTP: each row of it that can be seen from outside, and what the
//! reference got wrong.

mod editing;
mod history;
mod reading;
mod refusals;

use crate::{
    server::{Answer, Server, factum},
    who_is_asking::make,
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt};
use tempfile::TempDir;

/// Who may ask, each with a role.
const USERS: [(&str, &str); 6] = [
    ("ann", "writer"),
    ("bob", "writer"),
    ("cid", "writer"),
    ("dan", "writer"),
    ("mia", "maintainer"),
    ("rob", "reader"),
];

/// An id that nothing has.
const NOBODY: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// A demo that tells its users apart.
struct Tracker {
    server: Server,
    tokens: Vec<(&'static str, String)>,
    dir: TempDir,
}

impl Tracker {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = USERS.map(|(user, role)| (user, make(&[user, role])));
        let entries: Vec<_> = made.iter().map(|(_, made)| made.entry.as_str()).collect();
        let file = dir.path().join("tokens.json");
        fs::write(&file, format!(r#"{{"tokens": [{}]}}"#, entries.join(","))).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let tokens = made.map(|(user, made)| (user, made.token)).into();
        Self { server: Self::serve(&dir), tokens, dir }
    }

    fn serve(dir: &TempDir) -> Server {
        let (data, tokens) = (dir.path().join("data"), dir.path().join("tokens.json"));
        Server::start_with(&data, &["--listen", "127.0.0.1:0", "--tokens", tokens.to_str().unwrap()])
    }

    /// Killed, and started over the same data.
    fn restarted(self) -> Self {
        let Self { server, tokens, dir } = self;
        server.kill();
        Self { server: Self::serve(&dir), tokens, dir }
    }

    fn token(&self, user: &str) -> &str {
        let (_, token) = self.tokens.iter().find(|(name, _)| *name == user).unwrap();
        token
    }

    fn ask(&self, user: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let own = [("Content-Type", "application/json"), ("X-Api-Key", self.token(user))];
        let headers = [&own[..], headers].concat();
        self.server.try_send(method, &format!("/api/issues{path}"), &headers, body).unwrap()
    }

    /// Asked without waiting for the outcome.
    fn send(&self, user: &str, method: &str, path: &str, body: Value) -> Answer {
        self.ask(user, method, path, &[], &body.to_string())
    }

    /// Asked, and the outcome waited for.
    fn wait(&self, user: &str, method: &str, path: &str, body: Value) -> Answer {
        self.ask(user, method, path, &[("Prefer", "wait=60")], &body.to_string())
    }

    /// An issue of ann's: its UUID.
    fn create(&self) -> String {
        let answer = self.wait("ann", "POST", "", issue("Crash", "It crashes", 3));
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// An issue as rob reads it.
    fn get(&self, path: &str) -> Answer {
        self.server.get_with(&format!("/api/issues{path}"), &[("X-Api-Key", self.token("rob"))])
    }

    fn read(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// What is stored of the tracker: commands, events.
    fn stored(&self) -> (u64, u64) {
        let output = factum(&["inspect", "--json", self.dir.path().join("data").to_str().unwrap()]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let counts = &json["services"]["issue-tracker"];
        (counts["commands"].as_u64().unwrap(), counts["events"].as_u64().unwrap())
    }
}

fn issue(title: &str, description: &str, priority: u64) -> Value {
    json!({"title": title, "description": description, "priority": priority})
}

/// The types of the events in an answer to a command.
fn types(answer: &Answer) -> Vec<&str> {
    let events = answer.body["events"].as_array().unwrap();
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// One field of each entry of a history.
fn told<'a>(issue: &'a Value, field: &str) -> Vec<&'a Value> {
    issue["history"].as_array().unwrap().iter().map(|entry| &entry[field]).collect()
}
