//! What an operator does in the tests of read models, and how they look at what is kept.

use super::counters::{KeyId, Ledger, Sum, entered, folded, log};
use factum::{
    App, Builder, On, Position, ProjectionBounds, ProjectionError, Projections, Recorded, Retry, View,
    store::{ReadModels, Store},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What is waited for comes within this, or never.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Small pages, and no pauses to speak of.
pub(crate) fn bounds(page_events: usize) -> ProjectionBounds {
    let at_once = |attempts_max| Retry { attempts_max, pause: Duration::ZERO, pause_max: Duration::ZERO };
    ProjectionBounds {
        page_events,
        event: at_once(2),
        outside: Retry {
            attempts_max: u32::MAX,
            pause: Duration::from_millis(1),
            pause_max: Duration::from_millis(5),
        },
        checkpoint_every: 7,
        ..ProjectionBounds::default()
    }
}

/// An application on a log and read models that others may open as well.
pub(crate) fn on(store: &Arc<dyn Store>, models: &Arc<dyn ReadModels>, page_events: usize) -> Builder<On> {
    App::on(Arc::clone(store)).read_models(Arc::clone(models)).projection_bounds(bounds(page_events))
}

pub(crate) async fn caught_up(projections: &Projections, name: &str) {
    let came = projections.caught_up(name, LONG).await;
    assert_eq!(came, Ok(true), "{:#?}", projections.status(name).await);
}

/// Until nothing is made beside what is read.
pub(crate) async fn built(projections: &Projections, name: &str) {
    until(projections, name, |status| status.building.is_none()).await;
}

/// Until a projection stands so.
pub(crate) async fn until(
    projections: &Projections,
    name: &str,
    stands: impl Fn(&factum::ProjectionStatus) -> bool,
) -> factum::ProjectionStatus {
    for _ in 0..60_000 {
        let status = projections.status(name).await.unwrap();
        if stands(&status) {
            return status;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("never came to it: {:#?}", projections.status(name).await);
}

/// All documents as they are kept.
pub(crate) async fn kept<V: View>(app: &App) -> BTreeMap<String, V> {
    let (mut documents, mut cursor) = (BTreeMap::new(), None);
    loop {
        let list = app.documents::<V>().list().after(cursor.as_deref()).limit(50).await.unwrap();
        documents.extend(list.documents.into_iter().map(|keyed| (keyed.key, keyed.document)));
        match list.next {
            Some(next) => cursor = Some(next),
            None => return documents,
        }
    }
}

/// The entries of a ledger as they are kept: the positions of each key, in the order they were entered.
pub(crate) async fn entries<P: factum::Projection>(app: &App) -> BTreeMap<String, Vec<i64>> {
    let rows = app.tables::<P>().query("select key, position from entries order by nth", vec![]).await;
    let mut entries: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in rows.unwrap().rows {
        let key = row.text("key").unwrap().to_owned();
        entries.entry(key).or_default().push(row.integer("position").unwrap());
    }
    let sums = app.tables::<P>().query("select key, events from sums", vec![]).await.unwrap().rows;
    let counted: BTreeMap<_, _> = sums
        .iter()
        .map(|row| (row.text("key").unwrap().to_owned(), row.integer("events").unwrap()))
        .collect();
    let expected = entries.iter().map(|(key, of)| (key.clone(), i64::try_from(of.len()).unwrap())).collect();
    assert_eq!(counted, expected, "what is summed up is what is entered");
    entries
}

/// A view holds what follows from the log, all of it, and nothing else.
pub(crate) async fn holds<V>(app: &App)
where
    V: View<Event = Recorded<super::counters::Counted>, Key = KeyId> + PartialEq,
{
    let events = log(&**app.store()).await;
    assert_eq!(kept::<V>(app).await, folded::<V>(&events), "of `{}`", V::NAME);
}

/// Tables hold what follows from the log, all of it, and nothing else.
pub(crate) async fn holds_entries<P: factum::Projection>(app: &App) {
    let events = log(&**app.store()).await;
    assert_eq!(entries::<P>(app).await, entered(&events), "of `{}`", P::NAME);
}

/// Drives again, or discards, whatever is parked, until nothing is. `doomed`: those that never can be applied.
pub(crate) async fn release_all(projections: &Projections, name: &str, doomed: &[u64]) {
    for _ in 0..10_000 {
        let parked = projections.parked(name, None, 100).await.unwrap();
        if parked.is_empty() {
            // What was released before a restart is applied after it.
            if projections.status(name).await.unwrap().waiting == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        for event in parked {
            let done = if doomed.contains(&event.position.get()) {
                projections.discard(name, event.position, &event.key, "olga", "it is of no use").await
            } else {
                projections.redrive(name, event.position, &event.key).await
            };
            match done {
                Ok(_) | Err(ProjectionError::NotParked { .. } | ProjectionError::Conflict { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
    panic!("it never comes to an end: {:#?}", projections.status(name).await);
}

/// The positions of what can never be applied.
pub(crate) async fn doomed(store: &dyn Store) -> Vec<u64> {
    let events = log(store).await;
    events
        .iter()
        .filter(|event| event.event_type.as_str().contains("oomed"))
        .map(|event| event.position.get())
        .collect()
}

/// Told of each once, in order for each key, and of none that is not there.
pub(crate) fn told_once<const N: usize, const V: u32>(ledger: &Ledger<N, V>) -> Vec<u64> {
    let told = ledger.told();
    let mut each = told.clone();
    each.sort_unstable();
    each.dedup();
    assert_eq!(each.len(), told.len(), "told twice: {told:?}");
    each
}

pub(crate) type Sum0 = Sum<0, 1>;

pub(crate) fn at(position: u64) -> Position {
    Position::new(position)
}
