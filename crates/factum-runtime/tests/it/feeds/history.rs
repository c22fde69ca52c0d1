//! What one command goes through.

use super::played::{Logs, Machine, amount, broken, drained, play, truth, until};
use crate::bank::{AccountId, Deposit};
use factum::{CommandHistory, CommandPlace, CommandUpdate, Status, prelude::*};
use factum_testkit::soak;

const ANN: AccountId = AccountId(1);

async fn rest(history: &mut CommandHistory) -> Vec<CommandUpdate> {
    let mut read = Vec::new();
    while let Some(update) = history.next_now().await.unwrap() {
        read.push(update);
    }
    read
}

fn resumed_anywhere(seed: u64) {
    block_on(async {
        let logs = Logs::new();
        play(seed, &logs).await;
        let all = drained(&mut logs.feeds().command_updates(CommandPlace::default())).await;
        for (id, statuses) in truth(&logs).await {
            let mut history = logs.feeds().command_history(id, CommandPlace::default());
            let told = rest(&mut history).await;
            assert_eq!(told.iter().map(|update| update.status.status).collect::<Vec<_>>(), statuses);
            assert_eq!(history.ended(), statuses.last().unwrap().is_final());
            let own: Vec<_> = all.iter().filter(|update| update.status.command_id == id).collect();
            assert!(told.iter().map(|update| &update.status).eq(own.iter().map(|update| &update.status)));
            for (number, update) in told.iter().enumerate() {
                let mut history = logs.feeds().command_history(id, update.place);
                assert_eq!(rest(&mut history).await, told[number + 1..], "after {number}");
                assert_eq!(history.ended(), statuses.last().unwrap().is_final());
            }
            // A place that was told about all commands is one for each of them.
            for (number, update) in all.iter().enumerate() {
                let told: Vec<_> = rest(&mut logs.feeds().command_history(id, update.place)).await;
                let own = all[number + 1..].iter().filter(|update| update.status.command_id == id);
                assert!(told.iter().map(|update| &update.status).eq(own.map(|update| &update.status)));
            }
        }
    });
}

#[test]
fn soak_a_history_goes_on_anywhere_with_exactly_the_rest() {
    soak(0, 20, resumed_anywhere);
}

#[test]
fn watching_shows_all_a_command_goes_through_and_ends() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let cents = amount();
        broken(|broken| broken.insert(cents));
        let id = app.submit(Machine(ANN, cents)).await.unwrap().command_id();
        let operator = app.clone();
        let operated = std::thread::spawn(move || {
            block_on(async {
                let lanes = operator.lanes().unwrap();
                until("it is parked", async || !lanes.parked().await.unwrap().is_empty()).await;
                lanes.redrive(id, "olga").await.unwrap();
                until("it is parked again", async || !lanes.parked().await.unwrap().is_empty()).await;
                broken(|broken| broken.remove(&cents));
                lanes.redrive(id, "olga").await.unwrap();
            });
        });
        let (mut watch, mut seen) = (app.watch(id), Vec::new());
        while let Some(status) = watch.next().await.unwrap() {
            seen.push(status.status);
        }
        operated.join().unwrap();
        use Status::{Accepted, Parked, Succeeded};
        assert_eq!(seen, [Accepted, Parked, Accepted, Parked, Accepted, Succeeded]);
        assert_eq!(watch.next().await.unwrap(), None);
    });
}

#[test]
fn a_command_that_nobody_sent_yet_is_watched_without_lanes() {
    block_on(async {
        let app = App::in_memory().start();
        let id = app.fresh_command_id();
        let sender = app.clone();
        let mut watch = app.watch(id);
        let sent = std::thread::spawn(move || {
            block_on(async { sender.execute(Deposit(ANN, 5)).command_id(id).await.map(drop) }).unwrap();
        });
        assert_eq!(watch.next().await.unwrap().unwrap().status, Status::Succeeded);
        assert_eq!(watch.next().await.unwrap(), None);
        sent.join().unwrap();
    });
}

#[test]
fn watching_ends_with_an_error_when_nobody_decides_any_more() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        app.stop().await;
        let id = app.submit(Machine(ANN, amount())).await.unwrap().command_id();
        let mut watch = app.watch(id);
        assert_eq!(watch.next().await.unwrap().unwrap().status, Status::Accepted);
        let ended = watch.next().await.unwrap_err();
        assert!(ended.to_string().contains("next start"), "{ended}");
    });
}
