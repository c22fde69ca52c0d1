//! Whatever becomes of a command is stored, and its sender can read it.

use crate::bank::{AccountId, BankEvent, Cash, Deposit, Withdraw, WithdrawRejected};
use factum::{CausationId, Clock, CommandId, CorrelationId, Outcome, Sequence, Status, Uuid, prelude::*};
use factum_testkit::VirtualClock;
use std::sync::Arc;

const ANN: AccountId = AccountId(1);

#[test]
fn events_are_told_with_their_places() {
    block_on(async {
        let app = App::in_memory().start();
        app.execute(Deposit(ANN, 5)).await.unwrap();
        let done = app.execute(Deposit(ANN, 7)).await.unwrap();
        assert_eq!(done.events(), [BankEvent::Deposited { account: ANN, cents: 7 }]);
        assert_eq!((done.position().get(), done.sequence().get(), done.replayed()), (2, 2, false));
        let place = &done.places()[0];
        assert_eq!((place.revision.get(), place.position.get()), (1, 2));
        assert_eq!((place.stream.as_str(), place.event_type.as_str()), ("account-1", "bank.deposited"));
        let stored = app.store().event(place.id).await.unwrap().unwrap();
        assert_eq!((stored.position, stored.command_id()), (place.position, done.command_id()));
        assert_eq!(done.token().position_in(app.store().identity()), Some(done.position()));
    });
}

#[test]
fn a_rejection_is_stored_with_its_reason() {
    block_on(async {
        let app = App::in_memory().start();
        app.execute(Deposit(ANN, 5)).await.unwrap();
        let id = app.fresh_command_id();
        let rejected = app.execute(Withdraw(ANN, 9)).command_id(id).await.unwrap_err();
        assert_eq!(rejected, ExecuteError::Rejected(WithdrawRejected::Overdrawn(5)));
        assert_eq!(rejected.rejection().map(|why| why.code), Some("overdrawn".to_owned()));
        let status = app.status(id).await.unwrap().unwrap();
        assert_eq!((status.status, status.events.len()), (Status::Rejected, 0));
        let why = status.rejection.unwrap();
        assert_eq!((&*why.code, &*why.reason, why.status), ("overdrawn", "only 5 cents left", 402));
        assert_eq!(app.store().head().await.unwrap().position.get(), 1);
    });
}

#[test]
fn having_nothing_to_do_is_a_success_without_events() {
    block_on(async {
        let app = App::in_memory().start();
        let done = app.execute(Withdraw(ANN, 0)).await.unwrap();
        assert!(done.events().is_empty());
        let status = app.status(done.command_id()).await.unwrap().unwrap();
        assert_eq!((status.status, status.events.len()), (Status::Succeeded, 0));
    });
}

#[test]
fn a_command_nobody_sent_has_no_status() {
    let app = App::in_memory().start();
    assert_eq!(block_on(app.status(CommandId::new(Uuid::from_u128(1)))).unwrap(), None);
}

#[test]
fn a_commit_remembers_what_was_asked_by_whom_and_when() {
    block_on(async {
        let clock = Arc::new(VirtualClock::at("2026-01-01T00:00:00Z".parse().unwrap()));
        let app = App::in_memory().clock(clock.clone()).start();
        let (correlation, causation) =
            (CorrelationId::new(Uuid::from_u128(2)), CausationId::new(Uuid::from_u128(3)));
        app.execute(Deposit(ANN, 5))
            .actor("ann")
            .tenant("acme")
            .header("trace", "t1")
            .correlation(correlation)
            .causation(causation)
            .await
            .unwrap();
        let commit = app.store().commits(Sequence::START, 1).await.unwrap().commits.remove(0);
        let command = commit.command();
        assert_eq!(command.name.as_str(), "bank.deposit");
        assert_eq!(command.issued_at, clock.now());
        assert_eq!(command.metadata.actor.as_deref(), Some("ann"));
        assert_eq!(command.metadata.tenant.as_deref(), Some("acme"));
        assert_eq!(command.metadata.correlation, Some(correlation));
        assert_eq!(command.metadata.causation, Some(causation));
        assert_eq!(command.metadata.headers, [("trace".into(), "t1".into())]);
        let factum::CommandPayload::Inline { data, .. } = &command.payload else { panic!("{command:?}") };
        assert_eq!(Deposit::decode(data).unwrap().1, 5);
        assert_eq!(commit.outcome, Outcome::Succeeded);
        assert_eq!(commit.events[0].actor(), Some("ann"));
    });
}

#[test]
fn what_is_over_a_limit_is_refused_and_not_stored() {
    block_on(async {
        let app = App::in_memory().start();
        let refused = app.execute(Deposit(ANN, 5)).actor("a".repeat(300)).await.unwrap_err();
        assert!(matches!(&refused, ExecuteError::InvalidKey(_)), "{refused}");
        assert!(refused.to_string().contains("an actor"), "{refused}");
        let refused = app.execute(Deposit(ANN, 5)).header("trace", "t".repeat(2000)).await.unwrap_err();
        assert!(
            matches!(&refused, ExecuteError::Invalid(cause) if cause.to_string().contains("a header")),
            "{refused}"
        );
        assert_eq!(app.store().head().await.unwrap().sequence, Sequence::START);
        assert_eq!(app.view::<Cash>(ANN).await.unwrap().events, 0);
    });
}

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "lab")]
enum LabEvent {
    Measured { celsius: f64 },
}

#[derive(Command)]
#[command(name = "lab.measure")]
struct Measure(f64);

impl Decide for Measure {
    type Event = LabEvent;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, _: &(), _: &Context) -> Decision<Self> {
        emit([LabEvent::Measured { celsius: 20.0 }, LabEvent::Measured { celsius: self.0 / 0.0 }])
    }
}

#[test]
fn an_event_that_could_not_be_read_again_is_not_stored() {
    block_on(async {
        let app = App::in_memory().start();
        let refused = app.execute(Measure(1.0)).await.unwrap_err();
        assert!(matches!(refused, ExecuteError::Unreadable { event: 1, .. }), "{refused}");
        assert_eq!(app.store().head().await.unwrap().sequence, Sequence::START);
    });
}
