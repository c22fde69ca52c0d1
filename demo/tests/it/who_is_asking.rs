//! With `--tokens`, who may do what; and how much is taken on.

use crate::server::{Answer, Server, factum};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

const LOOPBACK: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// A folder with a file of tokens, and beside it the data.
struct Place {
    dir: TempDir,
    tokens: Vec<(&'static str, String)>,
}

/// What `factum token` printed.
pub(crate) struct Made {
    pub(crate) token: String,
    pub(crate) entry: String,
}

pub(crate) fn make(args: &[&str]) -> Made {
    let output = factum(&[&["token"], args].concat());
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |label: &str| text.lines().find_map(|line| line.strip_prefix(label)).unwrap().to_owned();
    Made { token: line("token: "), entry: line("entry: ") }
}

impl Place {
    /// With a token for an actor of each of these roles, who is called like the role, and for `other`, a writer.
    fn new() -> Self {
        let roles =
            [("writer", "writer"), ("other", "writer"), ("reader", "reader"), ("operator", "operator")];
        let made = roles.map(|(actor, role)| (actor, make(&[actor, role])));
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
            tokens: made.iter().map(|(actor, made)| (*actor, made.token.clone())).collect(),
        };
        let entries: Vec<_> = made.iter().map(|(_, made)| made.entry.as_str()).collect();
        place.write(&format!(r#"{{"tokens": [{}]}}"#, entries.join(",\n")));
        place
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
        // Whatever mask these tests run under.
        fs::set_permissions(self.file(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("tokens.json")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn start(&self, more: &[&str]) -> Server {
        let file = self.file();
        Server::start_with(&self.data(), &[more, &["--tokens", file.to_str().unwrap()]].concat())
    }

    fn bearer(&self, actor: &str) -> String {
        let (_, token) = self.tokens.iter().find(|(name, _)| *name == actor).unwrap();
        format!("Bearer {token}")
    }

    fn create(&self, server: &Server, actor: &str) -> Answer {
        let bearer = self.bearer(actor);
        let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
        server.try_send("POST", "/values", &headers, r#"{"value": 3}"#).unwrap()
    }

    fn get(&self, server: &Server, actor: &str, path: &str) -> Answer {
        server.get_with(path, &[("Authorization", &self.bearer(actor))])
    }

    /// What is in the audit, a JSON object a line.
    fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.data().join("audit.log")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn stored(data: &Path) -> (u64, u64) {
    let output = factum(&["inspect", "--json", data.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    (json["commands"].as_u64().unwrap(), json["events"].as_u64().unwrap())
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

fn is(answer: &Answer, status: u16, problem: &str) -> bool {
    let problem_type = format!("urn:factum:problem:{problem}");
    answer.status == status
        && answer.content_type == "application/problem+json"
        && answer.body["type"] == problem_type
}

#[test]
fn without_a_token_it_is_401_and_nothing_is_stored() {
    let place = Place::new();
    let server = place.start(&LOOPBACK);
    for answer in [
        server.send("POST", "/values", r#"{"value": 3}"#),
        server.get("/"),
        server.get_with("/values/00000000-0000-0000-0000-000000000001", &[("X-Api-Key", "factum_00")]),
    ] {
        assert!(is(&answer, 401, "unauthenticated"), "{answer:?}");
        assert_eq!(header(&answer, "www-authenticate"), Some("Bearer"));
    }
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(stored(&place.data()), (0, 0));
    let created = place.create(&server, "writer");
    assert_eq!(created.status, 202);
    let path = format!("/values/{}", created.body["value_id"].as_str().unwrap());
    assert_eq!(place.get(&server, "writer", &path).status, 200);
    assert_eq!(stored(&place.data()), (1, 1));
}

#[test]
fn what_no_role_allows_is_403_with_an_entry_in_the_audit_and_no_event() {
    let place = Place::new();
    let server = place.start(&LOOPBACK);
    let denied = place.create(&server, "reader");
    assert!(is(&denied, 403, "denied"), "{denied:?}");
    let detail = denied.body["detail"].as_str().unwrap();
    assert!(detail.contains("calculator.create-value") && detail.contains("`writer`"), "{detail}");
    assert_eq!(stored(&place.data()), (0, 0));
    server.kill();
    let server = place.start(&LOOPBACK);
    place.create(&server, "operator");
    let audit = place.audit();
    let told =
        |nth: usize| ["actor", "action", "method", "path"].map(|name| audit[nth][name].as_str().unwrap());
    assert_eq!(audit.len(), 2, "a kill and a restart take nothing of it");
    assert_eq!(told(0), ["reader", "calculator.create-value", "POST", "/values"]);
    assert_eq!(told(1), ["operator", "calculator.create-value", "POST", "/values"]);
    assert!(audit[0]["reason"].as_str().unwrap().contains("`writer`"));
    assert!(audit[0]["at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(stored(&place.data()), (0, 0));
}

#[test]
fn the_calculators_rules_are_kept() {
    let place = Place::new();
    let server = place.start(&LOOPBACK);
    let made = place.create(&server, "writer");
    let value = format!("/values/{}", made.body["value_id"].as_str().unwrap());
    for actor in ["writer", "other", "reader", "operator"] {
        assert_eq!(place.get(&server, actor, &value).status, 200, "{actor}");
    }
    for (actor, status) in [("writer", 202), ("other", 202), ("reader", 403), ("operator", 403)] {
        let bearer = place.bearer(actor);
        let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
        let answer = server.try_send("PUT", &value, &headers, r#"{"operation": "ADD", "value": 1}"#).unwrap();
        assert_eq!(answer.status, status, "{actor}");
    }
    assert_eq!(place.get(&server, "reader", &value).body["value"], 5.0);
}

#[test]
fn the_banks_rules_are_kept() {
    let place = Place::new();
    let server = place.start(&LOOPBACK);
    let open = |actor: &str| {
        let bearer = place.bearer(actor);
        let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
        server.try_send("POST", "/accounts", &headers, r#"{"owner": "ann"}"#).unwrap()
    };
    let account = format!("/accounts/{}", open("writer").body["account_id"].as_str().unwrap());
    for (actor, status) in [("other", 201), ("reader", 403), ("operator", 403)] {
        assert_eq!(open(actor).status, status, "{actor}");
    }
    for path in ["", "/history", "/statements/2026-11"] {
        for actor in ["writer", "other", "reader", "operator"] {
            assert_eq!(place.get(&server, actor, &format!("{account}{path}")).status, 200, "{actor}");
        }
    }
    assert_eq!(place.get(&server, "reader", &format!("{account}/history")).body[0]["actor"], "writer");
}

#[test]
fn a_sender_sees_their_own_commands_and_an_operator_everybodys() {
    let place = Place::new();
    let server = place.start(&LOOPBACK);
    let created = place.create(&server, "writer");
    let (path, id) = (created.location.unwrap(), created.body["value_id"].as_str().unwrap());
    assert_eq!(place.get(&server, "writer", &format!("/values/{id}")).body["value"], 3.0);
    let own = place.get(&server, "writer", &path);
    assert_eq!((own.status, &own.body["actor"]), (200, &Value::from("writer")));
    assert_eq!(place.get(&server, "operator", &path).body, own.body);
    let others = place.get(&server, "other", &path);
    assert!(is(&others, 404, "not-found"), "{others:?}");
}

#[test]
fn with_tokens_it_listens_anywhere() {
    let place = Place::new();
    let server = place.start(&["--listen", "0.0.0.0:0"]);
    let port = server.url.rsplit_once(':').unwrap().1.to_owned();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let bearer = place.bearer("reader");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: calculator.example\r\nAuthorization: {bearer}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_file_of_tokens_that_is_not_of_the_form_is_refused_with_the_entry_and_nothing_is_made() {
    let place = Place::new();
    let good = make(&["ann", "writer"]);
    let secret = good.token.as_str();
    for (text, named) in [
        ("nonsense".to_owned(), "not JSON"),
        (r#"{"tokens": []}"#.to_owned(), "`tokens`"),
        (
            format!(r#"{{"tokens": [{}, {{"actor": "bob", "roles": ["writer"]}}]}}"#, good.entry),
            "`tokens[1].sha256`",
        ),
        (
            format!(
                r#"{{"tokens": [{}, {{"actor": "bob", "roles": ["writer"], "sha256": "{secret}"}}]}}"#,
                good.entry
            ),
            "`tokens[1].sha256`",
        ),
        (good.entry.replace("\"actor\"", "\"aktor\""), "unknown field"),
    ] {
        place.write(&text);
        let file = place.file();
        let data = place.data();
        let output = factum(&[
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--data",
            data.to_str().unwrap(),
            "--tokens",
            file.to_str().unwrap(),
        ]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(told.contains(named) && told.contains("tokens.json"), "{told}");
        assert!(!told.contains(secret), "{told}");
        assert!(!data.exists(), "nothing was made");
    }
}

#[test]
fn no_token_is_ever_logged() {
    let place = Place::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_factum"));
    command.args(["demo", "--listen", "127.0.0.1:0", "--data"]).arg(place.data());
    command.arg("--tokens").arg(place.file()).env("FACTUM_LOG", "trace").stderr(Stdio::piped());
    let mut server = Server::spawn(&mut command);
    let mut stderr = server.child.stderr.take().unwrap();
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    place.create(&server, "writer");
    place.create(&server, "reader");
    server.get_with("/", &[("X-Api-Key", "factum_nobody-has-this-one")]);
    server.kill();
    let logged = read.join().unwrap().unwrap();
    assert!(logged.contains("factum::audit") && logged.contains("calculator.create-value"), "{logged}");
    for (_, token) in &place.tokens {
        assert!(!logged.contains(&token[7..]), "{logged}");
    }
    assert!(!logged.contains("nobody-has-this-one"), "{logged}");
}

#[test]
fn an_actor_over_the_rate_is_told_to_come_back() {
    let place = Place::new();
    let server = place.start(&[&LOOPBACK[..], &["--rate-limit", "1/s"]].concat());
    let over =
        (0..100).map(|_| place.get(&server, "reader", "/")).find(|answer| answer.status != 200).unwrap();
    assert!(is(&over, 429, "too-many"), "{over:?}");
    assert_eq!(header(&over, "retry-after"), Some("1"));
}

#[test]
fn one_request_more_than_are_taken_on_is_shed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), &[&LOOPBACK[..], &["--in-flight", "1"]].concat());
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head = "POST /values HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\
                Expect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert!(told.starts_with(b"HTTP/1.1 100"), "its body is being read");
    let shed = server.get("/");
    assert!(is(&shed, 503, "unavailable"), "{shed:?}");
    assert_eq!(header(&shed, "retry-after"), Some("1"));
    stream.write_all(br#"{"value": 7}"#).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(server.get("/").status, 200);
    assert!(!dir.path().join("audit.log").exists(), "without tokens nobody can be denied");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for args in [
        &["demo", "--rate-limit", "5"][..],
        &["demo", "--rate-limit", "0/s"],
        &["demo", "--in-flight", "0"],
        &["token", "ann"],
        &["token", "ann", "Writer"],
    ] {
        assert_eq!(factum(args).status.code(), Some(2), "{args:?}");
    }
}
