//! Hot aggregates: cache and snapshots.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::events::{AccountId, BankEvent};
use factum::{
    log::{Log, Options},
    prelude::*,
};
use std::{fs, path::Path, sync::Arc};

// ANCHOR: model
#[derive(Default, Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Savings {
    pub cents: u64,
    pub deposits: u64,
}

#[model]
impl Model for Savings {
    type Scope = Tagged<AccountId>;
    /// Every 500 events, and this is the first version of the fold below.
    const SNAPSHOT: Snapshot<Self> = Snapshot::every(500, 1);
    fn apply(&mut self, event: BankEvent) {
        match event {
            BankEvent::Deposited { cents, .. } => {
                self.cents = self.cents.saturating_add(cents);
                self.deposits = self.deposits.saturating_add(1);
            }
        }
    }
}
// ANCHOR_END: model

#[derive(Command)]
#[command(name = "bank.deposit-many")]
struct DepositMany(AccountId, u64);

impl Decide for DepositMany {
    type Event = BankEvent;
    type Models = Savings;
    type Rejection = Never;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, _: &Savings, _: &Context) -> Decision<Self> {
        emit((0..self.1).map(|cents| BankEvent::Deposited { account: self.0, cents }).collect::<Vec<_>>())
    }
}

fn open(directory: &Path) -> App {
    // ANCHOR: cache
    let app = App::embedded(directory).cache(50_000).start();
    // ANCHOR_END: cache
    app.unwrap()
}

async fn savings(app: &App) -> (u64, u64) {
    let savings = app.view::<Savings>(AccountId::from(1)).await.unwrap();
    assert_eq!(savings.events, savings.state.deposits);
    (savings.state.cents, savings.state.deposits)
}

#[test]
fn an_embedded_application_keeps_its_snapshots_beside_its_log_and_does_without_them() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("snapshots.sqlite");
        let app = open(folder.path());
        app.execute(DepositMany(AccountId::from(1), 499)).await.unwrap();
        app.stop().await;
        assert!(!file.exists(), "no snapshot was due");
        app.execute(DepositMany(AccountId::from(1), 11)).await.unwrap();
        app.stop().await;
        let expected = savings(&app).await;
        assert!(file.exists() && expected.1 == 510);
        drop(app);
        type Meanwhile = fn(&Path);
        let meanwhile: [Meanwhile; 4] = [
            |_| {},
            |file| ["", "-wal", "-shm"].iter().for_each(|end| drop(fs::remove_file(beside(file, end)))),
            |file| fs::write(file, "no database".repeat(500)).unwrap(),
            |file| fs::write(file, "").unwrap(),
        ];
        for happened in meanwhile {
            happened(&file);
            let app = open(folder.path());
            assert_eq!(savings(&app).await, expected);
            app.stop().await;
            drop(app);
            let bytes = fs::metadata(&file).map(|file| file.len()).unwrap();
            assert!(bytes > 4096, "a snapshot is kept again");
        }
    });
}

fn beside(file: &Path, ending: &str) -> std::path::PathBuf {
    file.with_file_name(format!("snapshots.sqlite{ending}"))
}

#[test]
fn a_log_that_was_put_back_by_hand_and_went_on_is_not_taken_for_the_one_of_the_snapshots() {
    block_on(async {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let account = AccountId::from(1);
        let app = open(folder.path());
        app.execute(DepositMany(account, 100)).await.unwrap();
        app.stop().await;
        drop(app);
        copy_files(&folder.path().join("events"), copy.path());
        let app = open(folder.path());
        app.execute(DepositMany(account, 900)).await.unwrap();
        app.stop().await;
        drop(app);
        // The copy comes back under the same name, and other events follow, as many and more.
        fs::remove_dir_all(folder.path().join("events")).unwrap();
        copy_files(copy.path(), &folder.path().join("events"));
        let (log, _) = Log::open(folder.path().join("events"), Options::default()).unwrap();
        let without_snapshots = App::on(Arc::new(log)).start();
        for _ in 0..1200 {
            without_snapshots.execute(DepositMany(account, 1)).await.unwrap();
        }
        drop(without_snapshots);
        assert_eq!(savings(&open(folder.path())).await, ((0..100).sum(), 1300));
    });
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn without_a_model_that_asks_for_them_there_is_no_file_of_snapshots() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let app = App::embedded(folder.path()).start().unwrap();
        app.view::<super::models::Seats>(super::events::CourseId::from(factum::Uuid::nil())).await.unwrap();
        app.stop().await;
        let kept: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(kept, ["events"]);
    });
}
