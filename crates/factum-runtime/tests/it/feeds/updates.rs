//! Every status change of every command.

use super::played::{Logs, Machine, by_command, drained, play, truth};
use crate::bank::{AccountId, Deposit, Withdraw};
use factum::{CommandPlace, CommandUpdate, Status, prelude::*};
use factum_testkit::soak;
use std::collections::BTreeSet;

/// From every place on exactly the rest is told, in the same order.
fn resumed_anywhere(seed: u64) {
    block_on(async {
        let logs = Logs::new();
        let live = play(seed, &logs).await;
        let truth = truth(&logs).await;
        let all = drained(&mut logs.feeds().command_updates(CommandPlace::default())).await;
        assert_eq!(by_command(&all), truth);
        for (told, update) in all.iter().enumerate() {
            let rest = drained(&mut logs.feeds().command_updates(update.place)).await;
            assert_eq!(rest, all[told + 1..], "after {told}");
        }
        // Who read while it was made may have been told in another order between commands, and of no more or less.
        assert_eq!(by_command(&live), truth);
        let key =
            |update: &CommandUpdate| (update.status.command_id, update.status.status.to_string(), update.at);
        for (told, update) in live.iter().enumerate() {
            let rest = drained(&mut logs.feeds().command_updates(update.place)).await;
            let (rest, left) = (rest.iter().map(key), live[told + 1..].iter().map(key));
            assert_eq!(rest.collect::<Vec<_>>().sorted(), left.collect::<Vec<_>>().sorted(), "after {told}");
        }
        for pair in all.windows(2).chain(live.windows(2)) {
            let (before, after) = (pair[0].place, pair[1].place);
            let grows = after.commands >= before.commands && after.events >= before.events;
            assert!(grows && after != before, "{before:?} {after:?}");
        }
    });
}

trait Sorted {
    fn sorted(self) -> Self;
}

impl<T: Ord> Sorted for Vec<T> {
    fn sorted(mut self) -> Self {
        self.sort();
        self
    }
}

#[test]
fn soak_updates_go_on_anywhere_with_exactly_the_rest() {
    soak(0, 60, resumed_anywhere);
}

#[test]
fn the_histories_that_are_played_hold_every_status() {
    block_on(async {
        let mut seen = BTreeSet::new();
        for seed in 0..20 {
            let logs = Logs::new();
            for update in play(seed, &logs).await {
                seen.insert(update.status.status.to_string());
            }
        }
        assert_eq!(seen, ["accepted", "failed", "parked", "rejected", "succeeded"].map(str::to_owned).into());
    });
}

#[test]
fn a_reader_that_does_not_look_while_thousands_come_misses_nothing() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let mut updates = app.feeds().command_updates(app.feeds().now().await.unwrap());
        let mut sent = BTreeSet::new();
        for number in 0..1500 {
            let account = AccountId(number % 7);
            sent.insert(app.submit(Withdraw(account, number % 2)).await.unwrap().command_id());
        }
        for id in &sent {
            app.lanes().unwrap().outcome(*id).await.unwrap();
        }
        let told = drained(&mut updates).await;
        assert_eq!(told.len(), 2 * sent.len());
        let told = by_command(&told);
        assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), sent);
        assert!(told.values().all(|told| told[0] == Status::Accepted && told[1].is_final()));
    });
}

#[test]
fn who_waits_is_told_as_it_happens() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let mut updates = app.feeds().command_updates(app.feeds().now().await.unwrap());
        let writer = app.clone();
        let written = std::thread::spawn(move || {
            block_on(async {
                writer.execute(Deposit(AccountId(1), 5)).await.unwrap();
                writer.submit(Machine(AccountId(1), 1_000_000)).await.unwrap().outcome().await.unwrap();
            });
        });
        let mut told = Vec::new();
        for _ in 0..3 {
            let update = updates.next().await.unwrap();
            told.push((update.status.name.to_string(), update.status.status.to_string()));
        }
        written.join().unwrap();
        let told: Vec<_> = told.iter().map(|(name, status)| (&**name, &**status)).collect();
        assert_eq!(
            told,
            [("bank.deposit", "succeeded"), ("bank.machine", "accepted"), ("bank.machine", "succeeded")]
        );
        assert_eq!(updates.next_now().await.unwrap(), None);
    });
}

#[test]
fn an_application_without_a_command_log_tells_of_its_direct_commands() {
    block_on(async {
        let app = App::in_memory().start();
        app.execute(Deposit(AccountId(1), 5)).await.unwrap();
        app.execute(Withdraw(AccountId(1), 5_000)).await.unwrap_err();
        let all = drained(&mut app.feeds().command_updates(CommandPlace::default())).await;
        let statuses: Vec<_> = all.iter().map(|update| update.status.status).collect();
        assert_eq!(statuses, [Status::Succeeded, Status::Rejected]);
        assert_eq!(drained(&mut app.feeds().command_updates(all[0].place)).await, all[1..]);
    });
}

#[test]
fn a_command_that_was_decided_directly_before_it_is_accepted_is_not_accepted_again() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let sent = || app.fresh_command_id();
        let id = sent();
        app.execute(Withdraw(AccountId(1), 0)).command_id(id).await.unwrap();
        app.submit(Withdraw(AccountId(1), 0)).command_id(id).await.unwrap();
        app.submit(Withdraw(AccountId(2), 0)).await.unwrap().outcome().await.unwrap();
        let all = drained(&mut logs.feeds().command_updates(CommandPlace::default())).await;
        assert_eq!(by_command(&all)[&id], [Status::Succeeded]);
        let mut arrivals = logs.feeds().arrivals(CommandPlace::default());
        let mut listed = Vec::new();
        while let Some(arrival) = arrivals.next().await.unwrap() {
            if arrivals.status(&arrival).await.unwrap().is_some() {
                listed.push(arrival.command);
            }
        }
        assert_eq!((listed.len(), listed.iter().filter(|listed| **listed == id).count()), (2, 1));
    });
}
