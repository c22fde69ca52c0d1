//! The list of commands: each once, in the order they arrived, from any place on.

use super::played::{Logs, play, truth};
use crate::bank::{AccountId, Deposit, Withdraw};
use factum::{ARRIVALS_READ_MAX, Arrival, Arrivals, CommandPlace, Feeds, prelude::*};
use factum_testkit::soak;
use std::collections::BTreeSet;

async fn rest(arrivals: &mut Arrivals) -> Vec<Arrival> {
    let mut read = Vec::new();
    while let Some(arrival) = arrivals.next().await.unwrap() {
        read.push(arrival);
    }
    read
}

fn listed_from_anywhere(seed: u64) {
    block_on(async {
        let logs = Logs::new();
        play(seed, &logs).await;
        let truth = truth(&logs).await;
        let mut arrivals = logs.feeds().arrivals(CommandPlace::default());
        let all = rest(&mut arrivals).await;
        assert_eq!(all.len(), truth.len());
        assert_eq!(
            all.iter().map(|arrival| arrival.command).collect::<BTreeSet<_>>(),
            truth.keys().copied().collect()
        );
        assert!(all.is_sorted_by_key(|arrival| arrival.at));
        for (listed, arrival) in all.iter().enumerate() {
            let status = arrivals.status(arrival).await.unwrap().unwrap();
            assert_eq!(Some(&status.status), truth[&arrival.command].last());
            assert_eq!(logs.feeds().status(arrival.command).await.unwrap(), Some(status));
            assert_eq!(
                rest(&mut logs.feeds().arrivals(arrival.place)).await,
                all[listed + 1..],
                "after {listed}"
            );
        }
        assert_eq!(rest(&mut logs.feeds().arrivals(arrivals.place())).await, []);
        // Without its command log, commands for later are listed by what was decided about them.
        let decided: BTreeSet<_> =
            rest(&mut Feeds::new(logs.events.clone(), None).arrivals(CommandPlace::default()))
                .await
                .iter()
                .map(|arrival| arrival.command)
                .collect();
        assert_eq!(decided, truth.keys().copied().collect());
    });
}

#[test]
fn soak_the_list_of_commands_goes_on_anywhere_with_exactly_the_rest() {
    soak(0, 40, listed_from_anywhere);
}

#[test]
fn a_page_reads_so_much_and_the_next_one_goes_on() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let count = ARRIVALS_READ_MAX / 2 + 100;
        for number in 0..count as u64 {
            app.execute(Deposit(AccountId(number), 1)).await.unwrap();
            app.submit(Withdraw(AccountId(number), 0)).await.unwrap();
        }
        app.stop().await;
        let (mut listed, mut pages, mut place) = (BTreeSet::new(), 0, CommandPlace::default());
        loop {
            let mut arrivals = app.feeds().arrivals(place);
            let page = rest(&mut arrivals).await;
            assert!(page.len() <= ARRIVALS_READ_MAX);
            listed.extend(page.iter().map(|arrival| arrival.command));
            place = arrivals.place();
            pages += 1;
            if !arrivals.may_go_on() {
                break;
            }
        }
        assert_eq!(listed.len(), 2 * count);
        assert!(pages > 1, "it takes more than one");
    });
}
