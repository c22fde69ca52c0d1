//! Reads a model live: folded from the log as it stands, from what is at hand on.

use crate::{
    Engine, ReadError,
    load::{self, LoadError},
    states::{AnyStates, States},
};
use factum_domain::{Key, Model};
use factum_event::{Position, Revision, Token};
use factum_store::BoxFuture;
use std::fmt;

/// A model about to be read.
#[must_use = "nothing is read until it is awaited"]
pub struct Live<'a, M: Model> {
    engine: &'a Engine,
    key: Key<M>,
}

/// A model's state, and where in the log it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct At<M> {
    /// The state.
    pub state: M,
    /// How many events were folded into it. None: the log knows nothing of this key.
    pub events: u64,
    /// The last revision of the model's stream, if its scope is a stream that has events.
    pub revision: Option<Revision>,
    /// The head it was read at.
    pub position: Position,
    /// The head it was read at, for clients.
    pub token: Token,
}

impl<M: Model> fmt::Debug for Live<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<'a, M: Model> Live<'a, M> {
    pub(crate) fn new(engine: &'a Engine, key: Key<M>) -> Self {
        Self { engine, key }
    }

    async fn read(self) -> Result<At<M>, ReadError> {
        let mut states = States::<M>::new(self.key);
        if !load::resume(self.engine, &mut states) {
            states.begin();
            load::restore(self.engine, &mut states).await;
        }
        let position = load::load(self.engine, &mut states).await.map_err(|cause| match cause {
            LoadError::Store(cause) => ReadError::Unavailable(cause),
            LoadError::Decode(cause) => ReadError::Corrupt(cause),
        })?;
        if load::put_away(self.engine, &mut states) {
            load::keep(self.engine, &states);
        }
        let progress = states.progress();
        let (events, revision) = (progress[0].events, progress[0].revision);
        let (state, store) = (states.into_models(), self.engine.store());
        Ok(At { state, events, revision, position, token: Token::new(store.identity(), position) })
    }
}

impl<'a, M: Model> IntoFuture for Live<'a, M> {
    type Output = Result<At<M>, ReadError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.read())
    }
}
