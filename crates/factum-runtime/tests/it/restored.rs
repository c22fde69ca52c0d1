//! Logs that were restored from a copy: all that was undecided where it was cut is given up, and holds nobody back.

use crate::bank::{AccountId, BankEvent, Cash};
use factum::{
    CommandId, LaneBounds, LaneLayout, Ports, RESTORED, RestoredLogs, Status,
    prelude::*,
    store::{MemoryStore, Store},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

const ANN: AccountId = AccountId(1);

/// Counts what is paid in, unless the counter is broken: then the first cannot be decided.
#[derive(Command)]
#[command(name = "bank.count")]
struct Count(AccountId, u64);

static BROKEN: AtomicBool = AtomicBool::new(false);

impl Decide for Count {
    type Event = BankEvent;
    type Models = Cash;
    type Rejection = Never;
    fn keys(&self) -> AccountId {
        self.0
    }
    fn decide(&self, _: &Cash, _: &Context) -> Decision<Self> {
        assert!(!BROKEN.load(Ordering::SeqCst) || self.1 > 0, "the counter is broken");
        emit(BankEvent::Deposited { account: self.0, cents: self.1 })
    }
}

/// Both logs of a service.
#[derive(Default)]
struct Logs {
    events: Arc<MemoryStore>,
    commands: Arc<MemoryStore>,
}

impl Logs {
    fn start(&self, decides: bool) -> App {
        let bounds = LaneBounds { released_max: 1, ..LaneBounds::default() };
        let app = App::on(self.events.clone())
            .command_log(self.commands.clone())
            .lanes(LaneLayout { count: 1, ..LaneLayout::default() })
            .lane_bounds(bounds)
            .commands::<(Count,)>();
        if decides { app.start() } else { app.lanes_at_rest().start() }
    }

    async fn submit(&self, app: &App, cents: u64) -> CommandId {
        app.submit(Count(ANN, cents)).await.unwrap().command_id()
    }

    /// Until a lane has come to the command.
    async fn come_to(&self, id: CommandId) {
        for _ in 0..60_000 {
            if !self.events.commits_of(id).await.unwrap().is_empty() {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("no lane came to {id}");
    }

    /// A parked command and three behind it.
    async fn parked(&self) -> Vec<CommandId> {
        BROKEN.store(true, Ordering::SeqCst);
        let app = self.start(true);
        let mut ids = vec![self.submit(&app, 0).await];
        for number in 1..=3 {
            ids.push(self.submit(&app, number).await);
        }
        self.come_to(*ids.last().unwrap()).await;
        app.stop().await;
        ids
    }

    async fn status(&self, app: &App, id: CommandId) -> (Status, Option<String>) {
        let status = app.status(id).await.unwrap().unwrap();
        (status.status, status.cause)
    }
}

#[test]
fn what_was_parked_waited_or_was_half_released_is_given_up_and_its_key_goes_on() {
    for is_released in [false, true] {
        block_on(async {
            let logs = Logs::default();
            let mut ids = logs.parked().await;
            let app = logs.start(false);
            if is_released {
                // Of three one comes again at once; the lane that would bring the others has not come to it.
                let released = app.lanes().unwrap().discard(ids[0], "olga", "no use").await.unwrap();
                assert!(released.more);
            }
            ids.push(logs.submit(&app, 4).await);
            app.stop().await;
            drop(app);
            let head = logs.events.head().await.unwrap();

            let ports = Ports::default();
            let restored = RestoredLogs::new(&*logs.events, logs.commands.clone(), &ports);
            assert_eq!(restored.give_up_undecided("ann").await.unwrap(), ids.len() as u64);
            let again = restored.give_up_undecided("ann").await;
            assert!(again.is_err() || again == Ok(0), "there is nothing left: {again:?}");
            BROKEN.store(false, Ordering::SeqCst);
            let app = logs.start(true);
            assert_eq!(app.lanes().unwrap().parked().await.unwrap(), []);
            let next = logs.submit(&app, 5).await;
            logs.come_to(next).await;
            assert_eq!(logs.status(&app, next).await.0, Status::Succeeded, "nothing holds its key back");
            for id in ids {
                assert_eq!(logs.status(&app, id).await, (Status::Failed, Some(RESTORED.to_owned())));
            }
            let now = logs.events.head().await.unwrap();
            assert_eq!(now.position.get(), head.position.get() + 1, "none of them ran");
            app.stop().await;
        });
    }
}
