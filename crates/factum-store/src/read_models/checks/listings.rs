//! Documents are listed in order, whole pages without gap or repeat.

use super::{Check, checkpoint, document, kept, opened};
use crate::read_models::{Document, Listing, ReadModel, ReadModels};
use factum_event::{Value, values};
use std::sync::Arc;

pub(super) const CHECKS: [Check; 4] = [
    |models| Box::pin(documents_are_listed_in_the_order_asked_for(models)),
    |models| Box::pin(pages_join_without_gap_or_repeat(models)),
    |models| Box::pin(only_what_has_the_values_asked_for_is_listed(models)),
    |models| Box::pin(a_listing_is_of_one_moment(models)),
];

/// Documents with ties and all kinds of values, in no order.
fn many() -> Vec<Document> {
    let first = values![
        Value::Null,
        -1,
        -0.5,
        0,
        0.5,
        1,
        i64::MAX,
        i64::MIN,
        "",
        "10",
        "2",
        "\u{1f9fa}",
        vec![0_u8],
        1.5
    ];
    let second = values![Value::Null, "x", 3];
    let mut documents = Vec::new();
    for at in 0..60_usize {
        // 37 has no factor in common with 60: every place once, in no order.
        let place = at * 37 % 60;
        let indexed = [first[place % first.len()].clone(), second[place % second.len()].clone()];
        let key = if place % 2 == 0 { format!("k{place}") } else { format!("K{place}") };
        documents.push(document(&key, 1 + u64::try_from(place).unwrap_or(0), indexed));
    }
    documents
}

/// The keys that a listing should give, said in another way than stores say it.
fn expected(documents: &[Document], listing: &Listing) -> Vec<String> {
    let matching = documents
        .iter()
        .filter(|document| listing.equal.iter().all(|(index, value)| document.indexed[*index] == *value));
    let value = |document: &Document| listing.order.map(|index| document.indexed[index].clone());
    let mut keyed: Vec<_> = matching.map(|document| (value(document), document.key.to_string())).collect();
    keyed.sort();
    if listing.backwards {
        keyed.reverse();
    }
    keyed.into_iter().map(|(_, key)| key).take(listing.limit).collect()
}

async fn listed(model: &dyn ReadModel, listing: &Listing) -> Vec<Document> {
    model.documents(listing).await.expect("documents can be listed").value
}

fn keys(documents: &[Document]) -> Vec<String> {
    documents.iter().map(|document| document.key.to_string()).collect()
}

fn orders() -> impl Iterator<Item = Listing> {
    [None, Some(0), Some(1)].into_iter().flat_map(|order| {
        [false, true].map(|backwards| Listing { order, backwards, limit: usize::MAX, ..Listing::default() })
    })
}

async fn documents_are_listed_in_the_order_asked_for(models: Arc<dyn ReadModels>) {
    let (model, documents) = (opened(&*models).await, many());
    let nothing = listed(&*model, &Listing { limit: 10, ..Listing::default() }).await;
    assert!(nothing.is_empty(), "nothing is listed where nothing was put");
    kept(&*model, documents.clone(), 60).await;
    for order in orders() {
        for limit in [0, 1, 7, 60, 61, usize::MAX] {
            let listing = Listing { limit, ..order.clone() };
            let found = keys(&listed(&*model, &listing).await);
            assert_eq!(found, expected(&documents, &listing), "documents are listed in order: {listing:?}");
        }
    }
}

async fn pages_join_without_gap_or_repeat(models: Arc<dyn ReadModels>) {
    let (model, documents) = (opened(&*models).await, many());
    kept(&*model, documents.clone(), 60).await;
    let filters = [vec![], vec![(1, Value::from("x"))], vec![(0, Value::Null)]];
    for (order, equal) in orders().flat_map(|order| filters.clone().map(|equal| (order.clone(), equal))) {
        for limit in [1, 7, 59, 60] {
            let mut listing = Listing { limit, equal: equal.clone(), ..order.clone() };
            let mut pages = Vec::new();
            loop {
                let page = listed(&*model, &listing).await;
                let Some(last) = page.last() else { break };
                assert!(page.len() <= limit, "a page has as many documents as were asked for: {listing:?}");
                // Without an order the value is of no account.
                let value = listing.order.map_or(Value::from("any"), |index| last.indexed[index].clone());
                listing.after = Some((value, Arc::clone(&last.key)));
                pages.extend(keys(&page));
                assert!(pages.len() <= 60, "pages join without repeat: {listing:?}");
            }
            let whole = Listing { limit: usize::MAX, after: None, ..listing.clone() };
            assert_eq!(pages, expected(&documents, &whole), "pages join without gap or repeat: {listing:?}");
        }
        // What a page ended with may be gone by the time of the next one.
        let gone = (Value::from(0.25), Arc::from("Kx"));
        let after = Listing { after: Some(gone), order: Some(0), limit: usize::MAX, equal, ..order };
        let (is_less, mut rest) =
            (after.backwards, expected(&documents, &Listing { after: None, ..after.clone() }));
        rest.retain(|key| {
            let of_key = documents.iter().find(|document| *document.key == **key).expect("it is one of them");
            (of_key.indexed[0] < Value::from(0.25)) == is_less
        });
        assert_eq!(
            keys(&listed(&*model, &after).await),
            rest,
            "what a page ended with may be gone: {after:?}"
        );
    }
}

async fn only_what_has_the_values_asked_for_is_listed(models: Arc<dyn ReadModels>) {
    let (model, documents) = (opened(&*models).await, many());
    kept(&*model, documents.clone(), 60).await;
    for order in orders() {
        for document in &documents {
            let [first, second] = [0, 1].map(|index: usize| (index, document.indexed[index].clone()));
            for equal in [vec![first.clone()], vec![second.clone()], vec![first.clone(), second.clone()]] {
                let listing = Listing { equal, ..order.clone() };
                let found = keys(&listed(&*model, &listing).await);
                let claim = "only what has the values asked for is listed";
                assert_eq!(found, expected(&documents, &listing), "{claim}: {listing:?}");
                assert!(found.contains(&document.key.to_string()), "{claim}: {listing:?}");
            }
        }
        let listing = Listing { equal: vec![(1, Value::from("X"))], ..order };
        assert!(listed(&*model, &listing).await.is_empty(), "values are compared as they are");
    }
}

async fn a_listing_is_of_one_moment(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    for position in 1..=3 {
        kept(&*model, vec![document("a", position, values![1, 2].try_into().expect("two"))], position).await;
        let listing = Listing { limit: 10, ..Listing::default() };
        let reading = model.documents(&listing).await.expect("documents can be listed");
        let changed: Vec<_> = reading.value.iter().map(|document| document.changed_at).collect();
        assert_eq!(changed, [checkpoint(position).position], "a listing is of the last commit");
        assert_eq!(reading.checkpoint, Some(checkpoint(position)), "a listing tells where it holds");
    }
}
