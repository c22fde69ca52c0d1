//! Where a command stands between being driven again and being decided again.

use super::played::{Logs, Machine, amount, broken, until};
use crate::bank::{AccountId, Cash, Withdraw};
use factum::{CommandId, LaneLayout, LaneMode, Status, prelude::*, store::Store};

const ANN: AccountId = AccountId(1);

async fn parked(app: &App, cents: u64) -> CommandId {
    broken(|broken| broken.insert(cents));
    let ticket = app.submit(Machine(ANN, cents)).actor("ann").await.unwrap();
    assert_eq!(ticket.outcome().await.unwrap().status, Status::Parked);
    ticket.command_id()
}

#[test]
fn a_redriven_command_is_accepted_until_it_is_decided_again() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let cents = amount();
        let id = parked(&app, cents).await;
        app.stop().await;
        logs.clock.advance(std::time::Duration::from_secs(1));
        app.lanes().unwrap().redrive(id, "olga").await.unwrap();
        let status = app.status(id).await.unwrap().unwrap();
        assert_eq!((status.status, status.cause), (Status::Accepted, None));
        assert_eq!((status.issued_at.as_micros(), status.updated_at.as_micros()), (0, 1_000_000));
        assert_eq!((status.name.as_str(), status.actor.as_deref()), ("bank.machine", Some("ann")));
        // It is waited for, where a parked one would be the answer.
        app.lanes().unwrap().outcome(id).await.unwrap_err();
        broken(|broken| broken.remove(&cents));
        let app = logs.start();
        assert_eq!(app.lanes().unwrap().outcome(id).await.unwrap().status, Status::Succeeded);
    });
}

#[test]
fn a_discarded_command_is_parked_until_it_is_given_up() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let id = parked(&app, amount()).await;
        app.stop().await;
        app.lanes().unwrap().discard(id, "olga", "scrapped").await.unwrap();
        assert_eq!(app.status(id).await.unwrap().unwrap().status, Status::Parked);
        let app = logs.start();
        let mut watch = app.watch(id);
        let mut seen = Vec::new();
        while let Some(status) = watch.next().await.unwrap() {
            seen.push((status.status, status.cause));
        }
        assert_eq!(seen[0], (Status::Accepted, None));
        assert_eq!(seen[1].0, Status::Parked);
        assert_eq!(seen[2..], [(Status::Failed, Some("scrapped".to_owned()))]);
    });
}

#[test]
fn to_wait_behind_another_changes_nothing() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        parked(&app, amount()).await;
        app.stop().await;
        let behind = app.submit(Machine(ANN, amount())).await.unwrap().command_id();
        let before = app.status(behind).await.unwrap();
        logs.clock.advance(std::time::Duration::from_secs(1));
        let app = logs.start();
        until("it is set aside", async || !logs.events.commits_of(behind).await.unwrap().is_empty()).await;
        assert_eq!(app.status(behind).await.unwrap(), before);
    });
}

#[test]
fn what_the_platform_writes_for_itself_is_no_command() {
    block_on(async {
        let logs = Logs::new();
        let app = logs.start();
        let id = parked(&app, amount()).await;
        app.lanes().unwrap().discard(id, "olga", "scrapped").await.unwrap();
        until("it is given up", async || app.status(id).await.unwrap().unwrap().status == Status::Failed)
            .await;
        app.stop().await;
        // A change of layout moves the watermark.
        let single = LaneLayout { mode: LaneMode::Single, count: 1 };
        let app = App::on(logs.events.clone())
            .command_log(logs.commands.clone())
            .commands::<(Machine, Withdraw)>()
            .lanes(single)
            .start();
        app.submit(Withdraw(ANN, 0)).await.unwrap().outcome().await.unwrap();
        app.stop().await;
        let (mut own, mut all) = (0, 0);
        for store in [&logs.events, &logs.commands] {
            for commit in store.commits(Default::default(), 4096).await.unwrap().commits {
                let status = app.status(commit.header.command_id).await.unwrap();
                let is_own = commit.header.command_name.as_str().starts_with("factum.");
                assert_eq!(status.is_none(), is_own, "{commit:?}");
                own += u32::from(is_own);
                all += 1;
            }
        }
        assert!(own > 4 && all > own, "{own} of {all}");
        let named = |name: &str| assert!(!name.starts_with("factum."), "{name}");
        let mut updates = app.feeds().command_updates(Default::default());
        while let Some(update) = updates.next_now().await.unwrap() {
            named(update.status.name.as_str());
        }
        let mut arrivals = app.feeds().arrivals(Default::default());
        while let Some(arrival) = arrivals.next().await.unwrap() {
            named(arrivals.status(&arrival).await.unwrap().unwrap().name.as_str());
        }
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().state, Cash(0));
    });
}
