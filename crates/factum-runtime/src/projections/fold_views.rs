//! Folds pages into documents. Keeps those at hand that were touched lately, so that a document is read from the
//! database once and written once a page, however many events belong to it.

use super::{
    definition::{Batch, Fault, Folding, ViewEvents, keys_of, lane_of_key},
    fold_tables::panicked,
};
use factum_domain::{View, ViewKey as _};
use factum_event::Position;
use factum_store::{
    BoxFuture, BuildTx,
    read_models::{Body, Content, DOCUMENT_KEY_BYTES_MAX, Document},
};
use hashbrown::{HashMap, hash_map::Entry};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// Most documents that one view keeps at hand.
pub const DOCUMENTS_AT_HAND_MAX: usize = 65_536;

/// A document at hand, as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Held<V>(pub(super) V);

impl<V: View> Content for Held<V> {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), String> {
        serde_json::to_writer(out, &self.0).map_err(|cause| cause.to_string())
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The document in what was kept, or why it is none of this view.
pub(super) fn held<V: View>(body: &Body) -> Result<Arc<Held<V>>, String> {
    let stored = match body {
        Body::Held(content) => match Arc::clone(content).into_any().downcast() {
            Ok(held) => return Ok(held),
            // Of another version: read as it would be stored.
            Err(_) => {
                let mut stored = Vec::new();
                content.encode(&mut stored)?;
                stored.into()
            }
        },
        Body::Stored(bytes) => bytes.clone(),
    };
    serde_json::from_slice(&stored).map(|view| Arc::new(Held(view))).map_err(|cause| cause.to_string())
}

/// The document of one key: none, if there is none any more or yet.
struct Slot<V> {
    text: Arc<str>,
    document: Option<Arc<Held<V>>>,
    changed_at: Position,
    /// The page that touched it last.
    page: u64,
}

pub(super) struct ViewFold<V: View> {
    at_hand: HashMap<V::Key, Slot<V>>,
    /// Whether what is not at hand is not there.
    complete: bool,
    page: u64,
    /// What this page touched.
    touched: Vec<V::Key>,
}

impl<V: View> ViewFold<V> {
    pub(super) fn new(complete: bool) -> Self {
        Self { at_hand: HashMap::new(), complete, page: 1, touched: Vec::new() }
    }

    async fn fold(
        &mut self,
        events: &ViewEvents<V>,
        only: Option<&[Arc<str>]>,
        tx: &mut dyn BuildTx,
    ) -> Result<(), Fault> {
        for (position, event) in events {
            let at_fault = |cause: String| Fault::Event { position: Some(*position), cause };
            let keys = catch_unwind(AssertUnwindSafe(|| keys_of::<V>(event)))
                .map_err(|panic| at_fault(panicked(&*panic)))?;
            for key in keys {
                if only.is_some_and(|only| !only.contains(&lane_of_key(&key.text()))) {
                    continue;
                }
                let slot = match self.at_hand.entry(key.clone()) {
                    Entry::Occupied(slot) => slot.into_mut(),
                    Entry::Vacant(vacant) => {
                        let text: Arc<str> = key.text().into();
                        if text.len() > DOCUMENT_KEY_BYTES_MAX {
                            let bytes = text.len();
                            let max = DOCUMENT_KEY_BYTES_MAX;
                            return Err(at_fault(format!(
                                "its key has {bytes} bytes, and {max} is the most"
                            )));
                        }
                        let found = if self.complete { None } else { tx.document(&text).await? };
                        let changed_at = found.as_ref().map_or(Position::START, |found| found.changed_at);
                        let document = found.map(|found| held::<V>(&found.body)).transpose();
                        let document = document.map_err(|cause| {
                            at_fault(format!("the document `{text}` as it is kept cannot be read: {cause}"))
                        })?;
                        vacant.insert(Slot { text, document, changed_at, page: 0 })
                    }
                };
                if slot.page != self.page {
                    slot.page = self.page;
                    self.touched.push(key.clone());
                }
                slot.changed_at = *position;
                let document = &mut slot.document;
                let folded = catch_unwind(AssertUnwindSafe(|| {
                    let document = document.get_or_insert_with(|| Arc::new(Held(V::start(&key))));
                    Arc::make_mut(document).0.apply(&key, event);
                    document.0.is_gone()
                }));
                match folded {
                    Ok(true) => slot.document = None,
                    Ok(false) => {}
                    Err(panic) => return Err(at_fault(panicked(&*panic))),
                }
            }
        }
        self.write(tx).await
    }

    async fn write(&mut self, tx: &mut dyn BuildTx) -> Result<(), Fault> {
        let (mut kept, mut gone) = (Vec::with_capacity(self.touched.len()), Vec::new());
        for key in &self.touched {
            let Some(slot) = self.at_hand.get(key) else { continue };
            let Some(document) = &slot.document else {
                gone.push(Arc::clone(&slot.text));
                continue;
            };
            let position = Some(slot.changed_at);
            let indexed = catch_unwind(AssertUnwindSafe(|| document.0.indexed()))
                .map_err(|panic| Fault::Event { position, cause: panicked(&*panic) })?;
            if indexed.len() != V::INDEXES.len() {
                let (values, indexes) = (indexed.len(), V::INDEXES.len());
                let cause =
                    format!("`indexed` gives {values} values for {indexes} indexes: give one for each");
                return Err(Fault::Event { position, cause });
            }
            kept.push(Document {
                key: Arc::clone(&slot.text),
                body: Body::Held(Arc::clone(document) as Arc<dyn Content>),
                changed_at: slot.changed_at,
                indexed,
            });
        }
        if !kept.is_empty() {
            // Where documents stand in the order of their keys, each is found beside the one before it.
            kept.sort_unstable_by(|a: &Document, b| a.key.cmp(&b.key));
            tx.put(kept).await?;
        }
        if !gone.is_empty() {
            tx.remove(&gone).await?;
        }
        Ok(())
    }

    /// Lets go of what was not touched lately.
    fn make_room(&mut self) {
        if self.at_hand.len() <= DOCUMENTS_AT_HAND_MAX {
            return;
        }
        self.complete = false;
        let (page, half) = (self.page, DOCUMENTS_AT_HAND_MAX / 2);
        let mut room = self.at_hand.len() - half;
        self.at_hand.retain(|_, slot| {
            let goes = room > 0 && slot.page != page;
            room -= usize::from(goes);
            !goes
        });
    }
}

impl<V: View> Folding for ViewFold<V> {
    fn apply<'a>(
        &'a mut self,
        batch: &'a Batch,
        only: Option<&'a [Arc<str>]>,
        tx: &'a mut dyn BuildTx,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.fold(batch.events(), only, tx))
    }

    fn forget<'a>(&'a mut self, key: &'a str, tx: &'a mut dyn BuildTx) -> BoxFuture<'a, Result<(), Fault>> {
        // The key cannot be told from its text: what is at hand of it is found by looking.
        self.at_hand.retain(|_, slot| &*slot.text != key);
        self.complete = false;
        Box::pin(async move { Ok(tx.remove(&[key.into()]).await?) })
    }

    fn ended(&mut self, kept: bool) {
        if kept {
            self.make_room();
        } else {
            // What is at hand went ahead of what is kept.
            self.complete &= self.touched.is_empty();
            for key in &self.touched {
                self.at_hand.remove(key);
            }
        }
        self.touched.clear();
        self.page += 1;
    }

    fn tell<'a>(&'a self, _: &'a Batch) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
