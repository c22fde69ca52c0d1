//! What is changed in one transaction is kept together or not at all, and seen by nobody before.

use super::{Check, Held, all, begun, build, checkpoint, document, kept, opened, said};
use crate::{
    block_on,
    read_models::{Body, Checkpoint, CommitError, Document, Parked, ParkedQuery, ReadModel, ReadModels},
};
use factum_event::{Position, Timestamp, Value, values};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

pub(super) const CHECKS: [Check; 6] = [
    |models| Box::pin(what_was_put_is_given_back_whole(models)),
    |models| Box::pin(the_last_change_of_a_document_counts(models)),
    |models| Box::pin(a_transaction_sees_what_it_changed(models)),
    |models| Box::pin(all_of_a_transaction_is_kept_or_nothing(models)),
    |models| Box::pin(a_scratch_is_never_kept(models)),
    |models| Box::pin(who_reads_sees_the_last_commit_and_does_not_wait(models)),
];

/// Longer than anything takes that does not wait for ever.
const NEVER: Duration = Duration::from_secs(60);

fn plain(key: &str, changed_at: u64) -> Document {
    document(key, changed_at, [Value::Null, Value::Null])
}

async fn what_was_put_is_given_back_whole(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    let keys = ["", "ann", "ANN", "ann ", "a'n\"n\0", "\u{1f9fa}"];
    let indexed = [
        values![Value::Null, ""],
        values![i64::MIN, i64::MAX],
        values![0.5, -1e300],
        values!["a\0'\u{1f9fa}", true],
        values![vec![0_u8, 255], Vec::<u8>::new()],
        values![1, 1.0],
    ];
    let mut put = Vec::new();
    for ((key, indexed), position) in keys.iter().zip(indexed).zip(1..) {
        let bytes = vec![u8::try_from(position).unwrap_or(0); 70_000];
        let body =
            if position == 2 { Body::Held(Arc::new(Held("held"))) } else { Body::Stored(bytes.into()) };
        put.push(Document { key: (*key).into(), body, changed_at: Position::new(position), indexed });
    }
    kept(&*model, put.clone(), 9).await;
    for document in &put {
        let reading = model.document(&document.key).await.expect("a document can be read");
        assert_eq!(reading.checkpoint, Some(checkpoint(9)), "a document is read with the checkpoint");
        let found = reading.value.expect("what was put is there");
        // A large body would drown the message.
        assert!(said(&found) == said(document), "what was put is given back whole: {:?}", document.key);
    }
    let none = model.document("an").await.expect("a document can be read");
    assert!(none.value.is_none(), "nothing is given where nothing was put");
    assert_eq!(none.checkpoint, Some(checkpoint(9)), "what is not there is not there at a checkpoint");
}

async fn the_last_change_of_a_document_counts(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    kept(&*model, vec![plain("a", 1), plain("b", 1), plain("c", 1), plain("d", 1)], 1).await;
    let mut tx = begun(&*model).await;
    tx.put(vec![plain("a", 2), document("a", 3, [Value::from("x"), Value::Null])]).await.expect("put");
    tx.put(vec![plain("b", 2)]).await.expect("documents can be put");
    tx.remove(&["b".into(), "c".into(), "never".into()]).await.expect("documents can be removed");
    tx.put(vec![plain("c", 4), plain("e", 4)]).await.expect("documents can be put");
    tx.remove(&["e".into()]).await.expect("documents can be removed");
    tx.commit(Some(checkpoint(4))).await.expect("a transaction is kept");
    let expected = ["a at 3", "c at 4", "d at 1"].map(str::to_owned);
    assert_eq!(all(&*model).await.0, expected, "the last change of a document counts");
    let reading = model.document("a").await.expect("a document can be read");
    let indexed = reading.value.map(|document| document.indexed);
    assert_eq!(indexed, Some(values!["x", Value::Null]), "a document is put with its values for indexes");
}

async fn a_transaction_sees_what_it_changed(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    kept(&*model, vec![plain("a", 1), plain("b", 1)], 1).await;
    let mut tx = begun(&*model).await;
    tx.put(vec![plain("a", 2), plain("c", 2)]).await.expect("documents can be put");
    tx.remove(&["b".into()]).await.expect("documents can be removed");
    for (key, expected) in [("a", Some(2)), ("b", None), ("c", Some(2)), ("d", None)] {
        let found = tx.document(key).await.expect("a document can be read");
        let found = found.map(|document| document.changed_at.get());
        assert_eq!(found, expected, "a transaction sees what it changed: {key}");
    }
}

/// Documents, what is parked, and the checkpoint.
async fn everything(model: &dyn ReadModel) -> (Vec<String>, Vec<u64>, Option<Checkpoint>) {
    let parked = model.parked(&ParkedQuery { limit: 100, ..ParkedQuery::default() }).await;
    let parked = parked.expect("parked events can be listed");
    let (documents, checkpoint) = all(model).await;
    (documents, parked.iter().map(|parked| parked.position.get()).collect(), checkpoint)
}

fn parked(position: u64) -> Parked {
    Parked {
        position: Position::new(position),
        key: "k".into(),
        cause: None,
        attempts: 1,
        at: Timestamp::EPOCH,
    }
}

async fn all_of_a_transaction_is_kept_or_nothing(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    for (number, is_kept) in (1_u64..).zip([true, false, true]) {
        let before = everything(&*model).await;
        let mut tx = begun(&*model).await;
        tx.put(vec![plain("a", number), plain(&number.to_string(), number)]).await.expect("put");
        tx.remove(&["1".into()]).await.expect("documents can be removed");
        tx.park(vec![parked(number)]).await.expect("events can be parked");
        tx.unpark(Position::new(1), "k").await.expect("an event can be unparked");
        if is_kept {
            tx.commit(Some(checkpoint(number))).await.expect("a transaction is kept");
        } else {
            drop(tx);
            assert_eq!(everything(&*model).await, before, "nothing is kept of what is not committed");
        }
    }
    let expected = (vec!["3 at 3".to_owned(), "a at 3".to_owned()], vec![3], Some(checkpoint(3)));
    assert_eq!(everything(&*model).await, expected, "all of a transaction is kept");
    begun(&*model).await.commit(None).await.expect("a transaction is kept");
    assert_eq!(everything(&*model).await, expected, "without a checkpoint the one before is kept");
}

async fn a_scratch_is_never_kept(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    kept(&*model, vec![plain("a", 1)], 1).await;
    let mut tx = model.scratch().await.expect("a scratch can be begun");
    tx.put(vec![plain("a", 2)]).await.expect("documents can be put");
    let seen = tx.document("a").await.expect("a document can be read");
    assert_eq!(seen.map(|document| document.changed_at.get()), Some(2), "a scratch sees what it changed");
    let committed = tx.commit(Some(checkpoint(2))).await;
    assert_eq!(committed, Err(CommitError::Fenced { build: build() }), "the commit of a scratch is refused");
    assert_eq!(all(&*model).await, (vec!["a at 1".to_owned()], Some(checkpoint(1))), "nothing of it is kept");
}

async fn who_reads_sees_the_last_commit_and_does_not_wait(models: Arc<dyn ReadModels>) {
    let model = opened(&*models).await;
    kept(&*model, vec![plain("a", 1)], 1).await;
    let before = everything(&*model).await;
    let mut tx = begun(&*model).await;
    tx.put(vec![plain("a", 2), plain("b", 2)]).await.expect("documents can be put");
    tx.park(vec![parked(2)]).await.expect("events can be parked");
    let (tell, told) = mpsc::channel();
    let reads = Arc::clone(&model);
    thread::spawn(move || {
        let read = block_on(async {
            let one = reads.document("a").await.expect("a document can be read").value;
            let one = one.map(|document| document.changed_at.get());
            (one, reads.parked_counts().await, everything(&*reads).await)
        });
        // Who waited for it has given up.
        let _ = tell.send(read);
    });
    let read = told.recv_timeout(NEVER).expect("who reads does not wait for who writes");
    assert_eq!(read, (Some(1), Ok((0, 0)), before), "who reads sees the last commit");
    tx.commit(Some(checkpoint(2))).await.expect("a transaction is kept");
    assert_eq!(all(&*model).await.0, ["a at 2", "b at 2"], "who reads sees the last commit");
}
