//! An application that is opened at rest: everything is seen as it was left, nothing moves.

use super::counters::{Add, Sum};
use factum::{App, Builder, Embedded, ProjectionState, Status, block_on};
use std::{path::Path, time::Duration};

const LONG: Duration = Duration::from_secs(20);

fn app(directory: &Path) -> Builder<Embedded> {
    App::embedded(directory).view::<Sum>()
}

async fn add(app: &App, times: u32) {
    for n in 0..times {
        app.execute(Add(n.into(), 1)).await.unwrap();
    }
}

#[test]
fn what_came_since_is_seen_and_not_applied() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let first = app(directory.path()).start().unwrap();
        add(&first, 3).await;
        assert!(first.projections().caught_up("sum", LONG).await.unwrap());
        first.stop().await;
        drop(first);
        // A build of the application without the view adds what the view does not have.
        let other = App::embedded(directory.path()).start().unwrap();
        add(&other, 4).await;
        drop(other);
        let resting = app(directory.path()).start_at_rest().await.unwrap();
        for _ in 0..2 {
            let status = resting.projections().status("sum").await.unwrap();
            assert_eq!((status.position.get(), status.head.get(), status.lag_events), (3, 7, 4));
            assert_eq!((status.state, status.stalled), (ProjectionState::Starting, false));
        }
        resting.stop().await;
        drop(resting);
        let last = app(directory.path()).start().unwrap();
        assert!(last.projections().caught_up("sum", LONG).await.unwrap());
        last.stop().await;
    });
}

#[test]
fn looking_makes_nothing() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        add(&App::embedded(directory.path()).start().unwrap(), 1).await;
        let resting = app(directory.path()).start_at_rest().await.unwrap();
        let status = resting.projections().status("sum").await.unwrap();
        assert_eq!((status.build, status.state), (None, ProjectionState::Starting));
        resting.stop().await;
        assert!(!directory.path().join("views").exists(), "no build was begun");
    });
}

#[test]
fn what_is_said_at_rest_holds_from_the_next_start_on() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let first = app(directory.path()).start().unwrap();
        add(&first, 3).await;
        assert!(first.projections().caught_up("sum", LONG).await.unwrap());
        let before = first.projections().status("sum").await.unwrap().build;
        first.stop().await;
        drop(first);
        let resting = app(directory.path()).start_at_rest().await.unwrap();
        resting.projections().pause("sum").await.unwrap();
        resting.projections().rebuild("sum").await.unwrap();
        let status = resting.projections().status("sum").await.unwrap();
        assert_eq!((status.state, &status.build), (ProjectionState::Paused, &before));
        let building = status.building.unwrap();
        assert_eq!(
            (building.position.get(), building.state),
            (0, ProjectionState::Starting),
            "nobody feeds it"
        );
        resting.projections().resume("sum").await.unwrap();
        let resumed = resting.projections().status("sum").await.unwrap().state;
        assert_eq!(resumed, ProjectionState::Starting, "nobody feeds it");
        resting.projections().pause("sum").await.unwrap();
        drop(resting);
        let last = app(directory.path()).start().unwrap();
        add(&last, 1).await;
        while last.projections().status("sum").await.unwrap().building.is_some() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = last.projections().status("sum").await.unwrap();
        assert_eq!((status.state, status.position.get()), (ProjectionState::Paused, 3));
        assert_ne!(status.build, before);
        last.projections().resume("sum").await.unwrap();
        assert!(last.projections().caught_up("sum", LONG).await.unwrap());
        last.stop().await;
    });
}

#[test]
fn accepted_commands_wait() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let resting = app(directory.path()).commands::<Add>().start_at_rest().await.unwrap();
        let ticket = resting.submit(Add(1.into(), 1)).await.unwrap();
        let id = ticket.command_id();
        let status = resting.status(id).await.unwrap().unwrap();
        assert_eq!(status.status, Status::Accepted);
        resting.stop().await;
        drop(resting);
        let app = app(directory.path()).commands::<Add>().start().unwrap();
        let mut watch = app.watch(id);
        while let Some(update) = watch.next().await.unwrap() {
            if update.status == Status::Succeeded {
                break;
            }
        }
        assert_eq!(app.status(id).await.unwrap().unwrap().status, Status::Succeeded);
        app.stop().await;
    });
}
