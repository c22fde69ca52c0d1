//! While a build of an older version is read: what the new code asks of it is answered by what it holds, or refused.

use super::{
    counters::{Counted, Counted::*, KeyId, Keys, append},
    desk::{LONG, on},
};
use factum::{
    ProjectionState, QueryError, block_on,
    prelude::*,
    store::{MemoryReadModels, MemoryStore, ReadModels, Store},
};
use factum_runtime::{Ports, ProjectionSet, Projections};
use factum_sqlite::SqliteReadModels;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was added, each amount counted `TIMES`; of version 1 with one index, of version 2 with another before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Purse<const VERSION: u32> {
    cents: i64,
    #[serde(default)]
    entries: i64,
}

impl<const VERSION: u32> View for Purse<VERSION> {
    const NAME: &'static str = "purse";
    const VERSION: u32 = VERSION;
    const INDEXES: &'static [&'static str] = if VERSION == 1 { &["cents"] } else { &["entries", "cents"] };
    type Event = Counted;
    type Key = KeyId;

    fn keys(event: &Counted) -> Vec<KeyId> {
        if let Added { key, .. } = event { vec![*key] } else { Vec::new() }
    }

    fn apply(&mut self, _: &KeyId, event: &Counted) {
        if let Added { amount, .. } = event {
            self.cents += amount * i64::from(VERSION);
            self.entries += 1;
        }
    }

    fn indexed(&self) -> Vec<Value> {
        if VERSION == 1 { values![self.cents] } else { values![self.entries, self.cents] }
    }
}

async fn at_rest(store: &Arc<dyn Store>, models: &Arc<dyn ReadModels>, set: ProjectionSet) -> Projections {
    Projections::at_rest(Arc::clone(store), Ports::default(), Arc::clone(models), set).await
}

#[test]
fn an_index_is_found_by_its_name_and_the_latest_is_of_one_fold() {
    let dir = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn ReadModels>; 2] =
        [Arc::new(MemoryReadModels::new()), Arc::new(SqliteReadModels::at(dir.path()))];
    for models in stores {
        block_on(async {
            let (store, keys): (Arc<dyn Store>, _) = (Arc::new(MemoryStore::new()), Keys::new());
            for (key, amount) in [(1, 50), (2, 20), (2, 10)] {
                append(&*store, &[Added { key: keys.key(key), amount }]).await;
            }
            let app = on(&store, &models, 3).view::<Purse<1>>().start();
            assert_eq!(app.projections().caught_up("purse", LONG).await, Ok(true));
            app.stop().await;
            append(&*store, &[Added { key: keys.key(1), amount: 5 }]).await;

            let mut both = ProjectionSet::default();
            both.view::<Purse<1>>();
            both.view::<Purse<2>>();
            let known = at_rest(&store, &models, both).await;
            let cents = |list: factum::List<Purse<2>>| -> Vec<i64> {
                list.documents.into_iter().map(|keyed| keyed.document.cents).collect()
            };
            let list = || known.documents::<Purse<2>>().list();
            assert_eq!(cents(list().equals("cents", 50).await.unwrap()), [50]);
            assert_eq!(cents(list().order_by("cents").await.unwrap()), [30, 50]);
            let told = list().equals("entries", 50).await.unwrap_err();
            assert!(matches!(&told, QueryError::NoIndex { index, .. } if index == "entries"), "{told}");

            let mut newest = ProjectionSet::default();
            newest.view::<Purse<2>>();
            let unknown = at_rest(&store, &models, newest).await;
            let told = unknown.documents::<Purse<2>>().list().equals("entries", 50).await.unwrap_err();
            let frozen = QueryError::NotReadable { name: "purse", state: ProjectionState::Frozen };
            assert_eq!(told, frozen, "nobody knows the names of its indexes");
            assert_eq!(unknown.documents::<Purse<2>>().list().await.unwrap().documents.len(), 2);
            let kept = unknown.documents::<Purse<2>>().get(&keys.key(1)).await.unwrap();
            assert_eq!(
                (kept.document.unwrap().cents, kept.position.get()),
                (50, 3),
                "as the old fold made it"
            );
            let latest = unknown.documents::<Purse<2>>().latest(&keys.key(1)).await.unwrap();
            assert_eq!((latest.document.unwrap().cents, latest.position.get()), (110, 4));
        });
    }
}
