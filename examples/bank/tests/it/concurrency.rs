//! Many at once: nothing is lost, nothing is made, nothing half-happens.

use crate::served::Served;
use bank::{AccountId, Funds};
use factum::block_on;
use serde_json::json;
use std::{sync::Barrier, thread};

/// At once.
const CLIENTS: usize = 8;
/// Of each client.
const REQUESTS: usize = 25;

/// `work` with the number of a client and that of its request, all clients at once.
fn at_once(work: impl Fn(usize, usize) + Sync) {
    let start = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                (0..REQUESTS).for_each(|request| work(client, request));
            });
        }
    });
}

fn balance(bank: &Served, account: &str) -> u64 {
    let account: AccountId = account.parse().unwrap();
    block_on(bank.app.view::<Funds>(account)).unwrap().state.balance()
}

#[test]
fn s4_21_concurrent_deposits_are_not_lost() {
    let bank = Served::start();
    let account = bank.open();
    at_once(|_, _| drop(bank.deposit(&account, &json!({"amount": 3}))));
    assert_eq!(balance(&bank, &account), 3 * u64::try_from(CLIENTS * REQUESTS).unwrap());
}

#[test]
fn s4_21_the_money_of_all_is_the_same_after_any_transfers_at_once() {
    let bank = Served::start();
    let accounts: Vec<_> = (0..3).map(|_| bank.open()).collect();
    for account in &accounts {
        bank.deposit(account, &json!({"amount": 20}));
    }
    at_once(|client, request| {
        // Every pair in both directions, with amounts that are sometimes too large.
        let (from, step) = ((client + request) % 3, 1 + client % 2);
        let amount = u64::try_from(1 + (client * 7 + request * 3) % 15).unwrap();
        let answer = bank.transfer(&accounts[from], &accounts[(from + step) % 3], amount);
        assert!([200, 409].contains(&answer.status), "{answer:?}");
        assert!(answer.status == 200 || answer.body["code"] == "insufficient-funds", "{answer:?}");
    });
    let balances: Vec<_> = accounts.iter().map(|account| balance(&bank, account)).collect();
    assert_eq!(balances.iter().sum::<u64>(), 60, "{balances:?}");
}

#[test]
fn s4_21_the_last_money_is_spent_once() {
    let bank = Served::start();
    let (from, to) = (bank.open(), bank.open());
    bank.deposit(&from, &json!({"amount": 10}));
    at_once(|_, request| {
        let answer = match request % 2 {
            0 => bank.transfer(&from, &to, 1),
            _ => bank.withdraw(&from, &json!({"amount": 1})),
        };
        assert!([200, 409].contains(&answer.status), "{answer:?}");
    });
    assert_eq!(balance(&bank, &from), 0);
    assert!(balance(&bank, &to) <= 10);
}
