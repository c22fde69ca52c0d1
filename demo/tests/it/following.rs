//! Updates over a real socket, across kills and restarts: nothing is missed and nothing is told twice.

use crate::server::Server;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Lines, Write},
    net::TcpStream,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

const WRITERS: usize = 4;
const KILLS: usize = 3;
/// So many updates are read between two kills.
const UPDATES: usize = 150;

/// An open stream of updates.
pub(crate) struct Stream {
    pub(crate) lines: Lines<BufReader<TcpStream>>,
}

/// What was told, and where it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Update {
    id: String,
    event: String,
    data: Value,
}

impl Stream {
    /// Opened once the answer's head is there.
    pub(crate) fn open(server: &Server, path: &str, last_event_id: Option<&str>) -> Self {
        let mut socket = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
        let last = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        // The body of an answer to 1.0 is as it is, and ends with the connection.
        write!(socket, "GET {path} HTTP/1.0\r\nHost: localhost\r\n{last}\r\n").unwrap();
        let mut lines = BufReader::new(socket).lines();
        let status = lines.next().unwrap().unwrap();
        assert!(status.contains(" 200 "), "{status}");
        assert!(lines.by_ref().any(|line| line.unwrap().is_empty()));
        Self { lines }
    }

    /// The next whole block; `None` when the stream ended, in whatever way.
    fn block(&mut self) -> Option<Update> {
        let mut update = Update::default();
        loop {
            let line = self.lines.next()?.ok()?;
            match line.split_once(": ") {
                Some(("id", id)) => update.id = id.to_owned(),
                Some(("event", event)) => update.event = event.to_owned(),
                Some(("data", data)) => update.data = serde_json::from_str(data).ok()?,
                _ if line.is_empty() && !update.id.is_empty() => return Some(update),
                _ => {}
            }
        }
    }
}

/// Reads until the word comes, over all servers that it is given, each time from where it was. It says so
/// whenever it has read so many.
struct Follower {
    path: &'static str,
    last: Option<String>,
    read: Vec<Update>,
}

impl Follower {
    fn new(path: &'static str) -> Self {
        Self { path, last: None, read: Vec::new() }
    }

    fn open(&self, server: &Server) -> Stream {
        Stream::open(server, self.path, self.last.as_deref())
    }

    /// Reads on until the stream ends, or `is_last` says so of an update.
    fn follow(&mut self, mut stream: Stream, enough: &Sender<()>, is_last: impl Fn(&Update) -> bool) {
        let mut count = 0;
        while let Some(update) = stream.block() {
            self.last = Some(update.id.clone());
            if update.data == Value::Null {
                continue;
            }
            let ends = is_last(&update);
            self.read.push(update);
            count += 1;
            if count == UPDATES || ends {
                // Nobody may wait for it any more.
                let _ = enough.send(());
            }
            if ends {
                return;
            }
        }
    }
}

/// Changes values until the server is gone.
fn write(server: &Server, number: usize) {
    let headers = [("Content-Type", "application/json")];
    let nobody = "/values/ffffffff-ffff-ffff-ffff-ffffffffffff";
    for round in 0.. {
        let sent = match (number + round) % 3 {
            0 => server.try_send("PUT", nobody, &headers, r#"{"operation": "ADD", "value": 1}"#),
            _ => server.try_send("POST", "/values", &headers, r#"{"value": 1}"#),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Follows while servers are killed under load, and gives what was told, with the server that is left.
fn followed(dir: &std::path::Path, path: &'static str) -> (Vec<Update>, Server) {
    let mut follower = Follower::new(path);
    let mut server = Arc::new(Server::start(dir));
    for _ in 0..KILLS {
        let stream = follower.open(&server);
        let (enough, told) = channel();
        let writers = (0..WRITERS).map(|number| {
            let server = Arc::clone(&server);
            thread::spawn(move || write(&server, number))
        });
        let writers: Vec<_> = writers.collect();
        let reading = thread::spawn(move || {
            follower.follow(stream, &enough, |_| false);
            follower
        });
        told.recv().unwrap();
        kill_process(Pid::from_child(&server.child), Signal::KILL).unwrap();
        follower = reading.join().unwrap();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        server = Arc::new(Server::start_after(dir, &server));
    }
    // What waits behind others of its key would be decided after the last one.
    while listed(&server, "/commands").iter().any(|command| command["status"] == "accepted") {
        thread::sleep(Duration::from_millis(10));
    }
    let stream = follower.open(&server);
    let answer = server.send("POST", "/values", r#"{"value": 77}"#);
    let last = answer.body["command_id"].as_str().unwrap().to_owned();
    let is_last = |update: &Update| update.data["command_id"] == *last && update.event != "accepted";
    follower.follow(stream, &channel().0, is_last);
    (follower.read, Arc::into_inner(server).unwrap())
}

/// Every item of a list.
fn listed(server: &Server, path: &str) -> Vec<Value> {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("{path}?limit=1000{next}")).body;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return items,
        }
    }
}

#[test]
fn status_updates_go_on_after_kills_with_none_missed_and_none_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let (read, server) = followed(dir.path(), "/commands/updates");
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for update in &read {
        told.entry(update.data["command_id"].as_str().unwrap().to_owned())
            .or_default()
            .push(update.event.clone());
    }
    let commands = listed(&server, "/commands");
    assert_eq!(commands.len(), told.len());
    for command in &commands {
        let status = command["status"].as_str().unwrap().to_owned();
        assert_eq!(told[command["command_id"].as_str().unwrap()], ["accepted".to_owned(), status]);
    }
    assert!(told.values().flatten().any(|event| event == "rejected"));
    assert!(read.len() > KILLS * UPDATES);
}

#[test]
fn events_go_on_after_kills_with_none_missed_and_none_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let (read, server) = followed(dir.path(), "/events/updates");
    let events = listed(&server, "/events");
    assert!(read.iter().map(|update| &update.data).eq(&events), "{} of {}", read.len(), events.len());
    assert!(read.len() > KILLS * UPDATES);
}
