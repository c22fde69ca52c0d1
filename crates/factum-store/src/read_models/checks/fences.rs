//! Only who claimed a build last writes it.

use super::{Check, all, checkpoint, document, documents, kept, opened};
use crate::{
    ErrorKind,
    read_models::{Build, CommitError, Document, ReadModel, ReadModels},
};
use factum_event::Value;
use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

pub(super) const CHECKS: [Check; 3] = [
    |models| Box::pin(a_claim_tells_a_larger_fence_and_how_far_the_build_has_come(models)),
    |models| Box::pin(an_older_runner_writes_nothing(models)),
    |models| Box::pin(who_writes_while_another_claims_is_kept_before_that_or_not_at_all(models)),
];

fn plain(key: &str, changed_at: u64) -> Document {
    document(key, changed_at, [Value::Null, Value::Null])
}

async fn a_claim_tells_a_larger_fence_and_how_far_the_build_has_come(models: Arc<dyn ReadModels>) {
    let (one, other) = (opened(&*models).await, opened(&*models).await);
    let first = one.claim().await.expect("a build can be claimed");
    assert_eq!(first.checkpoint, None, "a new build has come nowhere");
    let second = other.claim().await.expect("a build can be claimed");
    assert!(second.fence > first.fence, "the fence of a claim is larger than that of everyone before");
    kept(&*one, vec![plain("a", 5)], 5).await;
    drop((one, other));
    let third = opened(&*models).await.claim().await.expect("a build can be claimed");
    assert!(third.fence > second.fence, "the fence of a claim is larger than that of everyone before");
    assert_eq!(third.checkpoint, Some(checkpoint(5)), "a claim tells how far the build has come");
    let another = models.open(&Build { number: 2, ..super::build() }, &documents()).await;
    let another = another.expect("a build is made");
    let of_another = another.claim().await.expect("a build can be claimed");
    kept(&*another, vec![plain("a", 1)], 1).await;
    assert_eq!(of_another.checkpoint, None, "claims of builds are told apart");
}

/// Writes as who has this fence: what became of it.
async fn written(model: &dyn ReadModel, fence: u64, documents: Vec<Document>) -> Result<(), CommitError> {
    let mut tx = match model.begin(fence).await {
        Ok(tx) => tx,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Reopen, "an outdated fence is refused as such: {error}");
            return Err(CommitError::Fenced { build: model.build().clone() });
        }
    };
    tx.put(documents).await.expect("documents can be put");
    tx.commit(Some(checkpoint(9))).await
}

async fn an_older_runner_writes_nothing(models: Arc<dyn ReadModels>) {
    let (one, other) = (opened(&*models).await, opened(&*models).await);
    let older = one.claim().await.expect("a build can be claimed").fence;
    let newer = other.claim().await.expect("a build can be claimed").fence;
    let fenced = Err(CommitError::Fenced { build: super::build() });
    assert_eq!(written(&*one, older, vec![plain("a", 1)]).await, fenced, "an older runner writes nothing");
    assert_eq!(all(&*one).await, (Vec::new(), None), "an older runner writes nothing");
    assert_eq!(written(&*other, newer, vec![plain("b", 2)]).await, Ok(()), "the newest runner writes");
    assert_eq!(written(&*one, older, vec![plain("a", 3)]).await, fenced, "an older runner writes nothing");
    assert_eq!(
        written(&*one, newer + 1, vec![plain("a", 3)]).await,
        fenced,
        "a fence is claimed, not made up"
    );
    assert_eq!(
        all(&*one).await,
        (vec!["b at 2".to_owned()], Some(checkpoint(9))),
        "the newest runner writes"
    );
}

async fn who_writes_while_another_claims_is_kept_before_that_or_not_at_all(models: Arc<dyn ReadModels>) {
    let (one, other) = (opened(&*models).await, opened(&*models).await);
    let older = one.claim().await.expect("a build can be claimed").fence;
    let mut tx = one.begin(older).await.expect("who has the newest fence may write");
    tx.put(vec![plain("a", 4)]).await.expect("documents can be put");
    let mut claiming = pin!(other.claim());
    let claimed = poll_fn(|context| {
        Poll::Ready(match claiming.as_mut().poll(context) {
            Poll::Ready(claim) => Some(claim),
            Poll::Pending => None,
        })
    });
    let claimed = claimed.await;
    let committed = tx.commit(Some(checkpoint(4))).await;
    match claimed {
        Some(claim) => {
            let told = claim.expect("a build can be claimed").checkpoint;
            let fenced = Err(CommitError::Fenced { build: super::build() });
            assert_eq!((committed, told), (fenced, None), "what is committed after a claim is not kept");
            assert_eq!(all(&*one).await, (Vec::new(), None), "what is committed after a claim is not kept");
        }
        None => {
            assert_eq!(committed, Ok(()), "what is committed before a claim is kept");
            let told = claiming.await.expect("a build can be claimed").checkpoint;
            assert_eq!(told, Some(checkpoint(4)), "a claim tells what was kept before it");
        }
    }
    let fenced = Err(CommitError::Fenced { build: super::build() });
    assert_eq!(written(&*one, older, vec![plain("b", 5)]).await, fenced, "an older runner writes nothing");
}
