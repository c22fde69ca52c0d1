//! Looking into the data: beside a running server, and for damage.

use crate::server::{Server, factum};
use factum::{
    CommandId, CommandName, CommandPayload, CommandRecord, Condition, Metadata, NewCommit, Outcome,
    Timestamp, Uuid,
    log::{Log, Options},
    store::Append,
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn segment(data: &Path) -> PathBuf {
    let events = data.join("calculator/events");
    let mut segments: Vec<_> = fs::read_dir(events).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
    assert_eq!(segments.len(), 1, "segments stand directly in events/");
    segments.remove(0)
}

#[test]
fn inspect_counts_every_acknowledged_commit_beside_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(2.0);
    server.update(&id, "ADD", 2.0);
    server.outcome(&server.update("ffffffff-ffff-ffff-ffff-ffffffffffff", "ADD", 2.0));
    let output = factum(&["inspect", dir.path().to_str().unwrap(), "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let counts =
        ["events", "commits", "commands", "streams", "head"].map(|name| json[name].as_u64().unwrap());
    assert_eq!(counts, [2, 3, 3, 1, 2]);
    assert_eq!(json["types"]["calculator.value-created"], 1);
    assert_eq!(json["services"]["calculator"]["events"], 2);
    assert!(json["bytes"].as_u64().unwrap() > 300);
    let people = String::from_utf8(factum(&["inspect", dir.path().to_str().unwrap()]).stdout).unwrap();
    assert!(people.contains("calculator") && people.contains("calculator.value-updated"), "{people}");
}

#[test]
fn data_stands_where_it_is_documented_to() {
    let dir = tempfile::tempdir().unwrap();
    Server::start(dir.path()).kill();
    for folder in ["events", "commands", "views"] {
        assert!(dir.path().join("calculator").join(folder).is_dir(), "{folder}");
    }
}

#[test]
fn verify_names_segment_and_offset_of_the_first_damaged_frame() {
    let dir = tempfile::tempdir().unwrap();
    let mut ended = Server::start_telling(dir.path(), "off");
    let id = ended.create(2.0);
    assert_eq!(ended.value(&id), 2.0);
    // One that ends in order leaves no room behind its frames.
    ended.stop_and_read();
    let before = fs::metadata(segment(dir.path())).unwrap().len();
    let server = Server::start_after(dir.path(), &ended);
    server.update(&id, "ADD", 2.0);
    server.outcome(&server.update(&id, "ADD", 3.0));
    server.kill();
    let data = dir.path().to_str().unwrap();
    let sound = factum(&["verify", data]);
    assert!(sound.status.success(), "{sound:?}");
    let path = segment(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    let at = usize::try_from(before).unwrap() + 100;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let damaged = factum(&["verify", data]);
    assert_eq!(damaged.status.code(), Some(1));
    let told = String::from_utf8(damaged.stderr).unwrap();
    assert!(told.contains(path.file_name().unwrap().to_str().unwrap()), "{told}");
    assert!(told.contains(&before.to_string()), "the frame begins at {before}: {told}");
    let refused = factum(&["demo", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(refused.status.code(), Some(1), "damaged data is not served");
}

#[test]
fn verify_names_an_index_file_that_is_damaged_and_says_that_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (data, events) = (dir.path().to_str().unwrap(), dir.path().join("calculator/events"));
    fs::create_dir_all(&events).unwrap();
    let open = || {
        Log::open(&events, Options { segment_bytes: 400, background: false, ..Options::default() }).unwrap()
    };
    let (log, _) = open();
    for n in 1..=9 {
        let command = CommandRecord {
            id: CommandId::new(Uuid::from_u128(n)),
            name: CommandName::new("calculator.nothing").unwrap(),
            payload: CommandPayload::None,
            issued_at: Timestamp::from_micros(0),
            metadata: Metadata::default(),
        };
        let commit = NewCommit { command, outcome: Outcome::Nothing, events: Vec::new() };
        log.append(vec![Append { commit, condition: Condition::none() }]).pop().unwrap().unwrap();
    }
    drop(log);
    assert!(factum(&["verify", data]).status.success());
    let files = fs::read_dir(&events).unwrap().map(|entry| entry.unwrap().path());
    let index = files.into_iter().find(|path| path.extension().is_some_and(|it| it == "idx")).unwrap();
    let mut bytes = fs::read(&index).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&index, bytes).unwrap();
    let damaged = factum(&["verify", data]);
    assert_eq!(damaged.status.code(), Some(1), "{damaged:?}");
    let told = String::from_utf8(damaged.stderr).unwrap();
    let named = format!("the index file {} is not right: ", index.file_name().unwrap().to_str().unwrap());
    assert_eq!(told.matches(&named).count(), 1, "told once: {told}");
    assert!(told.contains("nothing is lost") && !told.contains("byte 0"), "{told}");
    drop(open());
    assert!(factum(&["verify", data]).status.success(), "made anew");
}

#[test]
fn what_is_no_data_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for verb in ["inspect", "verify"] {
        let output = factum(&[verb, dir.path().join("nothing").to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().contains("nothing"));
        let empty = factum(&[verb, dir.path().to_str().unwrap()]);
        assert_eq!(empty.status.code(), Some(1), "{empty:?}");
    }
}

#[test]
fn the_folder_of_one_application_is_looked_into_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(2.0);
    assert_eq!(server.value(&id), 2.0);
    let one = dir.path().join("calculator");
    let output = factum(&["inspect", one.to_str().unwrap(), "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["services"]["calculator"]["events"], 1, "{json}");
    assert!(factum(&["verify", one.to_str().unwrap()]).status.success());
}

#[test]
fn a_reader_that_leaves_does_not_change_what_was_found() {
    let dir = tempfile::tempdir().unwrap();
    Server::start(dir.path()).kill();
    for verb in ["verify", "inspect"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_factum"));
        let mut child = command.arg(verb).arg(dir.path()).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success(), "{verb}");
    }
}
