//! What every store of read models keeps to, whatever it is made of.
//!
//! ```
//! use factum_store::read_models::{MemoryReadModels, checks};
//! use std::sync::Arc;
//!
//! checks::run(|| Arc::new(MemoryReadModels::new()));
//! ```

mod builds;
mod fences;
mod listings;
mod parked;
mod tables;
mod writing;

use super::{Body, Build, BuildTx, Checkpoint, Content, Document, Listing, ReadModel, ReadModels, Tables};
use crate::{BoxFuture, StoreError, block_on};
use bytes::Bytes;
use factum_event::{LogId, LogIdentity, Position, Value};
use std::{any::Any, sync::Arc};
use uuid::Uuid;

/// Runs the checks that every store passes, each on what `make` gives: a store that keeps nothing yet.
///
/// # Panics
/// When one fails; the message says which claim does not hold.
pub fn run(make: impl Fn() -> Arc<dyn ReadModels>) {
    let checks: [&[Check]; 5] =
        [&builds::CHECKS, &writing::CHECKS, &fences::CHECKS, &listings::CHECKS, &parked::CHECKS];
    checks.iter().copied().flatten().for_each(|check| block_on(check(make())));
}

/// Runs the checks of stores that keep SQL tables, each on what `make` gives: a store that keeps nothing yet.
///
/// # Panics
/// When one fails; the message says which claim does not hold.
pub fn sql(make: impl Fn() -> Arc<dyn ReadModels>) {
    tables::CHECKS.iter().for_each(|check| block_on(check(make())));
}

/// One claim, on a store that keeps nothing yet.
type Check = fn(Arc<dyn ReadModels>) -> BoxFuture<'static, ()>;

/// The first build of the projection `roster`.
pub fn build() -> Build {
    Build { projection: "roster".into(), version: 1, number: 1 }
}

/// Documents with two indexes.
pub fn documents() -> Tables {
    Tables::Documents { indexes: &["course", "taken"], form: "form 1".to_owned() }
}

/// A document as checks use them: its body is its key and where it was changed.
pub fn document(key: &str, changed_at: u64, indexed: [Value; 2]) -> Document {
    Document {
        key: key.into(),
        body: Body::Stored(format!("{key} at {changed_at}").into()),
        changed_at: Position::new(changed_at),
        indexed: indexed.into(),
    }
}

/// So far in a log that checks use.
pub fn checkpoint(position: u64) -> Checkpoint {
    let log = LogIdentity { log: LogId::new(Uuid::from_u128(u128::MAX - 5)), generation: 7 };
    Checkpoint { log, position: Position::new(position) }
}

/// All of a document, to compare it by.
///
/// # Panics
/// When its body cannot be stored.
pub fn said(document: &Document) -> (String, Bytes, Position, Vec<Value>) {
    let mut body = Vec::new();
    document.body.encode(&mut body).expect("it was stored");
    (document.key.to_string(), body.into(), document.changed_at, document.indexed.clone())
}

/// A value at hand, which is stored as its text.
#[derive(Debug)]
struct Held(&'static str);

impl Content for Held {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(())
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The first build, made for documents.
async fn opened(models: &dyn ReadModels) -> Arc<dyn ReadModel> {
    models.open(&build(), &documents()).await.expect("a build is made where there is none")
}

/// A transaction of who has just claimed the build.
async fn begun(model: &dyn ReadModel) -> Box<dyn BuildTx> {
    let claim = model.claim().await.expect("a build can be claimed");
    model.begin(claim.fence).await.expect("who has the newest fence may write")
}

/// Keeps documents, with a checkpoint at `position`.
async fn kept(model: &dyn ReadModel, documents: Vec<Document>, position: u64) {
    let mut tx = begun(model).await;
    tx.put(documents).await.expect("documents can be put");
    tx.commit(Some(checkpoint(position))).await.expect("a transaction is kept");
}

/// Everything in a build, and how far it has come.
async fn all(model: &dyn ReadModel) -> (Vec<String>, Option<Checkpoint>) {
    let listing = Listing { limit: usize::MAX, ..Listing::default() };
    let reading = model.documents(&listing).await.expect("documents can be listed");
    let said = reading
        .value
        .iter()
        .map(|document| String::from_utf8(said(document).1.to_vec()).expect("checks store texts"));
    (said.collect(), reading.checkpoint)
}

/// An error that is refused as the caller's.
#[track_caller]
fn refused<T>(result: Result<T, StoreError>, claim: &str) -> String {
    match result {
        Ok(_) => panic!("{claim}: it was not refused"),
        Err(error) => {
            assert_eq!(error.kind(), crate::ErrorKind::FixInput, "{claim}: {error}");
            error.to_string()
        }
    }
}
