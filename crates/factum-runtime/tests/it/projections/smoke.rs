//! The shortest way through.

use super::counters::{Add, Move, Sum};
use factum::{App, block_on};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_view_follows_the_log() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        for app in [
            App::in_memory().view::<Sum>().start(),
            App::embedded(directory.path()).view::<Sum>().start().unwrap(),
        ] {
            for n in 1..=10 {
                app.execute(Add((n % 3).into(), i64::from(n))).await.unwrap();
            }
            app.execute(Move(0.into(), 1.into(), 5)).await.unwrap();
            assert!(
                app.projections().caught_up("sum", LONG).await.unwrap(),
                "{:?}",
                app.projections().statuses().await
            );
            let found = app.documents::<Sum>().get(&0.into()).await.unwrap();
            assert_eq!((found.document.clone().unwrap().sum, found.position.get()), (3 + 6 + 9 - 5, 11));
            assert_eq!(found, app.documents::<Sum>().live(&0.into()).await.unwrap());
            app.projections().rebuild("sum").await.unwrap();
            while app.projections().status("sum").await.unwrap().building.is_some() {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(found, app.documents::<Sum>().get(&0.into()).await.unwrap());
            let list = app.documents::<Sum>().list().order_by("sum").backwards().await.unwrap();
            assert_eq!(
                list.documents.iter().map(|keyed| keyed.document.sum).collect::<Vec<_>>(),
                [27, 15, 13]
            );
            app.stop().await;
        }
    });
}
