//! Lists documents of a view by its indexes, page by page. A cursor holds the place behind the last document of a
//! page, and which list it is of.

use super::{Documents, ProjectionState, QueryError, documents::unwrap, fold_views::held, slot::Live};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use factum_domain::View;
use factum_event::{Position, Token, Value};
use factum_store::{
    BoxFuture, Tables,
    read_models::{Listing, ROWS_MAX},
};
use std::sync::Arc;

/// How many documents a page holds if nothing is said.
const LIMIT_DEFAULT: usize = 100;

/// A list about to be read. Nothing happens until it is awaited.
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct Lister<'a, V> {
    documents: Documents<'a, V>,
    equal: Vec<(String, Value)>,
    order: Option<String>,
    backwards: bool,
    after: Option<String>,
    limit: usize,
}

/// A page of documents.
#[derive(Clone, Debug, PartialEq)]
pub struct List<V> {
    /// In order.
    pub documents: Vec<Keyed<V>>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// Where in the log all of it holds.
    pub position: Position,
    /// As `position`, for clients.
    pub token: Token,
}

/// A document and its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyed<V> {
    /// The text of its key.
    pub key: String,
    /// The document.
    pub document: V,
    /// The last event that was folded into it.
    pub changed_at: Position,
}

impl<'a, V: View> Documents<'a, V> {
    /// All documents, by their key unless said otherwise.
    pub fn list(self) -> Lister<'a, V> {
        Lister {
            documents: self,
            equal: Vec::new(),
            order: None,
            backwards: false,
            after: None,
            limit: LIMIT_DEFAULT,
        }
    }
}

impl<V: View> Lister<'_, V> {
    /// Only documents for which this index has this value.
    pub fn equals(mut self, index: &str, value: impl Into<Value>) -> Self {
        self.equal.push((index.to_owned(), value.into()));
        self
    }

    /// By the value of this index, those with the same by their key.
    pub fn order_by(mut self, index: &str) -> Self {
        self.order = Some(index.to_owned());
        self
    }

    /// From the last to the first.
    pub fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }

    /// After the page that gave this cursor; from the beginning if none.
    pub fn after(mut self, cursor: Option<&str>) -> Self {
        self.after = cursor.map(str::to_owned);
        self
    }

    /// At most so many, 100 if not said; 0 counts as 1.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, ROWS_MAX - 1);
        self
    }

    async fn read(self) -> Result<List<V>, QueryError> {
        let projections = self.documents.projections;
        let live = projections.readable(V::NAME).await?;
        let which = self.which();
        let indexes = self.indexes_of(&live)?;
        let number = |name: &str| index::<V>(indexes, name);
        let mut listing = Listing {
            equal: self
                .equal
                .iter()
                .map(|(name, value)| Ok((number(name)?, value.clone())))
                .collect::<Result<_, QueryError>>()?,
            order: self.order.as_deref().map(number).transpose()?,
            backwards: self.backwards,
            after: self.after.as_deref().map(|cursor| place(cursor, &which)).transpose()?,
            // One more tells whether there is a next page.
            limit: self.limit + 1,
        };
        listing.equal.sort_by_key(|(index, _)| *index);
        let before = live.reach.position();
        let reading = live.model?.documents(&listing).await?;
        let kept = reading.checkpoint.map_or(Position::START, |checkpoint| checkpoint.position);
        let position = kept.max(before);
        let more = reading.value.len() > self.limit;
        let mut next = None;
        let mut documents = Vec::with_capacity(reading.value.len());
        for document in reading.value.into_iter().take(self.limit) {
            if more {
                let value = listing.order.and_then(|index| document.indexed.get(index)).cloned();
                next = Some((value.unwrap_or_default(), Arc::clone(&document.key)));
            }
            let key = document.key.to_string();
            let body = held::<V>(&document.body).map_err(|cause| QueryError::Unreadable {
                name: V::NAME,
                key: key.clone(),
                cause,
            })?;
            documents.push(Keyed { key, document: unwrap(body), changed_at: document.changed_at });
        }
        let next = next.map(|place| cursor(&place, &which));
        Ok(List { documents, next, position, token: projections.token(position) })
    }

    /// The indexes of the build that is read, which may be of an older version than the view.
    fn indexes_of(&self, live: &Live) -> Result<&'static [&'static str], QueryError> {
        if live.build.version == V::VERSION || (self.equal.is_empty() && self.order.is_none()) {
            return Ok(V::INDEXES);
        }
        let slot = &self.documents.projections.host.slots[V::NAME];
        match slot.definition(live.build.version).map(|definition| definition.tables()) {
            Some(Tables::Documents { indexes, .. }) => Ok(indexes),
            // What its indexes are called is known to nobody here.
            _ => Err(QueryError::NotReadable { name: V::NAME, state: ProjectionState::Frozen }),
        }
    }

    /// What a cursor of this list says of the list.
    fn which(&self) -> String {
        let mut equal = self.equal.clone();
        equal.sort();
        format!("{} {:?} {:?} {}", V::NAME, equal, self.order, self.backwards)
    }
}

impl<'a, V: View> IntoFuture for Lister<'a, V> {
    type Output = Result<List<V>, QueryError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.read())
    }
}

fn index<V: View>(indexes: &[&str], name: &str) -> Result<usize, QueryError> {
    let found = indexes.iter().position(|index| *index == name);
    found.ok_or_else(|| QueryError::NoIndex {
        name: V::NAME,
        index: name.to_owned(),
        known: indexes.join(", "),
    })
}

fn cursor((value, key): &(Value, Arc<str>), which: &str) -> String {
    let place =
        serde_json::to_vec(&(checksum(which), value, &**key)).expect("values and texts are plain data");
    URL_SAFE_NO_PAD.encode(place)
}

fn place(cursor: &str, which: &str) -> Result<(Value, Arc<str>), QueryError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| QueryError::Cursor)?;
    let (of, value, key): (u64, Value, String) =
        serde_json::from_slice(&bytes).map_err(|_| QueryError::Cursor)?;
    if of != checksum(which) { Err(QueryError::Cursor) } else { Ok((value, key.into())) }
}

fn checksum(which: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(which.as_bytes())
}
