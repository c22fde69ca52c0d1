//! Killed under load, it loses no command that it acknowledged, decides none twice, and repeats nothing when
//! it starts again.

use crate::server::{Server, factum};
use factum::{
    CommandPayload, Outcome, Position, Sequence, block_on,
    log::{Log, Options},
    store::Store,
};
use factum_testkit::SeededEntropy;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{
        Arc, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

const COMMANDS: usize = 20_000;
const CONNECTIONS: usize = 16;
/// Each is changed about forty times.
const VALUES: usize = 500;
const NOBODY: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// A change, as it is sent.
#[derive(Clone, Debug)]
struct Change {
    id: String,
    operation: &'static str,
    operand: f64,
}

impl Change {
    /// Additions and changes of sign, whose order shows in the result; some overflow, some have no value.
    fn some(random: &SeededEntropy, ids: &[String]) -> Self {
        let below = |bound: usize| usize::try_from(random.next_u64() % bound as u64).unwrap();
        let id = if below(30) == 0 { NOBODY } else { &ids[below(ids.len())] };
        let (operation, operand) = match below(20) {
            0 => ("MULTIPLY", 1e308),
            1..8 => ("MULTIPLY", -1.0),
            _ => ("ADD", 1.0 + below(9) as f64),
        };
        Self { id: id.to_owned(), operation, operand }
    }

    /// The value after it; none if it is refused.
    fn applied_to(&self, value: f64) -> Option<f64> {
        let changed = if self.operation == "ADD" { value + self.operand } else { value * self.operand };
        changed.is_finite().then_some(changed)
    }
}

/// The server of the moment, and how much was acknowledged by all of them.
struct Served {
    server: RwLock<Arc<Server>>,
    acknowledged: AtomicUsize,
}

impl Served {
    fn server(&self) -> Arc<Server> {
        Arc::clone(&self.server.read().unwrap())
    }

    /// Sends it until it is acknowledged, by whichever server; the command.
    fn send(&self, change: &Change, key: &str) -> String {
        let body = format!(r#"{{"operation": "{}", "value": {}}}"#, change.operation, change.operand);
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        loop {
            let path = format!("/values/{}", change.id);
            // None while it is down.
            let Ok(answer) = self.server().try_send("PUT", &path, &headers, &body) else { continue };
            if answer.status == 503 {
                // It says itself that nothing was stored.
                continue;
            }
            assert_eq!(answer.status, 202, "{answer:?}");
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
            return answer.body["command_id"].as_str().unwrap().to_owned();
        }
    }

    /// Kills the server once so many are acknowledged, and starts the next one. Whether somebody still sends.
    fn kill_after<T>(&self, acknowledged: usize, dir: &Path, connections: &[JoinHandle<T>]) -> bool {
        while self.acknowledged.load(Ordering::SeqCst) < acknowledged {
            if connections.iter().all(JoinHandle::is_finished) {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let mut server = self.server.write().unwrap();
        kill_process(Pid::from_child(&server.child), Signal::KILL).unwrap();
        // The directory is free once nobody has a hold of the old one, and it is reaped.
        *server = Arc::new(Server::start_after(dir, &server));
        true
    }
}

/// What one connection sent: each command with the change that it asks for.
fn load(served: &Served, connection: usize, ids: &[String]) -> Vec<(String, Change)> {
    let random = SeededEntropy::new(connection as u64);
    let sent = (0..COMMANDS / CONNECTIONS).map(|number| {
        let change = Change::some(&random, ids);
        let key = format!("{connection}-{number}");
        let command = served.send(&change, &key);
        if number % 50 == 0 {
            assert_eq!(served.send(&change, &key), command, "a repeat is the same command");
        }
        (command, change)
    });
    sent.collect()
}

/// A log as its files tell it.
fn read(dir: &Path) -> Log {
    Log::open_read_only(dir, Options::default()).unwrap().0
}

/// What became of each command, in the order in which the server decided.
fn decided(dir: &Path) -> Vec<(String, Outcome, CommandPayload, usize)> {
    let (log, mut decided, mut after) = (read(dir), Vec::new(), Sequence::START);
    loop {
        let page = block_on(log.commits(after, usize::MAX)).unwrap();
        for commit in page.commits.into_iter().filter(|commit| commit.outcome.is_final()) {
            let id = commit.header.command_id.to_string();
            if !commit.header.command_name.as_str().starts_with("factum.") {
                decided.push((id, commit.outcome, commit.payload, commit.events.len()));
            }
        }
        let Some(next) = page.next else { return decided };
        after = next;
    }
}

/// The outcomes are those of one command after another, in the order of the log, and the values too.
fn judge(dir: &Path, sent: &HashMap<String, Change>, values: &BTreeMap<String, f64>) -> usize {
    let mut folded: BTreeMap<String, f64> = values.keys().map(|id| (id.clone(), 1000.0)).collect();
    let mut places: BTreeMap<&str, Position> = BTreeMap::new();
    let (mut events, mut rejected, mut outcomes) = (0, 0, 0);
    for (id, outcome, payload, count) in decided(&dir.join("calculator/events")) {
        events += count;
        let Some(change) = sent.get(&id) else {
            assert_eq!((&outcome, count), (&Outcome::Succeeded, 1), "only values were made beside: {id}");
            continue;
        };
        outcomes += 1;
        if let CommandPayload::Logged(place) = payload {
            let before = places.insert(&change.id, place);
            assert!(before < Some(place), "{change:?} was decided before what was accepted before it");
        }
        let value = folded.get_mut(&change.id);
        match value.and_then(|value| change.applied_to(*value).map(|changed| *value = changed)) {
            Some(()) => assert_eq!((outcome, count), (Outcome::Succeeded, 1), "{change:?}"),
            None => {
                rejected += 1;
                assert!(matches!(outcome, Outcome::Rejected(_)) && count == 0, "{change:?}: {outcome:?}");
            }
        }
    }
    assert_eq!(outcomes, sent.len(), "each command has one outcome");
    assert_eq!(&folded, values);
    assert!(rejected > COMMANDS / 100, "{rejected} were refused");
    events
}

fn count(dir: &Path) -> usize {
    let output = factum(&["inspect", "--json", dir.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    usize::try_from(json["events"].as_u64().unwrap()).unwrap()
}

#[test]
fn s2_24_killed_under_load_each_acknowledged_command_has_one_outcome_and_the_values_follow() {
    let dir = tempfile::tempdir().unwrap();
    let server = Arc::new(Server::start(dir.path()));
    let ids: Arc<Vec<String>> = Arc::new((0..VALUES).map(|_| server.create(1000.0)).collect());
    ids.iter().for_each(|id| assert_eq!(server.settled(id), 1000.0));
    let served = Arc::new(Served { server: RwLock::new(server), acknowledged: AtomicUsize::new(0) });
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            let (served, ids) = (Arc::clone(&served), Arc::clone(&ids));
            thread::spawn(move || load(&served, connection, &ids))
        })
        .collect();
    let killed = [1, 2].map(|third| served.kill_after(COMMANDS * third / 3, dir.path(), &connections));
    let sent = connections.into_iter().flat_map(|connection| connection.join().unwrap());
    let mut sent: HashMap<String, Change> = sent.collect();
    assert_eq!((sent.len(), killed), (COMMANDS, [true, true]));

    let server = served.server();
    // Commands of a value are decided in order: once the last one is, so are all.
    for id in ids.iter().map(String::as_str).chain([NOBODY]) {
        let last = Change { id: id.to_owned(), operation: "ADD", operand: 1.0 };
        let command = served.send(&last, "last");
        let status = &server.outcome(&command)["status"];
        assert_eq!(status, if id == NOBODY { "rejected" } else { "succeeded" });
        sent.insert(command, last);
    }
    let values: BTreeMap<String, f64> = ids.iter().map(|id| (id.clone(), server.value(id))).collect();
    kill_process(Pid::from_child(&server.child), Signal::KILL).unwrap();
    let server = Server::start_after(dir.path(), &server);
    assert!(values.iter().all(|(id, value)| server.value(id) == *value), "a restart changes no value");
    server.kill();
    assert_eq!(judge(dir.path(), &sent, &values), count(dir.path()), "the events are those of the outcomes");
    assert!(factum(&["verify", dir.path().to_str().unwrap()]).status.success());
}
