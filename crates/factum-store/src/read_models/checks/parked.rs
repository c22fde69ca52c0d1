//! Events are parked under keys, each once, and listed in order.

use super::{Check, begun, opened};
use crate::read_models::{Parked, ParkedQuery, ReadModel, ReadModels};
use factum_event::{Position, Timestamp};
use std::sync::Arc;

pub(super) const CHECKS: [Check; 2] = [
    |models| Box::pin(parked_events_are_listed_in_order_and_counted(models)),
    |models| Box::pin(an_event_is_parked_once_under_a_key(models)),
];

fn parked(position: u64, key: &str, cause: Option<&str>) -> Parked {
    Parked {
        position: Position::new(position),
        key: key.into(),
        cause: cause.map(str::to_owned),
        attempts: 3,
        at: Timestamp::from_micros(1_767_225_600_123_456),
    }
}

async fn park(model: &dyn ReadModel, events: &[Parked]) {
    let mut tx = begun(model).await;
    tx.park(events.to_vec()).await.expect("events can be parked");
    tx.commit(None).await.expect("a transaction is kept");
}

async fn listed(model: &dyn ReadModel, query: &ParkedQuery) -> Vec<Parked> {
    model.parked(query).await.expect("parked events can be listed")
}

async fn parked_events_are_listed_in_order_and_counted(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    assert_eq!(model.parked_counts().await, Ok((0, 0)), "nothing is parked in a new build");
    let events = [
        parked(2, "b", Some("it's \"so\"")),
        parked(9, "a", Some("")),
        parked(9, "b", None),
        parked(10, "", None),
        parked(10, "B", Some("x")),
        parked(10, "b", None),
        parked(11, "\u{1f9fa}", None),
    ];
    let backwards: Vec<_> = events.iter().rev().cloned().collect();
    park(&*model, &backwards).await;
    assert_eq!(model.parked_counts().await, Ok((3, 4)), "what failed and what waits is counted");
    let keys = ["", "B", "a", "b", "\u{1f9fa}"].map(Arc::<str>::from);
    for limit in [0, 2, 5, usize::MAX] {
        let expected = keys.iter().take(limit).cloned().collect();
        assert_eq!(model.parked_keys(limit).await, Ok(expected), "what events wait by is listed, each once");
    }
    let of_keys = [None, Some("a"), Some("b"), Some("B"), Some("c")];
    for (key, failed_only) in of_keys.into_iter().flat_map(|key| [(key, false), (key, true)]) {
        let asked = |event: &&Parked| {
            key.is_none_or(|key| *event.key == *key) && (!failed_only || event.cause.is_some())
        };
        let expected: Vec<_> = events.iter().filter(asked).cloned().collect();
        for limit in [1, 2, 7, usize::MAX] {
            let mut query = ParkedQuery { key: key.map(Arc::from), failed_only, limit, after: None };
            let mut pages = Vec::new();
            loop {
                let page = listed(&*model, &query).await;
                let Some(last) = page.last() else { break };
                query.after = Some((last.position, Arc::clone(&last.key)));
                assert!(page.len() <= limit, "a page has as many events as were asked for: {query:?}");
                pages.extend(page);
                assert!(pages.len() <= events.len(), "pages of parked events join without repeat: {query:?}");
            }
            assert_eq!(pages, expected, "parked events are listed in order of position and key: {query:?}");
        }
    }
}

async fn an_event_is_parked_once_under_a_key(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    park(&*model, &[parked(2, "a", None), parked(2, "b", None), parked(3, "a", None)]).await;
    let mut failed = parked(2, "a", Some("again"));
    failed.attempts = u32::MAX;
    park(&*model, std::slice::from_ref(&failed)).await;
    let all = ParkedQuery { limit: usize::MAX, ..ParkedQuery::default() };
    let expected = [failed, parked(2, "b", None), parked(3, "a", None)];
    assert_eq!(listed(&*model, &all).await, expected, "an event is parked in place of itself");
    let mut tx = begun(&*model).await;
    tx.unpark(Position::new(2), "a").await.expect("an event can be unparked");
    tx.unpark(Position::new(3), "b").await.expect("what is not parked can be unparked");
    tx.park(vec![parked(4, "c", None)]).await.expect("events can be parked");
    tx.unpark(Position::new(4), "c").await.expect("an event can be unparked");
    tx.commit(None).await.expect("a transaction is kept");
    let expected = [parked(2, "b", None), parked(3, "a", None)];
    assert_eq!(listed(&*model, &all).await, expected, "an event is unparked under one key, and nothing else");
    assert_eq!(model.parked_counts().await, Ok((0, 2)), "what is unparked does not count");
}
