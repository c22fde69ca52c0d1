//! Every acknowledged event, in every projection, once and in order, while senders come and go.

use super::{
    counters::{Add, Keys, Ledger, Move, Sum, log},
    desk::{bounds, caught_up, holds, holds_entries, told_once},
};
use factum::{App, Position, Query, ViewKey as _, block_on};
use std::{
    collections::BTreeSet,
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
};

const SENDERS: u32 = 4;
const COMMANDS: u32 = 120;

/// Polls a future so often, then drops it.
async fn within<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

#[test]
fn each_acknowledged_event_comes_once_and_in_order_to_each_of_eight_projections() {
    for embedded in [false, true] {
        let (dir, keys) = (tempfile::tempdir().unwrap(), Keys::new());
        let ledgers = (Ledger::<0, 1>::default(), Ledger::<1, 1>::default(), Ledger::<2, 1>::default());
        macro_rules! eight {
            ($app:expr) => {
                $app.projection_bounds(bounds(11))
                    .view::<Sum<0>>()
                    .view::<Sum<1>>()
                    .view::<Sum<2>>()
                    .view::<Sum<3>>()
                    .view::<Sum<4>>()
                    .project(ledgers.0.clone())
                    .project(ledgers.1.clone())
                    .project(ledgers.2.clone())
            };
        }
        let app = match embedded {
            true => eight!(App::embedded(dir.path())).start().unwrap(),
            false => eight!(App::in_memory()).start(),
        };
        let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (app, keys, acknowledged) = (&app, &keys, Arc::clone(&acknowledged));
                scope.spawn(move || {
                    for n in 0..COMMANDS {
                        let (key, to) = (keys.key((sender + n) % 6), keys.key(n % 5));
                        let done = block_on(async {
                            match n % 3 {
                                // Gone in the middle of it.
                                0 => within(n % 7, async { app.execute(Add(key, 1)).await.unwrap() }).await,
                                1 => Some(app.execute(Move(key, to, n.into())).await.unwrap()),
                                _ => Some(app.execute(Add(key, n.into())).await.unwrap()),
                            }
                        });
                        if let Some(done) = done {
                            let new = acknowledged.lock().unwrap().insert(done.position());
                            assert!(new, "two were told of one place");
                        }
                    }
                });
            }
            // Those who follow the log itself see the same.
            let (app, acknowledged) = (&app, Arc::clone(&acknowledged));
            scope.spawn(move || {
                let mut feed = app.feeds().events(Query::All, Position::START);
                let enough = u64::from(SENDERS * COMMANDS / 3 * 2);
                let mut seen = 0;
                while seen < enough {
                    let position = block_on(feed.next()).unwrap().position.get();
                    assert_eq!(position, seen + 1);
                    seen = position;
                }
                drop(acknowledged);
            });
        });
        block_on(async {
            let events = log(&**app.store()).await;
            let positions: BTreeSet<_> = events.iter().map(|event| event.position).collect();
            assert!(
                acknowledged.lock().unwrap().is_subset(&positions),
                "one that was acknowledged is not there"
            );
            for name in app.projections().names() {
                caught_up(app.projections(), name).await;
            }
            holds::<Sum<0>>(&app).await;
            holds::<Sum<1>>(&app).await;
            holds::<Sum<2>>(&app).await;
            holds::<Sum<3>>(&app).await;
            holds::<Sum<4>>(&app).await;
            holds_entries::<Ledger<0, 1>>(&app).await;
            holds_entries::<Ledger<1, 1>>(&app).await;
            holds_entries::<Ledger<2, 1>>(&app).await;
            let all: Vec<_> = (1..=u64::try_from(events.len()).unwrap()).collect();
            assert_eq!(ledgers.0.told(), all);
            assert_eq!(told_once(&ledgers.1), all);
            assert_eq!(ledgers.2.told(), all);
            assert!(!keys.key(0).text().is_empty());
            app.stop().await;
        });
    }
}
