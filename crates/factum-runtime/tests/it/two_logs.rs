//! The two logs belong together: what was decided from one command log says nothing about another, and an
//! older copy of it is noticed before anything is decided, or accepted, on top of it.

use crate::{
    bank::{AccountId, Cash, Deposit, PayIn},
    desk::{DeskId, Mood, Write, deploy},
};
use factum::{ErrorKind, LaneState, Sleep, Status, SubmitError, prelude::*, store::MemoryStore};
use factum_testkit::{Intercepted, Scheduler};
use std::{fs, path::Path, sync::Arc, time::Duration};

const ANN: AccountId = AccountId(1);

fn start(events: &Arc<MemoryStore>, commands: &Arc<MemoryStore>) -> App {
    App::on(events.clone()).command_log(commands.clone()).commands::<(PayIn, Deposit)>().start()
}

async fn pay_in(app: &App, count: u64) {
    for cents in 0..count {
        let ticket = app.submit(PayIn(ANN, cents)).await.unwrap();
        assert_eq!(ticket.outcome().await.unwrap().status, Status::Succeeded);
    }
}

#[test]
fn a_command_log_that_was_lost_is_begun_anew_and_what_comes_is_decided() {
    block_on(async {
        let events = Arc::new(MemoryStore::new());
        let app = start(&events, &Arc::default());
        pay_in(&app, 20).await;
        app.stop().await;
        let app = start(&events, &Arc::default());
        pay_in(&app, 20).await;
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().events, 40);
    });
}

#[test]
fn what_was_parked_from_a_command_log_that_was_lost_holds_nothing_in_another_one() {
    let (scheduler, events) = (Scheduler::new(0), Arc::new(MemoryStore::new()));
    let start = |commands: &Arc<MemoryStore>| {
        App::on(events.clone())
            .command_log(commands.clone())
            .clock(scheduler.clock().clone())
            .sleep(Arc::new(scheduler.clone()))
            .spawn(Arc::new(scheduler.process()))
            .commands::<Write>()
            .start()
    };
    let write = |number, mood| Write { desk: DeskId(1), number, mood };
    scheduler.run(async {
        deploy(true);
        let lost = start(&Arc::default());
        for number in 1..9 {
            lost.submit(write(number, Mood::Once)).await.unwrap();
        }
        let parked = lost.submit(write(0, Mood::Panics)).idempotency_key("k").await.unwrap();
        assert_eq!(parked.outcome().await.unwrap().status, Status::Parked);
        lost.stop().await;
        let commands = Arc::default();
        let app = start(&commands);
        let again = app.submit(write(0, Mood::Panics)).idempotency_key("k").await.unwrap();
        scheduler.sleep(Duration::from_secs(9)).await;
        deploy(false);
        app.lanes().unwrap().redrive(again.command_id(), "olga").await.unwrap();
        assert_eq!(again.outcome().await.unwrap().status, Status::Succeeded);
        app.stop().await;
        let app = start(&commands);
        for number in 10..20 {
            let ticket = app.submit(write(number, Mood::Once)).await.unwrap();
            assert_eq!(ticket.outcome().await.unwrap().status, Status::Succeeded);
        }
        assert_eq!(app.lanes().unwrap().load().await.unwrap().parked, 0);
        app.stop().await;
    });
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn an_older_copy_of_the_command_log_is_noticed_and_nothing_is_accepted_on_it() {
    block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let (commands, kept) = (dir.path().join("commands"), dir.path().join("kept"));
        let start = || App::embedded(dir.path()).commands::<(PayIn, Deposit)>().start().unwrap();
        let app = start();
        pay_in(&app, 5).await;
        app.stop().await;
        drop(app);
        copy(&commands, &kept);
        let app = start();
        pay_in(&app, 5).await;
        app.stop().await;
        drop(app);
        fs::remove_dir_all(&commands).unwrap();
        copy(&kept, &commands);
        let app = start();
        // The lanes end by themselves, and stopping waits for that.
        app.stop().await;
        let LaneState::Failed(cause) = app.lanes().unwrap().state() else { panic!("they did not fail") };
        assert_eq!(cause.kind(), ErrorKind::RepairData);
        assert!(cause.to_string().contains("Restore both logs from one moment"), "{cause}");
        let refused = app.submit(PayIn(ANN, 1)).await.unwrap_err();
        assert!(matches!(refused, SubmitError::Unavailable(_)), "{refused:?}");
        drop(app);
        factum::log::begin_generation(&commands).unwrap();
        let app = start();
        pay_in(&app, 20).await;
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().events, 30, "nothing was decided twice");
    });
}

#[test]
fn one_key_means_one_request_whichever_way_it_comes() {
    block_on(async {
        let app = App::in_memory().commands::<(PayIn, Deposit)>().start();
        let first = app.submit(PayIn(ANN, 1)).idempotency_key("s").await.unwrap();
        first.outcome().await.unwrap();
        let other = app.execute(PayIn(ANN, 2)).idempotency_key("s").await.unwrap_err();
        assert!(matches!(other, ExecuteError::KeyReused { .. }), "{other:?}");
        assert!(app.execute(PayIn(ANN, 1)).idempotency_key("s").await.unwrap().replayed());

        app.execute(PayIn(ANN, 3)).idempotency_key("e").await.unwrap();
        let other = app.submit(PayIn(ANN, 4)).idempotency_key("e").await.unwrap_err();
        assert!(matches!(other, SubmitError::KeyReused { .. }), "{other:?}");
        let again = app.submit(PayIn(ANN, 3)).idempotency_key("e").await.unwrap();
        assert!(again.repeated());
        assert_eq!(again.outcome().await.unwrap().status, Status::Succeeded);
        assert_eq!(app.store().head().await.unwrap().position.get(), 2);
    });
}

#[test]
fn lanes_that_panic_say_so_and_keep_nobody_waiting() {
    block_on(async {
        let broken = Intercepted::new(Arc::new(MemoryStore::new()), |store, batch| {
            let lays_out = batch[0].commit.command.name.as_str().starts_with("factum.");
            assert!(!lays_out, "the store is broken");
            store.append(batch)
        });
        let events = Arc::new(MemoryStore::new());
        let app = App::on(events).command_log(Arc::new(broken)).commands::<(PayIn, Deposit)>().start();
        let ticket = app.submit(PayIn(ANN, 1)).await.unwrap();
        assert!(ticket.outcome().await.is_err(), "nobody decides it");
        let LaneState::Failed(cause) = app.lanes().unwrap().state() else { panic!("they did not fail") };
        assert!(cause.to_string().contains("the store is broken"), "{cause}");
    });
}
