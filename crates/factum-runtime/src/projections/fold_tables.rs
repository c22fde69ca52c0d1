//! Applies pages to a projection's tables. Keeps nothing from page to page: what was written is in the database.

use super::{
    ApplyError, SqlProjection,
    definition::{Batch, Fault, Folding},
};
use crate::lanes::text_of;
use factum_domain::Page;
use factum_event::Position;
use factum_store::{BoxFuture, BuildTx, Sql, Tx};
use futures_util::FutureExt;
use std::{marker::PhantomData, panic::AssertUnwindSafe, sync::Arc};

pub(super) struct TableFold<P, Db> {
    projection: Arc<P>,
    database: PhantomData<fn() -> Db>,
}

impl<P: SqlProjection<Db>, Db: Sql> TableFold<P, Db> {
    pub(super) fn new(projection: Arc<P>) -> Self {
        Self { projection, database: PhantomData }
    }
}

/// The fault in what a projection answered.
fn fault(error: ApplyError, position: Option<Position>) -> Fault {
    match error {
        ApplyError::Store(cause) => match Fault::from(cause) {
            Fault::Event { cause, .. } => Fault::Event { position, cause },
            store @ Fault::Store(_) => store,
        },
        ApplyError::Refused(cause) => Fault::Event { position, cause },
    }
}

impl<P: SqlProjection<Db>, Db: Sql> Folding for TableFold<P, Db> {
    fn apply<'a>(
        &'a mut self,
        batch: &'a Batch,
        _: Option<&'a [Arc<str>]>,
        tx: &'a mut dyn BuildTx,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        let page = batch.events::<Page<P::Event>>();
        // A page of one is its event's fault.
        let position = page.first().filter(|_| page.len() == 1).map(|event| event.position);
        Box::pin(async move {
            if page.is_empty() {
                return Ok(());
            }
            let mut tx = Tx::new(tx);
            match AssertUnwindSafe(self.projection.apply(page, &mut tx)).catch_unwind().await {
                Ok(applied) => applied.map_err(|error| fault(error, position)),
                Err(panic) => Err(Fault::Event { position, cause: panicked(&*panic) }),
            }
        })
    }

    fn forget<'a>(&'a mut self, key: &'a str, tx: &'a mut dyn BuildTx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let mut tx = Tx::new(tx);
            match AssertUnwindSafe(self.projection.forget(key, &mut tx)).catch_unwind().await {
                Ok(forgot) => forgot.map_err(|error| fault(error, None)),
                Err(panic) => Err(Fault::Event { position: None, cause: panicked(&*panic) }),
            }
        })
    }

    fn ended(&mut self, _: bool) {}

    fn tell<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, ()> {
        let page = batch.events::<Page<P::Event>>();
        Box::pin(async move {
            if page.is_empty() {
                return;
            }
            let told = AssertUnwindSafe(self.projection.kept(page)).catch_unwind().await;
            if let Err(panic) = told {
                tracing::error!(projection = P::NAME, cause = panicked(&*panic), "telling of what was kept");
            }
        })
    }
}

/// What a panic said.
pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    format!("it panicked: {}", text_of(panic))
}
