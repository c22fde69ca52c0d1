//! Rebuilding: a new version beside the one that is read, what operators ask, effects.

use super::{
    events::{AccountId, BankEvent},
    read_models::{Account, Bank, PaidIn, in_memory},
};
use factum::{App, Projections, prelude::*};
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    sync::{Mutex, mpsc},
    time::Duration,
};

const LONG: Duration = Duration::from_secs(20);

/// Waits until no build is made beside what is read.
async fn taken_over(projections: &Projections, name: &str) {
    while projections.status(name).await.unwrap().building.is_some() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn it_is_made_anew_while_it_is_read() {
    block_on(async {
        let app = in_memory().start();
        let ann = AccountId::from(1);
        app.execute(Bank::Deposit(ann, 70)).await.unwrap();
        assert!(app.projections().caught_up(Account::NAME, LONG).await.unwrap());
        // ANCHOR: rebuild
        let projections = app.projections();
        projections.rebuild(Account::NAME).await?;
        let account = app.documents::<Account>().get(&ann).await; // from the build before, until the new one has caught up
        assert_eq!(account.unwrap().document.unwrap().cents, 70);

        if let Some(building) = projections.status(Account::NAME).await?.building {
            println!("{} of {}, {:?} left", building.position, building.head, building.time_left);
        }
        // ANCHOR_END: rebuild
        taken_over(projections, Account::NAME).await;
        let status = projections.status(Account::NAME).await?;
        assert_eq!((status.build.unwrap().number, status.previous.unwrap().number), (2, 1));

        // ANCHOR: verbs
        projections.rollback(Account::NAME).await?; // to the build before
        // ANCHOR_END: verbs
        taken_over(projections, Account::NAME).await;
        assert_eq!(projections.status(Account::NAME).await?.build.unwrap().number, 1);

        // ANCHOR: several
        projections.rebuild_all(&[Account::NAME, PaidIn::NAME]).await?; // one pass over the log
        // ANCHOR_END: several
        taken_over(projections, Account::NAME).await;
        taken_over(projections, PaidIn::NAME).await;
        app.stop().await;
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}

/// The view as it was in an earlier build of the application.
mod before {
    use super::*;

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    pub struct Turnover {
        pub cents: u64,
    }

    impl View for Turnover {
        const NAME: &'static str = "turnover";
        const VERSION: u32 = 1;
        type Event = BankEvent;
        type Key = AccountId;

        fn keys(event: &BankEvent) -> Vec<AccountId> {
            super::Turnover::keys(event)
        }

        fn apply(&mut self, _: &AccountId, event: &BankEvent) {
            self.cents += moved(event);
        }
    }
}

fn moved(event: &BankEvent) -> u64 {
    match event {
        BankEvent::Deposited { cents, .. } | BankEvent::Transferred { cents, .. } => *cents,
    }
}

// ANCHOR: version
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Turnover {
    pub cents: u64,
    #[serde(default)] // so that documents of version 1 can be read until version 2 has taken over
    pub times: u64,
}

impl View for Turnover {
    const NAME: &'static str = "turnover";
    const VERSION: u32 = 2;
    // ANCHOR_END: version
    type Event = BankEvent;
    type Key = AccountId;

    fn keys(event: &BankEvent) -> Vec<AccountId> {
        match event {
            BankEvent::Deposited { account, .. } => vec![*account],
            BankEvent::Transferred { from, .. } => vec![*from],
        }
    }

    fn apply(&mut self, _: &AccountId, event: &BankEvent) {
        self.cents += moved(event);
        self.times += 1;
    }
}

#[test]
fn a_new_version_takes_the_place_of_the_one_before() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let ann = AccountId::from(1);
        let first = App::embedded(directory.path()).view::<before::Turnover>().start().unwrap();
        first.execute(Bank::Deposit(ann, 70)).await.unwrap();
        assert!(first.projections().caught_up("turnover", LONG).await.unwrap());
        first.stop().await;
        drop(first);

        let app = App::embedded(directory.path()).view::<Turnover>().start().unwrap();
        let read = app.documents::<Turnover>().get(&ann).await.unwrap().document.unwrap();
        assert!([0, 1].contains(&read.times), "it is that of either version, whole: {read:?}");
        assert_eq!(read.cents, 70);
        taken_over(app.projections(), "turnover").await;
        let read = app.documents::<Turnover>().get(&ann).await.unwrap();
        assert_eq!(read.document, Some(Turnover { cents: 70, times: 1 }));
        let status = app.projections().status("turnover").await.unwrap();
        assert_eq!((status.build.unwrap().version, status.previous.unwrap().version), (2, 1));
        app.stop().await;
    });
}

#[test]
fn the_code_of_the_version_before_keeps_it_up_to_date() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let ann = AccountId::from(1);
        // ANCHOR: both
        let start =
            |directory: &Path| App::embedded(directory).view::<before::Turnover>().view::<Turnover>().start();
        // ANCHOR_END: both
        let first = App::embedded(directory.path()).view::<before::Turnover>().start().unwrap();
        first.execute(Bank::Deposit(ann, 70)).await.unwrap();
        assert!(first.projections().caught_up("turnover", LONG).await.unwrap());
        first.stop().await;
        drop(first);
        let app = start(directory.path()).unwrap();
        app.execute(Bank::Deposit(ann, 5)).await.unwrap();
        assert!(app.projections().caught_up("turnover", LONG).await.unwrap(), "whichever is read");
        taken_over(app.projections(), "turnover").await;
        app.projections().rollback("turnover").await.unwrap();
        taken_over(app.projections(), "turnover").await;
        let status = app.projections().status("turnover").await.unwrap();
        assert_eq!(status.build.unwrap().version, 1);
        let read = app.documents::<before::Turnover>().latest(&ann).await.unwrap();
        assert_eq!(read.document, Some(before::Turnover { cents: 75 }));
        app.stop().await;
    });
}

#[test]
fn paused_is_read_and_disabled_is_not() {
    block_on(async {
        let app = in_memory().start();
        let projections = app.projections();
        let ann = AccountId::from(1);
        app.execute(Bank::Deposit(ann, 70)).await.unwrap();
        assert!(projections.caught_up(Account::NAME, LONG).await?);
        // ANCHOR: pause
        projections.pause(Account::NAME).await?;
        app.execute(Bank::Deposit(ann, 5)).await.unwrap();
        let accounts = || app.documents::<Account>();
        assert_eq!(accounts().get(&ann).await.unwrap().document.unwrap().cents, 70);
        assert_eq!(accounts().latest(&ann).await.unwrap().document.unwrap().cents, 75);
        projections.resume(Account::NAME).await?;
        // ANCHOR_END: pause
        projections.disable(Account::NAME).await?;
        let disabled = accounts().get(&ann).await.unwrap_err().to_string();
        assert_eq!(disabled, "read model `accounts` is disabled: nothing can be read from it");
        projections.enable(Account::NAME).await?;
        projections.reset(Account::NAME).await?;
        assert!(projections.caught_up(Account::NAME, LONG).await?);
        assert_eq!(accounts().get(&ann).await.unwrap().document.unwrap().cents, 75);
        let nothing = projections.cancel(Account::NAME).await.unwrap_err().to_string();
        assert!(nothing.contains("there is nothing to cancel"), "{nothing}");
        app.stop().await;
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}

// ANCHOR: kept
/// Tells the other side of every deposit.
#[derive(Debug)]
pub struct Letters(Mutex<mpsc::Sender<String>>);

impl Projection for Letters {
    const NAME: &'static str = "letters";
    const VERSION: u32 = 1;
    type Event = BankEvent;
}

impl<Db: Sql> SqlProjection<Db> for Letters {
    const SCHEMA: &'static str = "create table letters (position bigint primary key)";

    async fn apply(&self, page: &Page<BankEvent>, tx: &mut Tx<'_, Db>) -> Result<(), ApplyError> {
        for recorded in page {
            tx.execute("insert into letters values ($1)", values![recorded.position]).await?;
        }
        Ok(())
    }

    async fn kept(&self, page: &Page<BankEvent>) {
        for recorded in page {
            let letter = format!("{}: {:?}", recorded.position, recorded.event);
            let _ = self.0.lock().expect("nothing panics with it").send(letter);
        }
    }
}
// ANCHOR_END: kept

#[test]
fn a_rebuild_tells_of_nothing_again() {
    block_on(async {
        let (letters, sent) = mpsc::channel();
        let app = App::in_memory().project(Letters(Mutex::new(letters))).start();
        let (ann, projections) = (AccountId::from(1), app.projections());
        app.execute(Bank::Deposit(ann, 70)).await.unwrap();
        assert!(projections.caught_up(Letters::NAME, LONG).await?);
        projections.rebuild(Letters::NAME).await?;
        taken_over(projections, Letters::NAME).await;
        projections.reset(Letters::NAME).await?;
        app.execute(Bank::Deposit(ann, 5)).await.unwrap();
        assert!(projections.caught_up(Letters::NAME, LONG).await?);
        app.stop().await;
        drop(app);
        let told: Vec<_> = sent.iter().map(|letter| letter[..1].to_owned()).collect();
        assert_eq!(told, ["1", "2"], "each once");
        Ok::<_, factum::ProjectionError>(())
    })
    .unwrap();
}

fn letters(directory: &Path) -> (App, mpsc::Receiver<String>) {
    let (letters, sent) = mpsc::channel();
    (App::embedded(directory).project(Letters(Mutex::new(letters))).start().unwrap(), sent)
}

#[test]
fn without_its_folder_it_is_made_anew_and_told_of_everything() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let (first, sent) = letters(directory.path());
        first.execute(Bank::Deposit(1.into(), 70)).await.unwrap();
        assert!(first.projections().caught_up(Letters::NAME, LONG).await.unwrap());
        first.stop().await;
        drop(first);
        assert_eq!(sent.iter().count(), 1);

        let (second, sent) = letters(directory.path());
        assert!(second.projections().caught_up(Letters::NAME, LONG).await.unwrap());
        second.stop().await;
        drop(second);
        assert_eq!(sent.iter().count(), 0, "it was told of it before");

        std::fs::remove_dir_all(directory.path().join("views")).unwrap();
        let (third, sent) = letters(directory.path());
        assert!(third.projections().caught_up(Letters::NAME, LONG).await.unwrap());
        third.stop().await;
        drop(third);
        assert_eq!(sent.iter().count(), 1, "nobody knows of it any more");
    });
}

#[test]
fn what_follows_from_another_log_is_made_anew() {
    block_on(async {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for (directory, deposits) in [(&one, 3), (&other, 1)] {
            let app = App::embedded(directory.path()).view::<Turnover>().start().unwrap();
            for _ in 0..deposits {
                app.execute(Bank::Deposit(1.into(), 10)).await.unwrap();
            }
            assert!(app.projections().caught_up(Turnover::NAME, LONG).await.unwrap());
            app.stop().await;
        }
        std::fs::remove_dir_all(other.path().join("views")).unwrap();
        std::fs::rename(one.path().join("views"), other.path().join("views")).unwrap();
        let app = App::embedded(other.path()).view::<Turnover>().start().unwrap();
        assert!(app.projections().caught_up(Turnover::NAME, LONG).await.unwrap());
        let read = app.documents::<Turnover>().get(&1.into()).await.unwrap();
        assert_eq!(read.document, Some(Turnover { cents: 10, times: 1 }));
        app.stop().await;
    });
}

#[test]
fn a_version_that_was_gone_back_from_is_taken_up_again_when_it_is_asked_for() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let old = || App::embedded(directory.path()).view::<before::Turnover>().start().unwrap();
        let new = || App::embedded(directory.path()).view::<Turnover>().start().unwrap();
        let version =
            async |app: &App| app.projections().status("turnover").await.unwrap().build.unwrap().version;
        let app = old();
        app.execute(Bank::Deposit(1.into(), 10)).await.unwrap();
        assert!(app.projections().caught_up("turnover", LONG).await.unwrap());
        app.stop().await;
        drop(app);
        let app = new();
        taken_over(app.projections(), "turnover").await;
        assert_eq!(version(&app).await, 2);
        app.projections().rollback("turnover").await.unwrap();
        let status = app.projections().status("turnover").await.unwrap();
        assert_eq!((status.build.unwrap().version, status.state.as_str()), (1, "frozen"));
        app.stop().await;
        drop(app);
        let app = new();
        taken_over(app.projections(), "turnover").await;
        assert_eq!(version(&app).await, 1, "not by itself");
        app.projections().rebuild("turnover").await.unwrap();
        taken_over(app.projections(), "turnover").await;
        assert_eq!(version(&app).await, 2);
        app.stop().await;
        drop(app);
        let app = old();
        taken_over(app.projections(), "turnover").await;
        let status = app.projections().status("turnover").await.unwrap().build.unwrap();
        assert_eq!((status.version, status.number), (1, 1), "it was kept");
        app.stop().await;
    });
}

#[test]
fn other_fields_under_the_same_version_are_refused() {
    mod careless {
        use super::{AccountId, BankEvent};
        use factum::prelude::*;

        #[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
        pub(super) struct Turnover {
            #[serde(default)]
            pub(super) pence: u64,
        }

        impl View for Turnover {
            const NAME: &'static str = "turnover";
            const VERSION: u32 = 1;
            type Event = BankEvent;
            type Key = AccountId;

            fn keys(event: &BankEvent) -> Vec<AccountId> {
                super::Turnover::keys(event)
            }

            fn apply(&mut self, _: &AccountId, event: &BankEvent) {
                self.pence += super::moved(event);
            }
        }
    }
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let app = App::embedded(directory.path()).view::<before::Turnover>().start().unwrap();
        app.execute(Bank::Deposit(1.into(), 10)).await.unwrap();
        assert!(app.projections().caught_up("turnover", LONG).await.unwrap());
        app.stop().await;
        drop(app);
        let app = App::embedded(directory.path()).view::<careless::Turnover>().start().unwrap();
        let status = app.projections().status("turnover").await.unwrap();
        assert_eq!(status.state.as_str(), "stopped");
        let cause = status.state.cause().unwrap();
        assert!(cause.contains("turnover.1.1"), "{cause}");
        app.projections().rebuild("turnover").await.unwrap();
        taken_over(app.projections(), "turnover").await;
        let read = app.documents::<careless::Turnover>().get(&1.into()).await.unwrap();
        assert_eq!(read.document.unwrap().pence, 10);
        app.stop().await;
    });
}
