//! The events, from any position on.

use crate::bank::{AccountId, Deposit, Withdraw};
use factum::{EventFeed, EventType, Position, Query, QueryItem, RecordedEvent, prelude::*};

async fn rest(feed: &mut EventFeed) -> Vec<RecordedEvent> {
    let mut read = Vec::new();
    while let Some(event) = feed.next_now().await.unwrap() {
        read.push(event);
    }
    read
}

async fn filled() -> App {
    let app = App::in_memory().start();
    for number in 0..150 {
        app.execute(Deposit(AccountId(number % 3), number)).await.unwrap();
        if number % 5 == 0 {
            app.execute(Withdraw(AccountId(number % 3), 1)).await.map(drop).unwrap_or_default();
        }
    }
    app
}

#[test]
fn from_every_position_on_exactly_the_rest_is_told() {
    block_on(async {
        let app = filled().await;
        let only = QueryItem::default().event_type(EventType::unchecked("bank.withdrawn"));
        for query in [Query::All, Query::from(only)] {
            let mut feed = app.feeds().events(query.clone(), Position::START);
            let all = rest(&mut feed).await;
            assert!(all.len() > 20 && all.iter().all(|event| query.matches(event)));
            assert_eq!(feed.place(), app.store().head().await.unwrap().position);
            for (told, event) in all.iter().enumerate() {
                let rest = rest(&mut app.feeds().events(query.clone(), event.position)).await;
                assert_eq!(rest, all[told + 1..]);
            }
        }
    });
}

#[test]
fn what_is_handed_out_is_what_the_place_says() {
    block_on(async {
        let app = filled().await;
        let mut feed = app.feeds().events(Query::All, Position::START);
        while let Some(event) = feed.next_now().await.unwrap() {
            assert_eq!(feed.place(), event.position);
        }
    });
}

#[test]
fn who_waits_for_events_is_told_as_they_happen() {
    block_on(async {
        let app = filled().await;
        let mut feed = app.feeds().events(Query::All, app.feeds().position().await.unwrap());
        assert_eq!(feed.next_now().await.unwrap(), None);
        let writer = app.clone();
        let written = std::thread::spawn(move || {
            block_on(async {
                // One that leaves no event, then one that does.
                writer.execute(Withdraw(AccountId(1), 0)).await.unwrap();
                writer.execute(Deposit(AccountId(1), 77)).await.unwrap();
            });
        });
        assert_eq!(feed.next().await.unwrap().event_type.as_str(), "bank.deposited");
        written.join().unwrap();
    });
}
