//! Backups are taken and restored; what is of another life, unfinished or changed is recognised.

use crate::{
    ledger::{AccountId, Audit, Enter, POISON, POISONOUS, bank, enter, open_bank, patiently},
    program::{Running, Server, ledger, ledger_with},
};
use factum::{App, CommandId, Status, block_on};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

const ANN: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

/// The bank in `data`, taking commands in and deciding none.
fn at_rest(data: &Path) -> App {
    patiently(|| block_on(bank(App::embedded(data.join("bank"))).start_at_rest()))
}

/// Accepts entries in `data` that nobody decides yet.
fn accept(data: &Path, entries: impl IntoIterator<Item = (AccountId, i64)>) -> Vec<CommandId> {
    let app = at_rest(data);
    block_on(async {
        let mut ids = Vec::new();
        for (account, cents) in entries {
            ids.push(app.submit(Enter(account, cents)).await.unwrap().command_id());
        }
        app.stop().await;
        ids
    })
}

/// Has everything that waits in `data` decided, and tells how each of these stands then.
fn decided(data: &Path, ids: &[CommandId]) -> Vec<Status> {
    let app = open_bank(data);
    block_on(async {
        let mut all = Vec::new();
        for id in ids {
            let lanes = app.lanes().unwrap();
            all.push(lanes.outcome(*id).await.unwrap().status);
        }
        app.stop().await;
        all
    })
}

fn status(data: &Path, id: CommandId) -> (Status, Option<String>) {
    let app = at_rest(data);
    let status = block_on(app.status(id)).unwrap().unwrap();
    block_on(app.stop());
    (status.status, status.cause)
}

fn inspected(data: &Path) -> Value {
    ledger(data, "inspect DIR --json").json()
}

/// The command log of a bank, told apart by how many commits it has.
fn commits(data: &Path) -> u64 {
    inspected(data)["commits"].as_u64().unwrap()
}

#[test]
fn what_is_restored_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    enter(&data, "shop", 1..=3);
    let done = accept(&data, (1..=200).map(|cents| (ANN, cents)));
    assert!(decided(&data, &done).iter().all(|status| *status == Status::Succeeded));
    let parked = block_on(async {
        let app = open_bank(&data);
        let parked = app.submit(Audit(BOB)).await.unwrap();
        assert_eq!(parked.outcome().await.unwrap().status, Status::Parked);
        let id = parked.command_id();
        app.stop().await;
        id
    });
    let waiting = accept(&data, [(ANN, 7), (ANN, 8)]);
    let told = ledger(root, "backup DIR/data DIR/backup").done();
    assert!(told.starts_with("backed up bank, shop: 203 events, ") && told.lines().count() == 1, "{told}");
    assert!(ledger(root, "verify DIR/backup").done().contains("whole: the backup of bank, shop"));
    let told = ledger(root, "restore DIR/backup --data DIR/again");
    assert!(told.err.contains("tokens of before are refused"), "{told:?}");
    assert!(told.done().starts_with("restored bank, shop: 203 events, "));
    let again = root.join("again");
    assert!(ledger(&again, "verify DIR").done().lines().all(|line| line.contains("whole, ")));

    let before = commits(&again);
    assert_eq!(status(&again, waiting[0]).0, Status::Accepted);
    assert_eq!(decided(&again, &waiting), [Status::Succeeded; 2]);
    let counted = inspected(&again);
    assert_eq!((&counted["events"], &counted["waiting"]), (&205.into(), &1.into()), "{counted}");
    // Two outcomes, and nothing for any of the commands that were decided before.
    assert_eq!(commits(&again), before + 2, "nothing is looked at again");
    assert_eq!(status(&again, parked).0, Status::Parked);
    let told = ledger(&again, &format!("commands discard {parked} --cause he_left --data DIR")).done();
    assert!(told.contains("is given up"), "{told}");
}

#[test]
fn what_is_not_running_is_restored_without_a_backup() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    let ids = accept(&data, (1..=5).map(|cents| (ANN, cents)));
    decided(&data, &ids);
    ledger(root, "restore DIR/data --data DIR/again").done();
    assert_eq!(inspected(&root.join("again"))["events"], 5);
    let app = open_bank(&data);
    let told = ledger(root, "restore DIR/data --data DIR/more").refused();
    assert!(told.contains("a service is running on") && told.contains("backup DIR TO"), "{told}");
    let told = ledger(root, "restore DIR/again --data DIR/data").refused();
    assert!(told.contains("a service is running on") && told.contains("stop it"), "{told}");
    block_on(app.stop());
    drop(app);
    let told = ledger(root, "restore DIR/again --data DIR/data").refused();
    assert!(told.contains("nothing is restored over it"), "{told}");
    assert!(!root.join("more").exists(), "nothing was begun");
}

#[test]
fn cut_at_a_position_what_was_undecided_there_is_failed_and_never_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    enter(&data, "shop", 1..=3);
    let first = accept(&data, (1..=10).map(|cents| (ANN, cents)));
    decided(&data, &first);
    let (stuck, behind) = block_on(async {
        let app = open_bank(&data);
        let stuck = app.submit(Audit(BOB)).await.unwrap();
        assert_eq!(stuck.outcome().await.unwrap().status, Status::Parked);
        let behind = app.submit(Audit(BOB)).await.unwrap().command_id();
        let stuck = stuck.command_id();
        app.stop().await;
        (stuck, behind)
    });
    let later = accept(&data, (11..=20).map(|cents| (ANN, cents)));
    decided(&data, &later);
    let waiting = accept(&data, [(ANN, 100), (BOB, 100)]);
    ledger(root, "backup DIR/data DIR/backup").done();
    let told = ledger(root, "restore DIR/backup --data DIR/cut --service bank --until 15").done();
    let lines: Vec<_> = told.lines().collect();
    assert!(lines[0].starts_with("bank: the events are cut after position 15, commit "), "{told}");
    assert_eq!(
        lines[1], "bank: commands given up as restored: 9",
        "five later ones, two parked, two waiting"
    );
    let cut = root.join("cut");
    assert!(!cut.join("shop").exists(), "it was not asked for");
    ledger(&cut, "verify DIR").done();

    // Which of them were decided by then is up to the lanes; each is either decided or given up.
    let app = at_rest(&cut);
    let statuses = later.iter().map(|id| block_on(app.status(*id)).unwrap().unwrap());
    let (kept, failed): (Vec<_>, Vec<_>) = statuses.partition(|status| status.status == Status::Succeeded);
    assert_eq!((kept.len(), failed.len()), (5, 5));
    assert!(
        failed.iter().all(|one| one.status == Status::Failed && one.cause.as_deref() == Some("restored"))
    );
    block_on(app.stop());
    drop(app);
    for id in waiting.iter().chain([&stuck, &behind]) {
        assert_eq!(status(&cut, *id), (Status::Failed, Some("restored".to_owned())), "{id}");
    }
    assert_eq!(ledger(&cut, "commands parked --data DIR").done(), "no command is parked\n");
    let before = commits(&cut);
    let next = accept(&cut, [(ANN, 1000), (BOB, 1000)]);
    assert_eq!(decided(&cut, &next), [Status::Succeeded; 2], "nothing holds a key back");
    let counted = inspected(&cut);
    assert_eq!((&counted["events"], &counted["waiting"]), (&17.into(), &0.into()), "{counted}");
    // Acceptance is not counted here: one outcome for each of the two.
    assert_eq!(commits(&cut), before + 2, "none of those given up is looked at again");
}

#[test]
fn a_service_is_restored_into_data_that_has_others() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    enter(&data, "shop", 1..=3);
    enter(&data, "bank", 1..=4);
    ledger(root, "backup DIR/data DIR/backup").done();
    enter(&data, "shop", [4]);
    enter(&data, "bank", [5]);
    let told = ledger(root, "restore DIR/backup --data DIR/data --service bank --until 2").refused();
    assert!(told.contains("nothing is restored over it") && told.contains("data/bank"), "{told}");
    fs::rename(data.join("bank"), root.join("aside")).unwrap();
    ledger(root, "restore DIR/backup --data DIR/data --service bank --until 2").done();
    let services = &inspected(&data)["services"];
    assert_eq!((&services["bank"]["events"], &services["shop"]["events"]), (&2.into(), &4.into()));
    for (words, why) in [
        ("--service bank --until 5", "end at position 4: --until 5 is beyond them"),
        ("--service bnak", "there is no service `bnak`"),
    ] {
        let told = ledger(root, &format!("restore DIR/backup --data DIR/other {words}")).refused();
        assert!(told.contains(why), "{told}");
    }
    let told = ledger(root, "restore DIR/backup --data DIR/other --until 5");
    assert_eq!(told.code, 2, "{told:?}");
    assert!(!root.join("other").exists());
}

fn sum(data: &Path) -> i64 {
    let app = open_bank(data);
    block_on(async {
        let head = app.store().head().await.unwrap().position;
        let within = std::time::Duration::from_secs(60);
        assert!(app.projections().reached("sums", head, within).await.unwrap());
        let sums = app.documents::<crate::ledger::Sums>().get(&ANN).await.unwrap();
        let cents = sums.document.map_or(0, |sums| sums.cents);
        app.stop().await;
        cents
    })
}

#[test]
fn a_read_model_of_another_life_is_never_gone_on_from() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    enter(&data, "bank", [1, 2, 3, 4]);
    assert_eq!(sum(&data), 10);
    ledger(root, "backup DIR/data DIR/backup").done();
    ledger(root, "restore DIR/backup --data DIR/cut --service bank --until 2").done();
    let cut = root.join("cut");
    // What a careless hand might do: the read models of before, which hold up to position 4.
    fs::remove_dir_all(cut.join("bank/views")).unwrap();
    fs::create_dir(cut.join("bank/views")).unwrap();
    for entry in fs::read_dir(data.join("bank/views")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), cut.join("bank/views").join(entry.file_name())).unwrap();
    }
    // As far as before, and further: by its position alone nobody would notice.
    enter(&cut, "bank", [100, 200, 300]);
    assert_eq!(sum(&cut), 603);
}

#[test]
fn what_was_denied_and_what_was_said_of_projections_comes_along() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    enter(&data, "bank", [1, POISON, 2]);
    let poisonous = Some((POISONOUS, Path::new("1")));
    ledger_with(root, "projections rebuild bank/sums --data DIR/data", poisonous).done();
    ledger_with(root, "projections discard bank/sums 2 key/1 --cause unlucky --data DIR/data", poisonous)
        .done();
    ledger(root, "projections pause bank/counts --data DIR/data").done();
    fs::write(data.join("audit.log.1"), "{\"old\":1}\n").unwrap();
    fs::write(data.join("audit.log"), "{\"new\":1}\n{\"torn").unwrap();
    ledger(root, "backup DIR/data DIR/backup").done();
    ledger(root, "restore DIR/backup --data DIR/again").done();
    let again = root.join("again");
    assert_eq!(fs::read_to_string(again.join("audit.log.1")).unwrap(), "{\"old\":1}\n");
    assert_eq!(fs::read_to_string(again.join("audit.log")).unwrap(), "{\"new\":1}\n");
    let server = Server::start(&again, "", None);
    let paused = format!("projections status bank/counts --json --url {}", server.url);
    assert_eq!(ledger(&again, &paused).json()["status"], "paused");
    server.stop();
    let state = |name: &str| ledger(&again, &format!("projections status {name} --json --data DIR")).json();
    let discarded = &state("bank/sums")["discarded"][0];
    assert_eq!((&discarded["position"], &discarded["cause"]), (&2.into(), &"unlucky".into()), "{discarded}");
    let parked = ledger_with(&again, "projections rebuild bank/sums --data DIR", poisonous);
    parked.done();
    assert_eq!(state("bank/sums")["parked"], 0, "what was given up is not parked again");
    // Of what is not in a copy nothing is said.
    ledger(root, "restore DIR/backup --data DIR/cut --service bank --until 1").done();
    let cut = ledger(&root.join("cut"), "projections status bank/sums --json --data DIR").json();
    assert_eq!(cut["discarded"], Value::Array(Vec::new()));
}

/// A backup of two services, and the files that its manifest names.
fn backup(root: &Path) -> Vec<PathBuf> {
    let data = root.join("data");
    enter(&data, "shop", 1..=3);
    let ids = accept(&data, (1..=5).map(|cents| (ANN, cents)));
    decided(&data, &ids);
    fs::write(data.join("audit.log"), "{\"new\":1}\n").unwrap();
    ledger(root, "backup DIR/data DIR/backup").done();
    let mut files = Vec::new();
    let mut dirs = vec![root.join("backup")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            match entry.file_name().to_str().unwrap() {
                // The one is not believed, the other says what the others are.
                "head" | "backup.json" => {}
                _ if entry.path().is_dir() => dirs.push(entry.path()),
                _ => files.push(entry.path()),
            }
        }
    }
    files
}

#[test]
fn a_byte_that_changed_in_any_file_of_a_backup_is_noticed_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let files = backup(root);
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        let whole = fs::read(&file).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        for (bytes, why) in [(&changed[..], "not those that were written"), (&whole[1..], "were written")] {
            fs::write(&file, bytes).unwrap();
            for line in ["restore DIR/backup --data DIR/again", "backup --check DIR/backup"] {
                let told = ledger(root, line).refused();
                assert!(told.contains(file.to_str().unwrap()) && told.contains(why), "{line}: {told}");
            }
            assert_ne!(ledger(root, "verify DIR/backup").code, 0);
        }
        fs::remove_file(&file).unwrap();
        let told = ledger(root, "restore DIR/backup --data DIR/again").refused();
        assert!(told.contains(file.to_str().unwrap()), "{told}");
        fs::write(&file, whole).unwrap();
    }
    assert!(!root.join("again").exists());
    ledger(root, "restore DIR/backup --data DIR/again").done();
}

#[test]
fn a_backup_that_was_killed_is_no_backup() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    enter(&data, "bank", 1..=10);
    // Whoever reads it waits, after the logs and before the end.
    mknodat(CWD, data.join("audit.log"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let mut running = Running::start(root, "backup DIR/data DIR/backup", None);
    running.makes(&root.join("backup/bank/events/meta"));
    let told = ledger(root, "backup DIR/data DIR/backup").refused();
    assert!(told.contains("another backup is being written"), "{told}");
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    for line in [
        "restore DIR/backup --data DIR/again",
        "backup --check DIR/backup",
        "backup DIR/data DIR/backup",
        "serve --data DIR/backup",
    ] {
        let told = ledger(root, line).refused();
        assert!(told.contains("was not finished") || told.contains("is a backup"), "{line}: {told}");
    }
    assert_eq!(ledger(root, "verify DIR/backup").code, 1);
    assert!(!root.join("again").exists());
}

#[test]
fn a_later_backup_to_the_same_place_leaves_the_one_before_whole_until_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (root, data) = (dir.path(), dir.path().join("data"));
    backup(root);
    let first = root.join("first.json");
    fs::copy(root.join("backup/backup.json"), &first).unwrap();
    let more = accept(&data, (6..=9).map(|cents| (BOB, cents)));
    decided(&data, &more);
    fs::OpenOptions::new().append(true).open(data.join("audit.log")).unwrap().write_all(b"{}\n").unwrap();

    // Killed as above: what was there before is there.
    fs::rename(data.join("audit.log"), root.join("audit.log")).unwrap();
    mknodat(CWD, data.join("audit.log"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let mut running = Running::start(root, "backup DIR/data DIR/backup", None);
    running.makes(&root.join("backup/bank/projections-2.json"));
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    assert_eq!(fs::read(&first).unwrap(), fs::read(root.join("backup/backup.json")).unwrap());
    ledger(root, "restore DIR/backup --data DIR/before").done();
    assert_eq!(inspected(&root.join("before"))["events"], 8);

    fs::rename(root.join("audit.log"), data.join("audit.log")).unwrap();
    let told = ledger(root, "backup DIR/data DIR/backup").done();
    assert!(told.contains("12 events") && told.contains("of them new"), "{told}");
    assert!(ledger(root, "verify DIR/backup").done().contains("whole"));
    ledger(root, "restore DIR/backup --data DIR/after").done();
    assert_eq!(inspected(&root.join("after"))["events"], 12);
    assert_eq!(fs::read_to_string(root.join("after/audit.log")).unwrap(), "{\"new\":1}\n{}\n");

    // Another life of the same logs, and other data: the backup that is there is kept.
    let told = ledger(root, "backup DIR/after DIR/backup").refused();
    assert!(told.contains("another life") && told.contains("keep that one"), "{told}");
    enter(&root.join("others"), "bank", [1]);
    ledger(root, "backup DIR/others DIR/backup").refused();
    ledger(root, "backup --check DIR/backup").done();
}

#[test]
fn a_backup_goes_where_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    enter(&root.join("data"), "bank", [1]);
    fs::create_dir(root.join("full")).unwrap();
    fs::write(root.join("full/letter"), "dear").unwrap();
    for (line, why) in [
        ("backup DIR/data DIR/full", "not empty"),
        ("backup DIR/data DIR/data/backup", "within the data"),
        ("backup DIR/nothing DIR/backup", "could not read the data directory"),
        ("backup --check DIR/data", "there is no backup in"),
        ("backup DIR/data DIR/full/letter/below", "could not write"),
    ] {
        let told = ledger(root, line).refused();
        assert!(told.contains(why), "{line}: {told}");
    }
    assert!(!root.join("backup").exists());
    ledger(root, "backup DIR/data DIR/backup").done();
    let told = ledger(root, "backup DIR/backup DIR/other").refused();
    assert!(told.contains("is a backup"), "{told}");
    let manifest = root.join("backup/backup.json");
    let text = fs::read_to_string(&manifest).unwrap().replace("\"format\": 1", "\"format\": 2");
    fs::write(&manifest, text).unwrap();
    let told = ledger(root, "restore DIR/backup --data DIR/again").refused();
    assert!(told.contains("format 2"), "{told}");
}
