//! Commands that could not be decided.

use crate::{
    ledger::{AccountId, Audit, Enter, open_bank},
    program::ledger,
};
use factum::{CommandId, Status, block_on};
use std::path::Path;
use tempfile::TempDir;

/// Data with a parked command.
fn parked() -> (TempDir, CommandId) {
    let dir = tempfile::tempdir().unwrap();
    let id = block_on(async {
        let app = open_bank(dir.path());
        let id = app.submit(Audit(AccountId(1))).await.unwrap().command_id();
        until(dir.path(), &app, id, Status::Parked).await;
        id
    });
    (dir, id)
}

async fn until(data: &Path, app: &factum::App, id: CommandId, status: Status) {
    let mut watch = app.watch(id);
    loop {
        let update = watch.next().await.unwrap();
        let now = update.unwrap_or_else(|| panic!("{id} in {data:?} ended otherwise")).status;
        if now == status {
            return app.stop().await;
        }
    }
}

#[test]
fn a_parked_command_is_shown_and_given_up() {
    let (dir, id) = parked();
    let data = dir.path();
    let list = ledger(data, "commands parked --json --data DIR").json();
    assert_eq!(list["parked"][0]["command_id"], id.to_string());
    let people = ledger(data, "commands parked --data DIR").done();
    assert!(people.contains("ledger.audit") && people.contains("the auditor is away"), "{people}");
    let told = ledger(data, &format!("commands discard {id} --cause he_retired --data DIR"));
    assert!(told.err.contains("when the service is started"), "{told:?}");
    assert_eq!(told.done(), format!("{id} is given up; commands that come again: 0\n"));
    assert_eq!(ledger(data, "commands parked --data DIR").done(), "no command is parked\n");
    let told = ledger(data, &format!("commands discard {id} --cause again --data DIR")).refused();
    assert!(told.contains("is not parked"), "{told}");
    let app = open_bank(data);
    block_on(until(data, &app, id, Status::Failed));
}

#[test]
fn a_parked_command_that_is_driven_again_is_decided_by_the_next_service() {
    let (dir, id) = parked();
    let data = dir.path();
    let told = ledger(data, &format!("commands redrive {id} --data DIR")).done();
    assert_eq!(told, format!("{id} is driven again; commands that come again: 1\n"));
    assert_eq!(ledger(data, "commands parked --data DIR").done(), "no command is parked\n");
    let app = open_bank(data);
    block_on(until(data, &app, id, Status::Parked));
    drop(app);
    let never = "00000000-0000-0000-0000-000000000001";
    let told = ledger(data, &format!("commands redrive {never} --data DIR")).refused();
    assert!(told.contains(never), "{told}");
}

#[test]
fn work_on_data_decides_no_command_that_waits() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let id = block_on(async {
        let app = factum::App::embedded(data.join("bank")).commands::<(Enter, Audit)>();
        let app = app.start_at_rest().await.unwrap();
        let id = app.submit(Enter(AccountId(1), 1)).await.unwrap().command_id();
        app.stop().await;
        id
    });
    ledger(data, "projections rebuild --all --data DIR").done();
    let app = block_on(factum::App::embedded(data.join("bank")).commands::<(Enter, Audit)>().start_at_rest());
    let app = app.unwrap();
    assert_eq!(block_on(app.status(id)).unwrap().unwrap().status, Status::Accepted);
    drop(app);
    block_on(until(data, &open_bank(data), id, Status::Succeeded));
}
